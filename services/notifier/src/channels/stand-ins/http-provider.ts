import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ProviderCall {
  readonly method: string
  readonly path: string
  readonly authorization: string
  readonly form: Readonly<Record<string, string>>
}

export type Answer = (call: ProviderCall, response: ServerResponse) => void

export interface TestProvider {
  readonly url: string
  readonly calls: ProviderCall[]
  answer: Answer
  close(): Promise<void>
}

export const json =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_call, response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))

/** Accepts the request and never answers. */
export const stall: Answer = () => undefined
/** Begins an answer and never ends it. */
export const slowBody: Answer = (_call, response) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).write('{')
export const hangUp: Answer = (_call, response) => void response.destroy()

/** An HTTP provider of the tests: every call is kept, and `answer` decides what comes back. */
export async function startProvider(answer: Answer): Promise<TestProvider> {
  const provider: TestProvider = { url: '', calls: [], answer, close: async () => undefined }
  const server = createServer((request, response) => {
    read(request).then(
      (body) => {
        const call: ProviderCall = {
          method: request.method ?? '',
          path: request.url ?? '',
          authorization: request.headers.authorization ?? '',
          form: Object.fromEntries(new URLSearchParams(body)),
        }
        provider.calls.push(call)
        provider.answer(call, response)
      },
      () => response.destroy(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  return Object.assign(provider, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
}

async function read(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}

let ts = 0
/** Slack as it should be: takes everything; a channel's id is made of its name. */
export const slackAccepts: Answer = (call, response) => {
  const channel = call.form.channel ?? ''
  ts += 1
  json(200, { ok: true, channel: channel.startsWith('C0') ? channel : `C0${channel.replace('#', '')}`, ts: `1.${ts}` })(
    call,
    response,
  )
}
export const smsAccepts: Answer = json(201, { sid: 'SM0123456789', status: 'queued' })
