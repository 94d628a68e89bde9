/** A decimal number as it may stand in a rule or in an event; `whole` is kept where a double would lose digits. */
export interface ParsedNumber {
  readonly value: number
  readonly whole?: bigint
}

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i
const WHOLE = /^[+-]?\d+$/
/** Longer digits are names, not quantities; it also bounds the work of BigInt. */
const MAX_DIGITS = 400

/** undefined where the value is not a finite decimal number. */
export function parseNumber(value: unknown): ParsedNumber | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? { value } : undefined
  if (typeof value !== 'string' || value === '' || value.length > MAX_DIGITS || !DECIMAL.test(value)) return undefined
  const number = Number(value)
  if (!Number.isFinite(number)) return undefined
  return !Number.isSafeInteger(number) && WHOLE.test(value) ? { value: number, whole: BigInt(value) } : { value: number }
}

/** Below zero, zero or above zero, as for sorting. Whole numbers beyond 2^53 are compared exactly where both sides have their digits. */
export function compareNumbers(a: ParsedNumber, b: ParsedNumber): number {
  if (a.whole !== undefined && b.whole !== undefined) return a.whole < b.whole ? -1 : a.whole > b.whole ? 1 : 0
  return a.value - b.value
}
