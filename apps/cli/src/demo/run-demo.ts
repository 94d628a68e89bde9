/** Plays an attack through the front door and tells, second by second, what becomes of it: event → alert → message → acknowledged. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Alert } from '@tocsin/contracts'
import { TerminalError } from '@tocsin/errors'
import { ask, describe, fetchJson } from '../api.ts'
import type { Connection } from '../connection.ts'
import { type Output, plain } from '../output.ts'
import { openAlertSocket } from './alert-socket.ts'
import { SCENARIOS, type Scenario, type ScenarioName } from './scenarios.ts'

const ALERT_LIMIT_MS = 30_000
const MESSAGE_LIMIT_MS = 30_000
/** Channels of a severity by the default routes (channels.md §1): for so long the others are waited for once one has come. */
const OTHER_CHANNELS_MS = 5_000
const CHANNELS: Readonly<Record<string, readonly MessageKind[]>> = { CRITICAL: ['mail', 'slack', 'sms'], HIGH: ['mail', 'slack'] }
const ASK_MAILBOX_EVERY_MS = 50

type MessageKind = 'mail' | 'slack' | 'sms'
interface CaughtMessage {
  readonly id: string
  readonly kind: MessageKind
  readonly to: string
  readonly alertId?: string
}

export interface DemoOptions {
  readonly name: ScenarioName
  readonly seed: number
  readonly connection: Connection
  readonly output: Output
  /** ms since 1970. */
  readonly now: () => number
}

/** Returns the exit code. Throws TerminalError naming the step that did not come. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { connection, output, seed } = options
  const { gateway, token, organizationId } = connection
  const run = options.now().toString(36)
  const scenario = SCENARIOS[options.name]({ seed, run, now: options.now() })
  output.result(plain(`${options.name} (seed ${seed}): ${scenario.story}`))
  output.result('')

  const socket = await openAlertSocket({ gateway, token, organizationId })
  try {
    const sentAt = performance.now()
    const since = (at: number) => `${((at - sentAt) / 1000).toFixed(2).padStart(6)} s`
    const tell = (at: number, step: string, what: string, link?: string) =>
      output.result(`${since(at)}  ${step.padEnd(12)}  ${plain(what)}${link === undefined ? '' : `\n${' '.repeat(24)}${link}`}`)

    const accepted = await sendEvents(connection, scenario)
    tell(sentAt, 'event', `${accepted} events sent; the front door had them on the log after ${since(performance.now()).trim()}`)

    const [main, ...others] = scenario.expected
    const ofRun = (pattern: string) => (alert: Alert) =>
      alert.pattern === pattern && alert.group?.['principalId'] === scenario.principal
    const first = await socket.first(ofRun(main), `the ${main} alert`, ALERT_LIMIT_MS)
    const link = `${gateway}/alerts/${first.alert.id}`
    tell(first.at, 'alert', `${first.alert.severity} ${first.alert.title}`, link)
    if (scenario.risesTo !== undefined) {
      const isRisen = (alert: Alert) => alert.id === first.alert.id && alert.severity === scenario.risesTo
      const risen = await socket.first(isRisen, `the alert's rise to ${scenario.risesTo}`, ALERT_LIMIT_MS)
      if (risen.at > first.at) tell(risen.at, 'risen', `${risen.alert.severity} ${risen.alert.title}`)
    }
    for (const pattern of others) {
      const { alert, at } = await socket.first(ofRun(pattern), `the ${pattern} alert`, ALERT_LIMIT_MS)
      tell(at, 'alert', `${alert.severity} ${alert.title}`, `${gateway}/alerts/${alert.id}`)
    }

    const messages = await messagesOf(
      connection,
      { ...first.alert, severity: scenario.risesTo ?? first.alert.severity },
      (message, at) => tell(at, 'message', `${message.kind} to ${message.to}`, connection.mailbox),
    )
    await fetchJson<Alert>(`${gateway}/api/alerts/${first.alert.id}/acknowledge?${new URLSearchParams({ organizationId })}`, {
      method: 'POST',
      token,
    })
    const acknowledged = await socket.first(
      (alert) => alert.id === first.alert.id && alert.status === 'acknowledged',
      'the acknowledgement on the socket',
      ALERT_LIMIT_MS,
    )
    tell(acknowledged.at, 'acknowledged', `by ${acknowledged.alert.acknowledgedBy}`, link)
    output.result('')
    output.result(`Times are seconds since the events were sent. ${messages} messages lie in the mailbox: ${connection.mailbox}`)
    output.result(`The dashboard, signed in by the link that npm start printed: ${gateway}`)
    return 0
  } finally {
    socket.close()
  }
}

async function sendEvents({ gateway, ingestKey }: Connection, { events }: Scenario): Promise<number> {
  const answer = await ask(`${gateway}/v1/events?format=tocsin`, {
    method: 'POST',
    token: ingestKey,
    body: JSON.stringify(events),
  })
  const results = (answer.body as { results?: readonly { status: string }[] } | null)?.results ?? []
  const accepted = results.filter(({ status }) => status === 'accepted').length
  if (accepted !== events.length) throw new TerminalError(`The events were not accepted whole: ${describe(answer)}`)
  return accepted
}

/** Tells each message about the alert as it comes; returns how many came. */
async function messagesOf(
  connection: Connection,
  alert: Alert,
  tell: (message: CaughtMessage, at: number) => void,
): Promise<number> {
  const told = new Set<string>()
  const kinds = new Set<MessageKind>()
  const begun = performance.now()
  let firstAt: number | undefined
  for (;;) {
    const { items } = await fetchJson<{ items: readonly CaughtMessage[] }>(`${connection.mailbox}/api/messages`, { token: '' })
    const at = performance.now()
    for (const message of items.toReversed()) {
      if (message.alertId !== alert.id || told.has(message.id)) continue
      told.add(message.id)
      kinds.add(message.kind)
      firstAt ??= at
      tell(message, at)
    }
    const wanted = CHANNELS[alert.severity] ?? ['mail']
    if (wanted.every((kind) => kinds.has(kind))) return told.size
    if (firstAt !== undefined && at - firstAt > OTHER_CHANNELS_MS) return told.size
    if (at - begun > MESSAGE_LIMIT_MS)
      throw new TerminalError(
        `Nobody was told of the alert within ${MESSAGE_LIMIT_MS / 1000} s: see ${connection.gateway}/alerts/${alert.id}`,
      )
    await delay(ASK_MAILBOX_EVERY_MS)
  }
}
