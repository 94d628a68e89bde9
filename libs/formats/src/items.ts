/** Cuts a body of JSON, NDJSON or text into items, each with its own faults. */
import type { FieldError } from '@tocsin/contracts'
import { Faults, pointerOf } from './faults.ts'
import { type Json, type JsonObject, JsonReader, MalformedJson } from './json-reader.ts'

export const MAX_ITEMS = 10_000
export const MAX_ITEM_BYTES = 1_048_576
export const MAX_ITEM_DEPTH = 64
/** `{ "Records": [ item ] }` wraps items in two levels that are not theirs. */
const ENVELOPE_DEPTH = 2

/** One item as sent. `value` may lack what `faults` names; it is used only when there are none. */
export interface Item {
  readonly value: Json
  readonly faults: readonly FieldError[]
  /** The item's own text, where a number of `value` had to become text. */
  readonly text?: string
}

/** Work that may be left after each step, so that a large body does not hold up everybody else. */
export type Steps<T> = Generator<void, T, void>

/** Does all of it at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** Why a body cannot be read at all. */
export class UnreadableBody extends Error {
  readonly code: 'EMPTY' | 'MALFORMED' | 'TOO_MANY_ITEMS'

  constructor(code: UnreadableBody['code'], message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Items of a JSON body: one object, an array, or several values one after the other (NDJSON). With `lines` each line is an item
 * of its own, and a bad line is rejected by itself. Throws UnreadableBody.
 */
export function* readJsonItems(text: string, options: { readonly lines: boolean }): Steps<Item[]> {
  const reader = new JsonReader(text, MAX_ITEM_DEPTH + ENVELOPE_DEPTH)
  const items: Item[] = []
  reader.skipSpace()
  if (reader.atEnd()) throw new UnreadableBody('EMPTY', 'The body is empty.')
  if (!options.lines && reader.take('[')) {
    yield* readArray(reader, text, items)
    return items
  }
  let readable = false
  let first: MalformedJson | undefined
  // After the first value a body that is not declared as NDJSON is read like it, if a new line follows.
  for (let lines = options.lines; !reader.atEnd(); reader.skipSpace()) {
    const start = reader.position
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline
    try {
      const value = reader.read()
      if (lines && reader.position > end) throw new MalformedJson('the line ends within a value', end)
      const restOfLine = text.slice(reader.position, lines ? end : nextNewline(text, reader.position))
      if (restOfLine.trim() !== '') throw reader.malformed('the end of the line')
      push(items, expand(reader, value, text.slice(start, reader.position)))
      yield
      readable = true
      if (!lines) lines = reader.position <= end
    } catch (error) {
      if (!(error instanceof MalformedJson)) throw error
      if (!lines) throw new UnreadableBody('MALFORMED', `The body is not JSON: ${error.message}.`)
      first ??= error
      push(items, [{ value: null, faults: [{ code: 'INVALID_FORMAT', pointer: '', detail: `not JSON: ${error.message}` }] }])
      reader.position = end
    }
  }
  if (!readable && first !== undefined) throw new UnreadableBody('MALFORMED', `No line of the body is JSON: ${first.message}.`)
  return items
}

function* readArray(reader: JsonReader, text: string, items: Item[]): Steps<void> {
  try {
    reader.skipSpace()
    if (!reader.take(']')) {
      for (;;) {
        reader.skipSpace()
        const start = reader.position
        const value = reader.read()
        push(items, expand(reader, value, text.slice(start, reader.position)))
        yield
        reader.skipSpace()
        if (reader.take(']')) break
        if (!reader.take(',')) throw reader.malformed('"," or "]"')
      }
    }
    reader.skipSpace()
    if (!reader.atEnd()) throw reader.malformed('the end of the body')
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error
    throw new UnreadableBody('MALFORMED', `The body is not JSON: ${error.message}.`)
  }
}

/** Items of a text body, one a line; empty lines are none. */
export function readTextItems(text: string): Item[] {
  const items: Item[] = []
  for (const line of text.split('\n')) {
    const value = line.trimEnd()
    if (value.trim() === '') continue
    const faults = new Faults()
    if (value.includes('\0')) faults.add('INVALID_VALUE', [], 'text must be UTF-8 without NUL')
    if (isTooLarge(value)) faults.add('EXCEEDS_MAX_LENGTH', [], tooLarge)
    push(items, [{ value, faults: faults.list }])
  }
  if (items.length === 0) throw new UnreadableBody('EMPTY', 'The body is empty.')
  return items
}

const tooLarge = `an item is at most ${MAX_ITEM_BYTES} bytes`

/** True when the item was refused for its size alone. */
export const isSizeFault = (fault: FieldError): boolean => fault.code === 'EXCEEDS_MAX_LENGTH' && fault.pointer === ''

function expand(reader: JsonReader, value: Json, text: string): Item[] {
  const faults = reader.faults.list
  const records = recordsOf(value)
  if (records === undefined) {
    const own = new Faults()
    own.list.push(...faults)
    if (reader.depthSeen > MAX_ITEM_DEPTH) addDepthFault(own, value)
    if (isTooLarge(text)) own.add('EXCEEDS_MAX_LENGTH', [], tooLarge)
    return [{ value, faults: own.list, ...(reader.sawBigNumber ? { text } : {}) }]
  }
  const large = isTooLarge(text)
  return records.map((record, index) => {
    const own = new Faults()
    const prefix = pointerOf(['Records', index])
    for (const { pointer, ...rest } of faults) {
      if (pointer.startsWith(`${prefix}/`) || pointer === prefix)
        own.list.push({ ...rest, pointer: pointer.slice(prefix.length) })
      else if (!pointer.startsWith('/Records/')) own.list.push({ ...rest, pointer })
    }
    if (reader.depthSeen > MAX_ITEM_DEPTH) addDepthFault(own, record)
    if (large && isTooLarge(JSON.stringify(record))) own.add('EXCEEDS_MAX_LENGTH', [], tooLarge)
    return { value: record, faults: own.list }
  })
}

/** CloudTrail delivers `{ "Records": [ … ] }`. */
function recordsOf(value: Json): Json[] | undefined {
  if (!isObject(value)) return undefined
  return Object.hasOwn(value, 'Records') && Array.isArray(value['Records']) ? value['Records'] : undefined
}

function push(items: Item[], more: readonly Item[]): void {
  if (items.length + more.length > MAX_ITEMS)
    throw new UnreadableBody('TOO_MANY_ITEMS', `A request holds at most ${MAX_ITEMS} events.`)
  for (const item of more) items.push(item)
}

/** `value` is at most MAX_ITEM_DEPTH + ENVELOPE_DEPTH deep, so this recursion is bounded. */
function addDepthFault(faults: Faults, value: Json): void {
  if (faults.list.some(({ code }) => code === 'EXCEEDS_MAX_DEPTH')) return
  const path: (string | number)[] = []
  const tooDeep = (node: Json, depth: number): boolean => {
    if (typeof node !== 'object' || node === null) return false
    if (depth > MAX_ITEM_DEPTH) return true
    return Object.entries(node).some(([key, child]) => {
      path.push(key)
      if (tooDeep(child, depth + 1)) return true
      path.pop()
      return false
    })
  }
  if (tooDeep(value, 1)) faults.add('EXCEEDS_MAX_DEPTH', path, `an item is nested at most ${MAX_ITEM_DEPTH} deep`)
}

/** UTF-8 takes at most 3 bytes for a UTF-16 unit, so most texts need no counting. */
const isTooLarge = (text: string): boolean => text.length * 3 > MAX_ITEM_BYTES && Buffer.byteLength(text) > MAX_ITEM_BYTES

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function nextNewline(text: string, from: number): number {
  const at = text.indexOf('\n', from)
  return at === -1 ? text.length : at
}
