import { type Explain, seen } from './explanation.ts'
import type { EventFields } from './field-reader.ts'

/** Field → lower-cased texts. */
export type TextsByField = ReadonlyMap<string, ReadonlySet<string>>

/** What an event needs, for an index: it matches only if each field listed has it (of an array, one element). Empty: nothing is known. */
export interface EventNeeds {
  /** The value as lower-cased text is one of these. */
  readonly exact: TextsByField
  /** The value as lower-cased text contains one of these. */
  readonly contained: TextsByField
  /** The field is there. */
  readonly present: ReadonlySet<string>
}

/** A compiled part of a detection: what it needs, and the closure that decides. */
export interface Predicate extends EventNeeds {
  readonly test: (event: EventFields) => boolean
  readonly fields: readonly string[]
  /** Slow: for people. */
  readonly explain: Explain
}

const NOTHING: TextsByField = new Map()
const NO_FIELDS: ReadonlySet<string> = new Set()

export const leaf = (
  fields: readonly string[],
  test: (event: EventFields) => boolean,
  { exact = NOTHING, contained = NOTHING, present = NO_FIELDS }: Partial<EventNeeds> = {},
): Predicate => ({
  test,
  fields,
  exact,
  contained,
  present,
  explain: (event) => ({ text: fields.join(', '), holds: test(event), why: seen(event, fields), parts: [] }),
})

/** Explained as one node that says what the event has in the fields it looks at; `more`: what can be said beside that. */
export function told(text: string, part: Predicate, more?: (event: EventFields) => string): Predicate {
  const explain: Explain = (event) => {
    const why = [seen(event, part.fields), more?.(event) ?? ''].filter((each) => each !== '')
    return { text, holds: part.test(event), why: why.join(': '), parts: [] }
  }
  return { ...part, explain }
}

/** Explained under a name. */
export function named(name: string, part: Predicate): Predicate {
  const explain: Explain = (event) => {
    const inner = part.explain(event)
    const isGroup = inner.parts.length > 1
    return {
      text: isGroup ? `${name}: ${inner.text}` : name,
      holds: inner.holds,
      why: '',
      parts: isGroup ? inner.parts : [inner],
    }
  }
  return { ...part, explain }
}

const together =
  (text: string, test: Predicate['test'], parts: readonly Predicate[]): Explain =>
  (event) => ({ text, holds: test(event), why: '', parts: parts.map((part) => part.explain(event)) })

export function allOf(parts: readonly Predicate[]): Predicate {
  const [first, second] = parts
  if (first !== undefined && parts.length === 1) return first
  const tests = parts.map((part) => part.test)
  const test =
    parts.length === 2 && first !== undefined && second !== undefined
      ? (event: EventFields) => first.test(event) && second.test(event)
      : (event: EventFields) => {
          for (const each of tests) if (!each(event)) return false
          return true
        }
  return {
    test,
    fields: parts.flatMap((part) => part.fields),
    exact: both(parts.map((part) => part.exact)),
    contained: both(parts.map((part) => part.contained)),
    present: new Set(parts.flatMap((part) => [...part.present])),
    explain: together('all of', test, parts),
  }
}

export function anyOf(parts: readonly Predicate[]): Predicate {
  const [first, second] = parts
  if (first !== undefined && parts.length === 1) return first
  const tests = parts.map((part) => part.test)
  const test =
    parts.length === 2 && first !== undefined && second !== undefined
      ? (event: EventFields) => first.test(event) || second.test(event)
      : (event: EventFields) => {
          for (const each of tests) if (each(event)) return true
          return false
        }
  return {
    test,
    fields: parts.flatMap((part) => part.fields),
    exact: either(parts.map((part) => part.exact)),
    contained: either(parts.map((part) => part.contained)),
    present: inAll(parts.map((part) => part.present)),
    explain: together('any of', test, parts),
  }
}

export function not(part: Predicate): Predicate {
  const test = (event: EventFields) => !part.test(event)
  const explain = together('not', test, [part])
  return { test, fields: part.fields, exact: NOTHING, contained: NOTHING, present: NO_FIELDS, explain }
}

/** Where two conditions name the same field, the smaller set is kept: an array may meet each with another element. */
function both(sides: readonly TextsByField[]): TextsByField {
  const joined = new Map<string, ReadonlySet<string>>()
  for (const [field, texts] of sides.flatMap((side) => [...side])) {
    const before = joined.get(field)
    if (before === undefined || texts.size < before.size) joined.set(field, texts)
  }
  return joined
}

/** The fields that all sides need. */
export function inAll([first = NO_FIELDS, ...others]: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return new Set([...first].filter((field) => others.every((other) => other.has(field))))
}

/** What all sides need, of any of them. */
export function either(sides: readonly TextsByField[]): TextsByField {
  const joined = new Map<string, ReadonlySet<string>>()
  for (const field of sides[0]?.keys() ?? []) {
    const sets = sides.map((side) => side.get(field))
    if (sets.every((set) => set !== undefined)) joined.set(field, new Set(sets.flatMap((set) => [...set])))
  }
  return joined
}
