import type { EventFields } from './field-reader.ts'
import type { ExactTexts } from './predicate.ts'
import { anyElement, lowerCased, textOf } from './value-test.ts'

/** Texts of a field that are remembered as they come; names and words are few. */
const MOST_KNOWN = 1_000

interface ByText<T> {
  readonly field: string
  /** By lower-cased text. */
  readonly rules: ReadonlyMap<string, readonly T[]>
  /** By text as it came: making it lower case costs more than finding it. */
  readonly known: Map<string, readonly T[]>
}

/**
 * Picks, by exact values of an event, the rules that may match it: a thousand rules that cannot cost a few look-ups.
 *
 * 1. Each rule lies under one of its fields: that which tells most rules apart.
 * 2. Every rule whose `exact` conditions the event meets is picked; others may be. A rule without any is always picked.
 */
export class RuleIndex<T> {
  readonly #byField: readonly ByText<T>[]
  readonly #always: readonly T[]

  constructor(rules: Iterable<readonly [exact: ExactTexts, rule: T]>) {
    const all = [...rules]
    const distinct = new Map<string, Set<string>>()
    for (const [exact] of all) {
      for (const [field, texts] of exact) {
        const seen = distinct.get(field) ?? new Set()
        for (const text of texts) seen.add(text)
        distinct.set(field, seen)
      }
    }
    const byField = new Map<string, Map<string, T[]>>()
    const always: T[] = []
    for (const [exact, rule] of all) {
      const fields = [...exact.keys()].sort((a, b) => (distinct.get(b)?.size ?? 0) - (distinct.get(a)?.size ?? 0))
      const [field] = fields
      if (field === undefined) {
        always.push(rule)
        continue
      }
      const byText = byField.get(field) ?? new Map<string, T[]>()
      byField.set(field, byText)
      for (const text of exact.get(field) ?? []) byText.set(text, [...(byText.get(text) ?? []), rule])
    }
    this.#byField = [...byField].map(([field, byText]) => ({ field, rules: byText, known: new Map() }))
    this.#always = always
  }

  /** Each rule at most once; in no particular order. */
  candidates(event: EventFields): readonly T[] {
    let found: readonly T[] = this.#always
    for (const byText of this.#byField) {
      const value = event(byText.field)
      if (value === undefined || value === null) continue
      const picked = Array.isArray(value) ? pickedByElements(byText.rules, value) : pickedBy(byText, value)
      if (picked.length > 0) found = found.length === 0 ? picked : [...found, ...picked]
    }
    return found
  }
}

function pickedBy<T>({ rules, known }: ByText<T>, value: unknown): readonly T[] {
  if (typeof value !== 'string') return rules.get(keyOf(value)) ?? []
  const before = known.get(value)
  if (before !== undefined) return before
  const picked = rules.get(keyOf(value)) ?? []
  if (known.size < MOST_KNOWN) known.set(value, picked)
  return picked
}

const keyOf = (value: unknown): string => lowerCased(textOf(value) ?? '')

/** Elements may be arrays themselves, as for any plain field. */
function pickedByElements<T>(byText: ReadonlyMap<string, readonly T[]>, elements: readonly unknown[]): T[] {
  const found = new Set<T>()
  const pick = anyElement((value) => {
    for (const rule of byText.get(keyOf(value)) ?? []) found.add(rule)
    return false
  })
  pick(elements)
  return [...found]
}
