import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import type { Output } from '../output.ts'
import { send } from './send.ts'

interface Got {
  readonly url: string
  readonly type: string | undefined
  readonly body: string
}
type Reply = { readonly status: number; readonly body: unknown; readonly headers?: Record<string, string> }

/** A front door that keeps what it got and answers as told, by default accepting each line. */
async function frontDoor(answers: ((got: Got) => Reply)[] = []) {
  const requests: Got[] = []
  const server: Server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part
    })
    request.on('end', () => {
      const got = { url: request.url ?? '', type: request.headers['content-type'], body }
      requests.push(got)
      const reply = (answers.shift() ?? accepting)(got)
      response
        .writeHead(reply.status, { 'content-type': 'application/json', connection: 'close', ...reply.headers })
        .end(JSON.stringify(reply.body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push(server)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}
const open: Server[] = []
afterEach(() => Promise.all(open.splice(0).map((server) => new Promise((resolve) => server.close(resolve)))))

const accepting = ({ body }: Got): Reply => ({
  status: 202,
  body: {
    results: body
      .trim()
      .split('\n')
      .map((_, index) => ({ index, id: String(index), status: 'accepted' })),
  },
})

function collect() {
  const results: string[] = []
  const notes: string[] = []
  const output: Output = { result: (text) => results.push(text), note: (text) => notes.push(text) }
  return { output, results, notes }
}
const sendText = (url: string, text: string, output: Output, more: { format?: string; year?: number; zone?: string } = {}) =>
  send({ file: '-', url, key: 'k', json: true, output, input: Readable.from([text]), ...more })

describe('tocsin send', () => {
  it('sends lines in pieces, with format, year and zone, and sums up', async () => {
    const { url, requests } = await frontDoor()
    const { output, results } = collect()
    const lines = Array.from({ length: 1200 }, (_, n) => `Dec 10 06:55:46 h sshd[${n}]: x\n`).join('')
    expect(await sendText(url, lines, output, { format: 'sshd', year: 2025, zone: 'UTC' })).toBe(0)
    expect(requests.map(({ url: path, type }) => [path, type])).toEqual(
      Array(3).fill(['/v1/events?format=sshd&year=2025&zone=UTC', 'text/plain']),
    )
    expect(JSON.parse(results[0] ?? '')).toMatchObject({ accepted: 1200, duplicate: 0, rejected: 0, requests: 3 })
  })

  it('sends one JSON document as it is, and in pieces where it is too large', async () => {
    const { url, requests } = await frontDoor([accepting, () => ({ status: 413, body: { status: 413, detail: 'Too large.' } })])
    const { output } = collect()
    const document = '{\n "a": 9007199254740993\n}'
    expect(await sendText(url, document, output)).toBe(0)
    expect(requests[0]).toMatchObject({ body: document, type: 'application/json' })
    expect(await sendText(url, '[{"a":1},\n{"a":2}]', output)).toBe(0)
    expect(requests[2]).toMatchObject({ body: '{"a":1}\n{"a":2}\n', type: 'application/x-ndjson' })
  })

  it('names rejected items by their place in the file and exits 2', async () => {
    const rejecting = (): Reply => ({
      status: 422,
      body: {
        results: [
          {
            index: 0,
            id: null,
            status: 'rejected',
            errors: [{ code: 'INVALID_VALUE', pointer: '/status', detail: 'no\u001b[31m' }],
          },
        ],
      },
    })
    const { url } = await frontDoor([accepting, rejecting])
    const { output, notes } = collect()
    const lines = Array.from({ length: 501 }, () => '{"a":1}').join('\n')
    expect(await sendText(url, lines, output)).toBe(2)
    expect(notes).toEqual(['item 501 rejected: INVALID_VALUE /status no�[31m'])
  })

  it('waits as long as it is told when the front door is busy, and sends the same again', async () => {
    const busy = (): Reply => ({
      status: 503,
      headers: { 'retry-after': '0' },
      body: { status: 503, code: 'UNAVAILABLE', detail: 'Away.' },
    })
    const { url, requests } = await frontDoor([busy, busy])
    const { output, notes } = collect()
    expect(await sendText(url, '{"a":1}\n{"a":2}', output)).toBe(0)
    expect(new Set(requests.map(({ body }) => body)).size).toBe(1)
    expect(notes).toHaveLength(2)
  })

  it('stops with the reason when the request is refused, nobody answers, or there is nothing to send', async () => {
    const { url } = await frontDoor([
      () => ({ status: 401, body: { status: 401, code: 'UNAUTHENTICATED', detail: 'The ingest key is not known.' } }),
    ])
    const { output } = collect()
    await expect(sendText(url, 'x', output)).rejects.toThrow('The ingest key is not known. (401 UNAUTHENTICATED)')
    await expect(sendText('http://127.0.0.1:9', 'x', output)).rejects.toThrow('Is Tocsin running?')
    await expect(sendText(url, ' \n', output)).rejects.toThrow('no event')
    await expect(send({ file: '/none', url, key: 'k', output })).rejects.toThrow('/none cannot be read')
  })
})
