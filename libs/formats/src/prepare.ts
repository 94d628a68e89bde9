/** From a body's text to canonical events, item by item: pure, no clock, no I/O. */
import type { AuditEvent, FieldError } from '@tocsin/contracts'
import { complete, MAX_EVENT_BYTES } from './canonical-event.ts'
import { fault } from './faults.ts'
import type { Format, MapContext, Mapped } from './formats/format.ts'
import { FORMATS } from './formats/index.ts'
import { integrityOf } from './integrity.ts'
import { type Item, isObject, MAX_ITEMS, readJsonItems, readTextItems, type Steps, UnreadableBody } from './items.ts'
import type { Json } from './json-reader.ts'

export type Body =
  /** `lines`: declared as NDJSON, so that a bad line is rejected by itself. */
  | { readonly kind: 'json'; readonly text: string; readonly lines: boolean }
  | { readonly kind: 'text'; readonly text: string }
  /** Items that were cut before, for instance one CloudEvent of a request in binary mode. */
  | { readonly kind: 'items'; readonly items: readonly Item[] }

export interface PrepareOptions {
  readonly body: Body
  /** Undefined: recognized by signature. */
  readonly format?: Format | undefined
  readonly context: MapContext
  /** The only source name that the key may send as. */
  readonly boundSource?: string | undefined
  /** Trace of the request or record, for events that bring none. */
  readonly traceparent?: string | undefined
  /** Identity of an event without one, by its index; default: the hash of what it says. */
  readonly fallbackId?: ((index: number, alone: boolean) => string) | undefined
}

/** One event ready to be written. */
export interface PreparedEvent {
  readonly id: string
  readonly event: AuditEvent
  /** The event as JSON, UTF-8. */
  readonly value: Buffer
  /** SHA-256 of what the event says, hex. */
  readonly contentHash: string
  readonly traceparent: string | undefined
}

/** What became of one item: its events (several for a repeated message), or why it was rejected. */
export type PreparedItem = { readonly events: readonly PreparedEvent[] } | { readonly faults: readonly FieldError[] }

/** One entry for each item, in order. Throws UnreadableBody. */
export function* prepare(options: PrepareOptions): Steps<PreparedItem[]> {
  const items = yield* itemsOf(options.body)
  const mapperOf = createMapperChoice(options, items)
  const prepared: PreparedItem[] = []
  let count = 0
  for (const [index, item] of items.entries()) {
    const one = prepareItem(item, index, items.length === 1, mapperOf, options)
    if ('events' in one) count += one.events.length
    if (count > MAX_ITEMS) throw new UnreadableBody('TOO_MANY_ITEMS', `A request holds at most ${MAX_ITEMS} events.`)
    prepared.push(one)
    yield
  }
  return prepared
}

function* itemsOf(body: Body): Steps<readonly Item[]> {
  if (body.kind === 'items') return body.items
  return body.kind === 'json' ? yield* readJsonItems(body.text, { lines: body.lines }) : readTextItems(body.text)
}

function prepareItem(
  item: Item,
  index: number,
  alone: boolean,
  mapperOf: (item: Json) => Mapper | undefined,
  options: PrepareOptions,
): PreparedItem {
  if (item.faults.length > 0) return { faults: item.faults }
  const format = mapperOf(item.value)
  if (format === undefined) return { faults: [fault('UNKNOWN_FORMAT', [], 'is of no known format; name it with ?format=')] }
  const events: PreparedEvent[] = []
  for (const mapped of format.map(item.value)) {
    const event = prepareEvent(mapped, item, format.name, index, alone, options)
    if ('faults' in event) return { faults: event.faults }
    events.push(event)
  }
  return { events }
}

interface Mapper {
  readonly name: string
  readonly map: (item: Json) => readonly Mapped[]
}

/** By name where one is given; else lines of text are all of the format that knows one of them, and JSON items each of their own. */
function createMapperChoice(
  { format, context, body }: PrepareOptions,
  items: readonly Item[],
): (item: Json) => Mapper | undefined {
  const begun = new Map<Format, Mapper>()
  const begin = (chosen: Format | undefined): Mapper | undefined => {
    if (chosen === undefined) return undefined
    let mapper = begun.get(chosen)
    if (mapper === undefined) {
      mapper = { name: chosen.name, map: chosen.begin(context) }
      begun.set(chosen, mapper)
    }
    return mapper
  }
  if (format !== undefined) return () => begin(format)
  if (body.kind === 'text') {
    const common = FORMATS.find(
      (candidate) => candidate.body === 'lines' && items.some(({ value }) => candidate.recognizes(value)),
    )
    return () => begin(common)
  }
  return (item) => begin(FORMATS.find((candidate) => candidate.body === 'json' && candidate.recognizes(item)))
}

function prepareEvent(
  mapped: Mapped,
  item: Item,
  formatName: string,
  index: number,
  alone: boolean,
  options: PrepareOptions,
): PreparedEvent | { readonly faults: readonly FieldError[] } {
  if ('faults' in mapped) return mapped
  const draft =
    mapped.draft.integrity === 'violated' && item.text !== undefined
      ? { ...mapped.draft, integrity: integrityOfText(item.text) }
      : mapped.draft
  const completed = complete(draft, item.value, {
    format: formatName,
    context: options.context,
    boundSource: options.boundSource,
    fallbackId: options.fallbackId?.(index, alone),
  })
  if ('faults' in completed) return completed
  const { event, contentHash } = completed
  const value = Buffer.from(JSON.stringify(event))
  if (value.length > MAX_EVENT_BYTES)
    return { faults: [fault('EXCEEDS_MAX_LENGTH', [], `as a canonical event it would have more than ${MAX_EVENT_BYTES} bytes`)] }
  return { id: event.id, event, value, contentHash, traceparent: event.traceparent ?? options.traceparent }
}

/** The producer hashed its numbers as JSON has them; we hold large ones as text. The text was read before, so it is safe to parse. */
function integrityOfText(text: string): AuditEvent['integrity'] {
  const sent: unknown = JSON.parse(text)
  return isObject(sent as Json) ? integrityOf(sent as Record<string, Json>) : 'violated'
}
