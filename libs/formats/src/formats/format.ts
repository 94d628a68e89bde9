import { createHash } from 'node:crypto'
import type { AuditEvent, FieldError } from '@tocsin/contracts'
import { type Faults, fault } from '../faults.ts'
import type { Json, JsonObject } from '../json-reader.ts'
import { readTime } from '../time.ts'

/** What a mapper may know beside the item. */
export interface MapContext {
  /** The organization of the key: an event may name it, by id or slug, and no other. */
  readonly organization: { readonly organizationId: string; readonly slug: string }
  /** Arrival, ms since 1970. */
  readonly now: number
  /** sshd: year of stamps without one. */
  readonly year?: number | undefined
  /** sshd: IANA zone of stamps without one; default UTC. */
  readonly zone?: string | undefined
}

type SetByIngest = 'organizationId' | 'receivedAt' | 'integrity' | 'idConflict' | 'raw' | 'source' | 'id'
type Decided = 'outcome' | 'category' | 'operation' | 'dataClassification'

/** A canonical event as far as its format knows it; ingest fills in the rest (canonical-event.ts). */
export interface Draft extends Omit<AuditEvent, SetByIngest | Decided>, Partial<Pick<AuditEvent, Decided | 'id'>> {
  readonly source: { readonly name?: string; readonly product?: string; readonly service?: string }
  /** The original as Sigma rules and evidence should see it; default: the item as sent. */
  readonly raw?: JsonObject
  /** What the event says, where that is not the item as sent: sshd, whose lines lack the year. */
  readonly content?: Json
  readonly integrity?: AuditEvent['integrity']
}

export type Mapped = { readonly draft: Draft } | { readonly faults: readonly FieldError[] }

/** One source format; a file of its own in this folder. */
export interface Format {
  readonly name: string
  /** How a body is cut into items. */
  readonly body: 'json' | 'lines'
  /** Whether an item of unnamed format is of this one, by its signature. */
  recognizes(item: Json): boolean
  /** A mapper for the items of one request, in their order. An item may be several events, or faulty. */
  begin(context: MapContext): (item: Json) => readonly Mapped[]
}

export const rejected = (code: FieldError['code'], path: readonly (string | number)[], detail: string): Mapped => ({
  faults: [fault(code, path, detail)],
})

const CUT_HASH_CHARACTERS = 32

/** Text of a foreign event under the contract's limit: cut, with a hash of the whole, so that two long names do not become one. */
export function fit(text: string, max: number): string {
  if (text.length <= max) return text
  const hash = createHash('sha256').update(text).digest('hex').slice(0, CUT_HASH_CHARACTERS)
  return `${text.slice(0, max - CUT_HASH_CHARACTERS - 1).toWellFormed()}~${hash}`
}

/** The non-blank text at a path of a foreign event, else undefined. */
export function textAt(value: Json | undefined, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path)
  return typeof found === 'string' && found.trim() !== '' ? found : undefined
}

export function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let node = value
  for (const step of path) {
    if (typeof node !== 'object' || node === null || Array.isArray(node) || !Object.hasOwn(node, step)) return undefined
    node = node[step]
  }
  return node
}

/** A non-negative whole number of a foreign event, else undefined. */
export function countAt(value: Json | undefined, ...path: readonly string[]): number | undefined {
  const found = at(value, ...path)
  return typeof found === 'number' && Number.isSafeInteger(found) && found >= 0 ? found : undefined
}

/** The time at a key of a foreign event; a missing or unreadable one is a fault of the item. */
export function requiredTime(item: JsonObject, key: string, faults: Faults): number {
  const text = Object.hasOwn(item, key) ? item[key] : undefined
  if (text === undefined || text === null) faults.add('REQUIRED_FIELD_MISSING', [key], 'the time of the event is required')
  else if (typeof text !== 'string') faults.add('INVALID_TYPE', [key], 'must be text')
  else {
    const reading = readTime(text)
    if ('ms' in reading) return reading.ms
    timeFault(reading.fault, [key], faults)
  }
  return 0
}

export function timeFault(kind: 'format' | 'range', path: readonly (string | number)[], faults: Faults): void {
  if (kind === 'format') faults.add('INVALID_FORMAT', path, 'must be RFC 3339 with a zone, for instance 2026-01-31T08:00:00Z')
  else faults.add('INVALID_VALUE', path, 'must lie between 1970 and 9999')
}
