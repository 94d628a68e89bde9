/** Reads a request's body under limits, and finds out what it holds. */
import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { HttpProblem } from '@tocsin/errors'
import {
  type Body,
  type Format,
  finish,
  formatOf,
  type Item,
  type Json,
  readJsonItems,
  STRUCTURED_TYPES,
  structuredOf,
  UnreadableBody,
} from '@tocsin/formats'

export const MAX_BODY_BYTES = 32 * 1_048_576
/** After an answer of 413 the client may still be sending: what it sends is read and forgotten for so long, so that it sees the answer. */
const DRAIN_MS = 2_000

const NDJSON_TYPES: ReadonlySet<string> = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/jsonlines',
  'application/x-jsonlines',
])

const tooLarge = () =>
  new HttpProblem(413, 'TOO_LARGE', `A body has at most ${MAX_BODY_BYTES} bytes, also after decompression.`, {
    headers: { connection: 'close' },
  })

/**
 * The whole body, decompressed. The limit holds for what comes in and for what comes out of gzip, counted as it streams, so that
 * a bomb costs no more than an honest body. Rejects with HttpProblem 400, 413 or 415.
 */
export async function readBody(stream: Readable, headers: IncomingHttpHeaders): Promise<Buffer> {
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding !== 'gzip' && encoding !== 'x-gzip' && encoding !== 'identity' && encoding !== '')
    throw new HttpProblem(415, 'UNSUPPORTED_ENCODING', `Content-Encoding ${encoding} is not understood; send gzip or none.`)
  if (Number(headers['content-length'] ?? 0) > MAX_BODY_BYTES) {
    await drain(stream)
    throw tooLarge()
  }
  const gzip = encoding.endsWith('gzip') ? createGunzip() : undefined
  // pipe() passes on neither errors nor a premature end, and gzip would wait for ever.
  if (gzip !== undefined)
    stream.once('close', () => {
      if (!stream.readableEnded) gzip.destroy(new Error('the request was aborted'))
    })
  const source = gzip === undefined ? stream : stream.pipe(gzip)
  const chunks: Buffer[] = []
  let size = 0
  try {
    // Leaving the loop must not destroy the request: its socket has yet to carry the answer.
    for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > MAX_BODY_BYTES) break
      chunks.push(chunk)
    }
  } catch (error) {
    if (gzip !== undefined) stream.unpipe(gzip)
    if (isZlibError(error)) throw new HttpProblem(400, 'MALFORMED_GZIP', 'The body is not valid gzip.', { cause: error })
    throw new HttpProblem(400, 'BODY_ABORTED', 'The body ended before it was whole.', { cause: error })
  }
  if (size > MAX_BODY_BYTES) {
    if (gzip !== undefined) stream.unpipe(gzip)
    await drain(stream)
    throw tooLarge()
  }
  return Buffer.concat(chunks, size)
}

const isZlibError = (error: unknown): boolean => String((error as { code?: unknown }).code).startsWith('Z_')

async function drain(stream: Readable): Promise<void> {
  if (stream.destroyed || stream.readableEnded) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, DRAIN_MS)
    const end = () => {
      clearTimeout(timer)
      resolve()
    }
    stream.once('end', end).once('close', end).once('error', end).resume()
  })
}

/** What a body holds: by `format` where one is named, else by content type and first character. Throws UnreadableBody. */
export function recognizeBody(
  bytes: Buffer,
  headers: IncomingHttpHeaders,
  format: Format | undefined,
): { body: Body; format: Format | undefined } {
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  const binary = typeof headers['ce-specversion'] === 'string' && !STRUCTURED_TYPES.has(type)
  if (binary && (format === undefined || format.name === 'cloudevents')) {
    const item: Item = { value: structuredOf(headers, dataOf(bytes, type)), faults: [] }
    return { body: { kind: 'items', items: [item] }, format: formatOf('cloudevents') }
  }
  if (format?.body === 'lines') return { body: textBody(bytes), format }
  const isJson = format !== undefined || /[/+]json$/.test(type) || NDJSON_TYPES.has(type)
  if (!isJson && !startsLikeJson(bytes)) return { body: textBody(bytes), format }
  const recognized = format ?? (STRUCTURED_TYPES.has(type) ? formatOf('cloudevents') : undefined)
  return { body: { kind: 'json', text: decode(bytes), lines: NDJSON_TYPES.has(type) }, format: recognized }
}

/** `data` of a CloudEvent in binary mode. */
function dataOf(bytes: Buffer, type: string): Json {
  if (bytes.length === 0) return null
  if (!/[/+]json$/.test(type) && type !== '') return decode(bytes)
  const [item, ...more] = finish(readJsonItems(decode(bytes), { lines: true }))
  if (item === undefined || more.length > 0) throw new UnreadableBody('MALFORMED', 'The body of a CloudEvent is one JSON value.')
  const [first] = item.faults
  if (first !== undefined) throw new UnreadableBody('MALFORMED', `The body of a CloudEvent: ${first.pointer} ${first.detail}.`)
  return item.value
}

/** Log lines come from strangers: one with bytes that are no UTF-8 is rejected by itself, and the others go on. */
function textBody(bytes: Buffer): Body {
  try {
    return { kind: 'text', text: decode(bytes) }
  } catch (error) {
    if (!(error instanceof UnreadableBody)) throw error
    // Latin-1 keeps every byte apart; lines that are not UTF-8 are then marked with NUL, which no item may hold.
    const lines = bytes
      .toString('latin1')
      .split('\n')
      .map((line) => {
        const raw = Buffer.from(line, 'latin1')
        return isUtf8(raw) ? raw.toString('utf8') : `\0${line}`
      })
    if (lines.every((line) => line === '' || line.startsWith('\0'))) throw error
    return { kind: 'text', text: lines.join('\n') }
  }
}

function startsLikeJson(bytes: Buffer): boolean {
  const start = bytes
    .subarray(0, 1024)
    .toString('latin1')
    .replace(/^\xEF\xBB\xBF/, '')
    .trimStart()
  return start.startsWith('{') || start.startsWith('[')
}

const strict = new TextDecoder('utf-8', { fatal: true })

/** UTF-8 without a byte order mark. */
function decode(bytes: Buffer): string {
  try {
    return strict.decode(bytes)
  } catch (error) {
    throw new UnreadableBody('MALFORMED', `The body is not UTF-8 (${(error as Error).message}).`)
  }
}
