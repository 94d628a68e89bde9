import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'

/** How a mail server of the tests behaves. */
export type SmtpMode = 'accept' | 'busy' | 'refuse-address' | 'refuse-message' | 'stall' | 'drop-after-data' | 'refuse-login'

export interface CaughtMail {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly headers: ReadonlyMap<string, string>
}

export interface TestSmtp {
  readonly url: string
  mode: SmtpMode
  readonly mails: CaughtMail[]
  /** Connections that were opened. */
  connections: number
  close(): Promise<void>
}

const refusal = (responseCode: number, text: string) => Object.assign(new Error(text), { responseCode })

/** A real SMTP server that can be told to misbehave as real ones do. */
export async function startSmtp(): Promise<TestSmtp> {
  const sockets = new Set<Socket>()
  const smtp: TestSmtp = { url: '', mode: 'accept', mails: [], connections: 0, close: async () => undefined }
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onConnect(_session, callback) {
      smtp.connections += 1
      if (smtp.mode === 'stall') return // never greets
      callback()
    },
    onRcptTo(_address, _session, callback) {
      if (smtp.mode === 'busy') return callback(refusal(451, 'greylisted, try later'))
      if (smtp.mode === 'refuse-address') return callback(refusal(550, 'no such user; password=hunter2'))
      callback()
    },
    onAuth: (_auth, _session, callback) => callback(refusal(535, 'login refused; password=hunter2')),
    onData(stream, session, callback) {
      if (smtp.mode === 'drop-after-data') {
        stream.resume()
        stream.on('end', () => {
          for (const socket of sockets) socket.destroy()
        })
        return
      }
      simpleParser(stream).then((mail) => {
        if (smtp.mode === 'refuse-message') return callback(refusal(554, 'looks like spam; password=hunter2'))
        for (const { address } of session.envelope.rcptTo) {
          smtp.mails.push({
            to: address,
            subject: mail.subject ?? '',
            text: mail.text ?? '',
            html: mail.html || '',
            headers: new Map(mail.headerLines.map(({ key, line }) => [key, line.slice(line.indexOf(':') + 1).trim()])),
          })
        }
        return callback()
      }, callback)
    },
  })
  server.on('error', () => undefined) // dropped connections are the point
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  return Object.assign(smtp, {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  })
}

/** A port on which nothing listens any more. */
export async function deadPort(): Promise<number> {
  const server: Server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
