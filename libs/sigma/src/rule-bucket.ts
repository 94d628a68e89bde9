import type { EventFields } from './field-reader.ts'
import type { TextNeeds } from './predicate.ts'
import { lowerCased, textOf } from './value-test.ts'

/** More texts, or longer ones, make another expression: there is a limit to what one may hold. */
const MOST_TEXTS = 200
const MOST_LENGTH = 64

/** Rules that need one of many texts in the same field, asked for all of them at once. */
interface Gate<T> {
  readonly field: string
  /** Any of the texts; without repetitions, so it runs in time linear in the event's text. */
  readonly anyText: RegExp
  readonly rules: readonly T[]
}

/** Rules that an index does not tell apart any further, but by the texts that they need somewhere in a field. */
export class RuleBucket<T> {
  readonly #always: readonly T[]
  readonly #gates: readonly Gate<T>[]

  constructor(rules: readonly (readonly [needs: TextNeeds, rule: T])[]) {
    const always: T[] = []
    const waiting = new Map<string, { rules: T[]; texts: Set<string> }>()
    const gates: Gate<T>[] = []
    const close = (field: string): void => {
      const gate = waiting.get(field)
      if (gate !== undefined) gates.push({ field, anyText: anyOf(gate.texts), rules: gate.rules })
      waiting.delete(field)
    }
    for (const [{ contained }, rule] of rules) {
      const [first] = contained
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
    this.#always = always
    this.#gates = gates
  }

  /** Every rule whose needs the event meets; others may be among them. */
  candidates(event: EventFields): readonly T[] {
    let found = this.#always
    for (const { field, anyText, rules } of this.#gates) {
      const value = event(field)
      // Elements of an array are not looked into: the rules do.
      if (Array.isArray(value) || anyText.test(lowerCased(textOf(value) ?? '')))
        found = found.length === 0 ? rules : [...found, ...rules]
    }
    return found
  }
}

const anyOf = (texts: ReadonlySet<string>): RegExp => new RegExp([...texts].map(escaped).join('|'))

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
