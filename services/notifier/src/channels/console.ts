import { Type } from 'typebox'
import type { Channel } from './channel.ts'
import { headlineOf, sentenceOf } from './wording.ts'

export const ConsoleConfig = Type.Object({
  CONSOLE_CHANNEL: Type.Boolean({ description: 'Development: also write every notification to the log', default: false }),
})

export interface ConsoleMessage {
  readonly alertId: string
  readonly severity: string
  readonly headline: string
  readonly sentence: string
  readonly url: string
}

/** @param write receives each message; the service's log */
export function createConsole(write: (message: ConsoleMessage) => void): Channel<ConsoleMessage> {
  return {
    name: 'console',
    render: (telling) => ({
      alertId: telling.alert.id,
      severity: telling.alert.severity,
      headline: headlineOf(telling),
      sentence: sentenceOf(telling),
      url: telling.url,
    }),
    close: () => undefined,
    async send(message) {
      write(message)
      return { providerId: `console.${message.alertId}`, ref: { alertId: message.alertId } }
    },
  }
}
