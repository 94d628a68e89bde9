import type { EventFields } from './field-reader.ts'

/** Field → lower-cased texts, one of which its value must be for the predicate to hold. */
export type ExactTexts = ReadonlyMap<string, ReadonlySet<string>>

/** A compiled part of a detection: what it needs, and the closure that decides. */
export interface Predicate {
  readonly test: (event: EventFields) => boolean
  readonly fields: readonly string[]
  readonly exact: ExactTexts
}

const NOTHING: ExactTexts = new Map()

export const leaf = (
  fields: readonly string[],
  test: (event: EventFields) => boolean,
  exact: ExactTexts = NOTHING,
): Predicate => ({
  test,
  fields,
  exact,
})

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
  return { test, fields: parts.flatMap((part) => part.fields), exact: both(parts.map((part) => part.exact)) }
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
  return { test, fields: parts.flatMap((part) => part.fields), exact: either(parts.map((part) => part.exact)) }
}

export function not(part: Predicate): Predicate {
  return { test: (event) => !part.test(event), fields: part.fields, exact: NOTHING }
}

/** Where two conditions name the same field, the smaller set is kept: an array may meet each with another element. */
function both(sides: readonly ExactTexts[]): ExactTexts {
  const joined = new Map<string, ReadonlySet<string>>()
  for (const [field, texts] of sides.flatMap((side) => [...side])) {
    const before = joined.get(field)
    if (before === undefined || texts.size < before.size) joined.set(field, texts)
  }
  return joined
}

function either(sides: readonly ExactTexts[]): ExactTexts {
  const joined = new Map<string, ReadonlySet<string>>()
  for (const field of sides[0]?.keys() ?? []) {
    const sets = sides.map((side) => side.get(field))
    if (sets.every((set) => set !== undefined)) joined.set(field, new Set(sets.flatMap((set) => [...set])))
  }
  return joined
}
