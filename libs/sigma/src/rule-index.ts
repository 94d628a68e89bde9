import type { EventFields } from './field-reader.ts'
import type { EventNeeds } from './predicate.ts'
import { RuleBucket } from './rule-bucket.ts'
import { anyElement, lowerCased, textOf } from './value-test.ts'

/** Texts of a field that are remembered as they come; names and words are few. */
const MOST_KNOWN = 1_000

interface ByText<T> {
  readonly field: string
  /** By lower-cased text. */
  readonly rules: ReadonlyMap<string, RuleBucket<T>>
  /** By text as it came: making it lower case costs more than finding it. */
  readonly known: Map<string, RuleBucket<T> | null>
}

/**
 * Picks, by texts of an event, the rules that may match it: a thousand rules that cannot cost a few look-ups.
 *
 * 1. Each rule lies under one of its fields: that which tells most rules apart.
 * 2. Every rule whose needs the event meets is picked; others may be. A rule without any is always picked.
 */
export class RuleIndex<T> {
  readonly #byField: readonly ByText<T>[]
  readonly #others: RuleBucket<T>

  constructor(rules: Iterable<readonly [needs: EventNeeds, rule: T]>) {
    const all = [...rules]
    const distinct = new Map<string, Set<string>>()
    for (const [{ exact }] of all) {
      for (const [field, texts] of exact) {
        const seen = distinct.get(field) ?? new Set()
        for (const text of texts) seen.add(text)
        distinct.set(field, seen)
      }
    }
    const byField = new Map<string, Map<string, (readonly [EventNeeds, T])[]>>()
    const others: (readonly [EventNeeds, T])[] = []
    for (const each of all) {
      const [{ exact }] = each
      const fields = [...exact.keys()].sort((a, b) => (distinct.get(b)?.size ?? 0) - (distinct.get(a)?.size ?? 0))
      const [field] = fields
      if (field === undefined) {
        others.push(each)
        continue
      }
      const byText = byField.get(field) ?? new Map<string, (readonly [EventNeeds, T])[]>()
      byField.set(field, byText)
      for (const text of exact.get(field) ?? []) byText.set(text, [...(byText.get(text) ?? []), each])
    }
    this.#byField = [...byField].map(([field, byText]) => ({
      field,
      rules: new Map([...byText].map(([text, under]) => [text, new RuleBucket(under)])),
      known: new Map(),
    }))
    this.#others = new RuleBucket(others)
  }

  /** Each rule at most once; in no particular order. */
  candidates(event: EventFields): readonly T[] {
    let found = this.#others.candidates(event)
    for (const byText of this.#byField) {
      const value = event(byText.field)
      if (value === undefined || value === null) continue
      const picked = Array.isArray(value)
        ? pickedByElements(byText.rules, value, event)
        : (bucketOf(byText, value)?.candidates(event) ?? [])
      if (picked.length > 0) found = found.length === 0 ? picked : [...found, ...picked]
    }
    return found
  }
}

function bucketOf<T>({ rules, known }: ByText<T>, value: unknown): RuleBucket<T> | null {
  if (typeof value !== 'string') return rules.get(keyOf(value)) ?? null
  const before = known.get(value)
  if (before !== undefined) return before
  const bucket = rules.get(keyOf(value)) ?? null
  if (known.size < MOST_KNOWN) known.set(value, bucket)
  return bucket
}

const keyOf = (value: unknown): string => lowerCased(textOf(value) ?? '')

/** Elements may be arrays themselves, as for any plain field. */
function pickedByElements<T>(byText: ReadonlyMap<string, RuleBucket<T>>, elements: readonly unknown[], event: EventFields): T[] {
  const found = new Set<T>()
  const pick = anyElement((value) => {
    for (const rule of byText.get(keyOf(value))?.candidates(event) ?? []) found.add(rule)
    return false
  })
  pick(elements)
  return [...found]
}
