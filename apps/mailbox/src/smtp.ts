import type { AddressInfo } from 'node:net'
import type { Logger } from '@tocsin/telemetry'
import { type AddressObject, simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'
import { alertIdIn, type Messages } from './messages.ts'

const MESSAGE_LIMIT_BYTES = 4 * 1_048_576
/** Headers that are worth showing. */
const SHOWN_HEADERS = [
  'message-id',
  'in-reply-to',
  'references',
  'auto-submitted',
  'list-id',
  'importance',
  'x-tocsin-alert',
  'x-tocsin-event',
]

export interface CatchingSmtp {
  readonly port: number
  close(): Promise<void>
}

/** Takes every mail for every address, without login and without TLS; one message for each recipient. */
export async function catchMail(
  messages: Messages,
  options: { readonly host: string; readonly port: number; readonly log: Logger },
): Promise<CatchingSmtp> {
  const { host, port, log } = options
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: MESSAGE_LIMIT_BYTES,
    logger: false,
    banner: 'Tocsin mailbox: nothing leaves this machine',
    onData(stream, session, callback) {
      const recipients = session.envelope.rcptTo.map(({ address }) => address)
      simpleParser(stream, { skipImageLinks: true }).then(
        (mail) => {
          if (stream.sizeExceeded) return callback(Object.assign(new Error('too large'), { responseCode: 552 }))
          const headers: Record<string, string> = {}
          for (const { key, line } of mail.headerLines) {
            if (SHOWN_HEADERS.includes(key)) headers[key] = line.slice(line.indexOf(':') + 1).trim()
          }
          const text = mail.text ?? ''
          const alertId = headers['x-tocsin-alert'] ?? alertIdIn(text)
          for (const to of recipients) {
            messages.add({
              kind: 'mail',
              to,
              from: addressOf(mail.from),
              subject: mail.subject ?? '',
              text,
              ...(mail.html === false ? {} : { html: mail.html }),
              headers,
              ...(alertId === undefined ? {} : { alertId }),
            })
          }
          return callback()
        },
        (error: unknown) => {
          log.warn({ err: error }, 'a mail could not be read')
          callback(Object.assign(new Error('unreadable'), { responseCode: 554 }))
        },
      )
    },
  })
  server.on('error', (error) => log.warn({ reason: error.message }, 'a mail connection failed'))
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject)
    server.listen(port, host, () => resolve())
  })
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

const addressOf = (from: AddressObject | undefined): string => from?.text ?? ''
