import { MAX_ARRAY_DEPTH } from './value-test.ts'

/**
 * Reads a field of an event by its name in a rule.
 *
 * 1. Canonical names come first, then the original as the producer sent it, then unknown keys kept under `details`.
 * 2. A literal key that contains dots comes before a path.
 * 3. Only own properties are read: `__proto__`, `constructor` and the like are plain data.
 */

/** The value of a field, undefined where absent. A path through an array gives the array of what its elements hold. */
export type EventFields = (field: string) => unknown

/** What a reader needs of an AuditEvent. */
export interface ReadableEvent {
  readonly sessionContext?: unknown
  readonly details?: unknown
  readonly raw?: unknown
}

/** Reading this name gives every text of the event, for keyword searches. NUL never occurs in a stored event. */
export const ALL_TEXT = '\u0000all-text'

/** Names by which groups call parts of the session (detection.md §3). */
const SESSION_FIELDS: ReadonlySet<string> = new Set(['ipAddress', 'sessionId'])

export function fieldReader(event: ReadableEvent): EventFields {
  return (field) => {
    if (field === ALL_TEXT) return allText(event)
    let value = valueAt(event, field)
    if (value === undefined && SESSION_FIELDS.has(field)) value = valueAt(event.sessionContext, field)
    if (value === undefined && event.raw !== undefined) value = valueAt(event.raw, field)
    if (value === undefined && event.details !== undefined) value = valueAt(event.details, field)
    return value
  }
}

/** Reads a document as it is: no names of ours, no original below it. Paths are followed once, because many rules name the same. */
export function plainReader(data: unknown): EventFields {
  let known: Map<string, unknown> | undefined
  return (field) => {
    if (field === ALL_TEXT) return allText(data)
    if (!field.includes('.')) return valueAt(data, field)
    known ??= new Map()
    let value = known.get(field)
    if (value === undefined && !known.has(field)) {
      value = valueAt(data, field)
      known.set(field, value)
    }
    return value
  }
}

/** (2.) The longest literal key wins, so `a.b` before `a` → `b`. */
function valueAt(data: unknown, field: string, depth = 0): unknown {
  if (typeof data !== 'object' || data === null) return undefined
  if (Array.isArray(data)) return depth < MAX_ARRAY_DEPTH ? valueInElements(data, field, depth + 1) : undefined
  if (Object.hasOwn(data, field)) return (data as Record<string, unknown>)[field]
  if (!field.includes('.')) return undefined
  for (const { key, rest } of waysOf(field)) {
    if (!Object.hasOwn(data, key)) continue
    const value = valueAt((data as Record<string, unknown>)[key], rest, depth)
    if (value !== undefined) return value
  }
  return undefined
}

interface Way {
  readonly key: string
  readonly rest: string
}

const NO_WAYS: readonly Way[] = []
/** Ways of the names that rules use; forgotten together, should they ever be so many. */
const knownWays = new Map<string, readonly Way[]>()
const MAX_KNOWN_WAYS = 100_000

/** How a dotted name can be read as a key and a path below it, the longest key first. */
function waysOf(field: string): readonly Way[] {
  let ways = knownWays.get(field)
  if (ways !== undefined) return ways
  ways = NO_WAYS
  for (let dot = field.lastIndexOf('.'); dot > 0; dot = field.lastIndexOf('.', dot - 1))
    ways = [...ways, { key: field.slice(0, dot), rest: field.slice(dot + 1) }]
  if (knownWays.size >= MAX_KNOWN_WAYS) knownWays.clear()
  knownWays.set(field, ways)
  return ways
}

/** Absent where no element has it; an element's empty array is there, with nothing in it. */
function valueInElements(elements: readonly unknown[], field: string, depth: number): unknown {
  let found: unknown[] | undefined
  for (const element of elements) {
    const value = valueAt(element, field, depth)
    if (value === undefined) continue
    found ??= []
    if (Array.isArray(value)) for (const each of value) found.push(each)
    else found.push(value)
  }
  return found
}

/** Texts of the whole event, canonical and original; a stack instead of recursion, because nesting is the producer's choice. */
function allText(event: unknown): string[] {
  const texts: string[] = []
  const left: unknown[] = [event]
  while (left.length > 0) {
    const value = left.pop()
    if (typeof value === 'string') texts.push(value)
    else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) left.push(part)
  }
  return texts
}
