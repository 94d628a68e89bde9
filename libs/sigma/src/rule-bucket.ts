import type { EventFields } from './field-reader.ts'
import type { EventNeeds } from './predicate.ts'
import { lowerCased, textOf } from './value-test.ts'

/** More texts, or longer ones, make another expression: there is a limit to what one may hold. */
const MOST_TEXTS = 200
const MOST_LENGTH = 64

/** Rules that need something of the same field, asked for all of them at once. */
interface Gate<T> {
  readonly field: string
  readonly opens: (value: unknown) => boolean
  readonly rules: readonly T[]
}

/**
 * Rules that an index does not tell apart any further, but by the texts that they need somewhere in a field; those that need no text at
 * all, by a field that must be there: most events lack those fields that rules compare with numbers.
 */
export class RuleBucket<T> {
  readonly #always: readonly T[]
  readonly #gates: readonly Gate<T>[]

  constructor(rules: readonly (readonly [needs: EventNeeds, rule: T])[]) {
    const always: T[] = []
    const byField = new Map<string, T[]>()
    const waiting = new Map<string, { rules: T[]; texts: Set<string> }>()
    const gates: Gate<T>[] = []
    const close = (field: string): void => {
      const gate = waiting.get(field)
      if (gate !== undefined) gates.push({ field, opens: hasAny(gate.texts), rules: gate.rules })
      waiting.delete(field)
    }
    for (const [{ exact, contained, present }, rule] of rules) {
      const [first] = contained
      const [needed] = present
      if (first === undefined && exact.size === 0 && needed !== undefined) {
        byField.set(needed, [...(byField.get(needed) ?? []), rule])
        continue
      }
      if (first === undefined || first[1].size > MOST_TEXTS) {
        always.push(rule)
        continue
      }
      const [field, texts] = first
      if ((waiting.get(field)?.texts.size ?? 0) + texts.size > MOST_TEXTS) close(field)
      const gate = waiting.get(field) ?? { rules: [], texts: new Set() }
      waiting.set(field, gate)
      gate.rules.push(rule)
      for (const text of texts) gate.texts.add(text.slice(0, MOST_LENGTH))
    }
    for (const field of [...waiting.keys()]) close(field)
    for (const [field, under] of byField) gates.push({ field, opens: isThere, rules: under })
    this.#always = always
    this.#gates = gates
  }

  /** Every rule whose needs the event meets; others may be among them. */
  candidates(event: EventFields): readonly T[] {
    let found = this.#always
    for (const { field, opens, rules } of this.#gates)
      if (opens(event(field))) found = found.length === 0 ? rules : [...found, ...rules]
    return found
  }
}

const isThere = (value: unknown): boolean => value !== undefined

/** Elements of an array are not looked into: the rules do. */
function hasAny(texts: ReadonlySet<string>): Gate<unknown>['opens'] {
  // Without repetitions, so it runs in time linear in the event's text.
  const anyText = new RegExp([...texts].map(escaped).join('|'))
  return (value) => Array.isArray(value) || anyText.test(lowerCased(textOf(value) ?? ''))
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
