/** `tocsin send`: a file of events through the front door, in pieces, with every item's fate counted. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { IngestResult } from '@tocsin/contracts'
import { messageOf, TerminalError } from '@tocsin/errors'
import { createYearCounter } from '@tocsin/formats/year-counter'
import { type ApiAnswer, ask, describe } from '../api.ts'
import { type Chunk, chunksOfLines, elementsOf, isLineByLine } from '../chunks.ts'
import { type Output, plain } from '../output.ts'

export interface SendOptions {
  /** A path, or `-` for standard input. */
  readonly file: string
  readonly url: string
  readonly key: string
  readonly format?: string | undefined
  readonly year?: number | undefined
  readonly zone?: string | undefined
  readonly json?: boolean | undefined
  readonly output: Output
  readonly input?: Readable
}

interface Totals {
  accepted: number
  duplicate: number
  rejected: number
  requests: number
}

/** Formats whose bodies are lines of text. */
const LINE_FORMATS: ReadonlySet<string> = new Set(['sshd'])
/** A document up to here is tried as one request first: it keeps numbers that JSON.parse would round. */
const MAX_DOCUMENT_BYTES = 30 * 1_048_576
const MAX_TOLD_REJECTIONS = 10
const PROGRESS_MS = 2_000
const RETRY_LIMIT_MS = 120_000
const RETRIED: ReadonlySet<number> = new Set([429, 502, 503])

/** Returns the exit code: 0 when every event was accepted or a duplicate, 2 when some were rejected. Throws TerminalError else. */
export async function send(options: SendOptions): Promise<number> {
  const { output } = options
  const totals: Totals = { accepted: 0, duplicate: 0, rejected: 0, requests: 0 }
  const started = performance.now()
  let told = 0
  let progressAt = started + PROGRESS_MS

  const post = async (chunk: Chunk, contentType: string, yearOf: ((text: string) => number) | undefined, isWhole = false) => {
    const answer = await postPatiently(options, chunk, contentType, yearOf?.(chunk.text))
    if (isWhole && answer.status === 413) return false
    const results = (answer.body as { results?: readonly IngestResult[] } | null)?.results
    if (results === undefined) throw new TerminalError(`${describe(answer)} Sent before: ${summary(totals, started)}`)
    totals.requests++
    for (const result of results) {
      totals[result.status]++
      if (result.status !== 'rejected' || told++ >= MAX_TOLD_REJECTIONS) continue
      const why = (result.errors ?? []).map(({ code, pointer, detail }) => `${code} ${pointer} ${detail}`).join('; ')
      output.note(plain(`item ${chunk.first + result.index} rejected: ${why}`))
    }
    if (performance.now() > progressAt) {
      progressAt = performance.now() + PROGRESS_MS
      output.note(summary(totals, started))
    }
    return true
  }

  const { lines, document } = await open(options)
  if (document !== undefined) {
    const isSent =
      document.length <= MAX_DOCUMENT_BYTES &&
      (await post({ text: document, items: 1, first: 1 }, 'application/json', undefined, true))
    const elements = isSent ? [] : elementsOf(parse(document))
    if (elements === undefined) throw new TerminalError('The file is one event that is too large.')
    for await (const chunk of chunksOfLines(elements)) await post(chunk, 'application/x-ndjson', undefined)
  } else if (lines !== undefined) {
    const isText = LINE_FORMATS.has(options.format ?? '')
    const yearOf = isText && options.year !== undefined ? createYearCounter(options.year) : undefined
    let contentType = isText ? 'text/plain' : undefined
    for await (const chunk of chunksOfLines(lines)) {
      contentType ??= chunk.text.trimStart().startsWith('{') ? 'application/x-ndjson' : 'text/plain'
      await post(chunk, contentType, yearOf ?? (options.year === undefined ? undefined : () => options.year ?? 0))
    }
  }

  if (told > MAX_TOLD_REJECTIONS) output.note(`… and ${told - MAX_TOLD_REJECTIONS} more`)
  const { accepted, duplicate, rejected } = totals
  output.result(options.json === true ? JSON.stringify({ ...totals, seconds: secondsSince(started) }) : summary(totals, started))
  if (accepted + duplicate + rejected === 0) throw new TerminalError('There was no event to send.')
  return rejected > 0 ? 2 : 0
}

async function postPatiently(
  options: SendOptions,
  chunk: Chunk,
  contentType: string,
  year: number | undefined,
): Promise<ApiAnswer> {
  const url = new URL(`${options.url}/v1/events`)
  if (options.format !== undefined) url.searchParams.set('format', options.format)
  if (year !== undefined) url.searchParams.set('year', String(year))
  if (options.zone !== undefined) url.searchParams.set('zone', options.zone)
  const end = performance.now() + RETRY_LIMIT_MS
  for (let attempt = 1; ; attempt++) {
    let waitMs = Math.min(500 * 2 ** attempt, 10_000)
    try {
      const answer = await ask(String(url), { method: 'POST', token: options.key, body: chunk.text, contentType })
      if (!RETRIED.has(answer.status) || performance.now() > end) return answer
      waitMs = Number(answer.headers.get('retry-after') ?? 1) * 1000
      options.output.note(`${describe(answer)} Trying again in ${waitMs / 1000} s.`)
    } catch (error) {
      // The first request shows whether anybody is there at all; later ones outlast a restart. Sending again is safe: ids count once.
      if (chunk.first === 1 || performance.now() > end) throw error
      options.output.note(`${messageOf(error)} Trying again in ${waitMs / 1000} s.`)
    }
    await delay(waitMs)
  }
}

/** The file as lines, or as one JSON document. */
async function open(options: SendOptions): Promise<{ lines?: AsyncIterable<string>; document?: string }> {
  const input: Readable = options.file === '-' ? (options.input ?? process.stdin) : createReadStream(options.file)
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]()
  const next = async () => {
    try {
      return await lines.next()
    } catch (error) {
      throw new TerminalError(`${options.file} cannot be read: ${messageOf(error)}`, { cause: error })
    }
  }
  // A stream's error before the first line comes as an event of its own.
  const failed = new Promise<never>((_, reject) =>
    input.once('error', (error) =>
      reject(new TerminalError(`${options.file} cannot be read: ${error.message}`, { cause: error })),
    ),
  )
  failed.catch(() => {})
  let first = await Promise.race([next(), failed])
  while (first.done !== true && first.value.replace(/^\uFEFF/, '').trim() === '') first = await next()
  if (first.done === true) return { lines: (async function* () {})() }
  const head = first.value.replace(/^\uFEFF/, '')
  const second = await next()
  const rest = async function* () {
    yield head
    for (let line = second; line.done !== true; line = await next()) yield line.value
  }
  if (LINE_FORMATS.has(options.format ?? '') || isLineByLine(head, second.done === true)) return { lines: rest() }
  const all: string[] = []
  for await (const line of rest()) all.push(line)
  return { document: all.join('\n') }
}

function parse(document: string): unknown {
  try {
    return JSON.parse(document)
  } catch (error) {
    throw new TerminalError(`The file is not JSON: ${messageOf(error)}`, { cause: error })
  }
}

const secondsSince = (started: number): number => Math.round((performance.now() - started) / 100) / 10
const summary = ({ accepted, duplicate, rejected }: Totals, started: number): string =>
  `accepted ${accepted}, duplicate ${duplicate}, rejected ${rejected} in ${secondsSince(started)} s`
