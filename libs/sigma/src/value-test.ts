import { parseAddress } from './network.ts'
import { compareNumbers, type ParsedNumber, parseNumber } from './number-text.ts'
import type { TextTest } from './wildcard.ts'

/** Decides on one value of a field that is present, never on an array. */
export type ValueTest = (value: unknown) => boolean

/** Arrays within arrays are looked into so far; nesting is the producer's choice. */
export const MAX_ARRAY_DEPTH = 64

/** A plain field on an array is true if any element is; an absent field never is. */
export function anyElement(test: ValueTest): ValueTest {
  const any = (value: unknown, depth: number): boolean => {
    if (!Array.isArray(value)) return value !== undefined && test(value)
    if (depth < MAX_ARRAY_DEPTH) for (const element of value) if (any(element, depth + 1)) return true
    return false
  }
  return (value) => (Array.isArray(value) ? any(value, 0) : value !== undefined && test(value))
}

/** Text of a value; undefined for null and for an object, whose parts have names of their own. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : undefined
}

let lastText = ''
let lastLowerCased = ''

/** Many rules look at the same text one after the other. */
export function lowerCased(text: string): string {
  if (text !== lastText) {
    lastLowerCased = text.toLowerCase()
    lastText = text
  }
  return lastLowerCased
}

/** `tests` expect lower-cased text unless `cased`. */
export function textTest(tests: readonly TextTest[], cased: boolean): ValueTest {
  return (value) => {
    const text = textOf(value)
    if (text === undefined) return false
    const compared = cased ? text : lowerCased(text)
    for (const test of tests) if (test(compared)) return true
    return false
  }
}

export interface EqualityLiterals {
  /** Lower-cased unless `cased`. */
  readonly texts: ReadonlySet<string>
  readonly numbers: readonly ParsedNumber[]
  readonly wildcards: readonly TextTest[]
  readonly cased: boolean
}

export function equalityTest({ texts, numbers, wildcards, cased }: EqualityLiterals): ValueTest {
  const byText: ValueTest =
    wildcards.length === 0
      ? (value) => {
          const text = textOf(value)
          return text !== undefined && texts.has(cased ? text : lowerCased(text))
        }
      : textTest([(text) => texts.has(text), ...wildcards], cased)
  if (numbers.length === 0) return byText
  return (value) => {
    const number = parseNumber(value)
    return (number !== undefined && numbers.some((literal) => compareNumbers(number, literal) === 0)) || byText(value)
  }
}

export function comparisonTest(holds: (difference: number) => boolean, limit: ParsedNumber): ValueTest {
  return (value) => {
    if (typeof value === 'number') return Number.isFinite(value) && holds(value - limit.value)
    const number = parseNumber(value)
    return number !== undefined && holds(compareNumbers(number, limit))
  }
}

export function networkTest(networks: readonly ((address: readonly number[]) => boolean)[]): ValueTest {
  return (value) => {
    const address = typeof value === 'string' ? parseAddress(value) : undefined
    return address !== undefined && networks.some((contains) => contains(address))
  }
}

/** Two fields' values: as numbers when both parse, else as text. */
export function samePair(
  compare: (a: string, b: string) => boolean,
  numeric: boolean,
  cased: boolean,
): (a: unknown, b: unknown) => boolean {
  return (a, b) => {
    if (numeric) {
      const [x, y] = [parseNumber(a), parseNumber(b)]
      if (x !== undefined && y !== undefined && compareNumbers(x, y) === 0) return true
    }
    const [left, right] = [textOf(a), textOf(b)]
    if (left === undefined || right === undefined) return false
    return cased ? compare(left, right) : compare(left.toLowerCase(), right.toLowerCase())
  }
}
