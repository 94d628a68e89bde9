import type { SigmaCorrelation } from '@tocsin/sigma'
import type { Settled } from '../rule-condition.ts'

type Comparisons = SigmaCorrelation['correlation']['condition']

/** A comparison that more events can only make true, or what has to be settled (docs/detection.md D40). */
export type Comparison =
  | { readonly decided: 'at once'; readonly op: 'gte' | 'gt'; readonly value: number }
  | { readonly decided: 'settled'; readonly value: number; readonly settled: Settled }

/** The threshold of a settled condition is its first comparison's value as written, also of a range. */
export function comparisonOf(condition: Comparisons): Comparison {
  const [first, second] = condition
  if (first === undefined) throw new TypeError('a parsed condition has a comparison')
  const { op, value } = first
  if (second === undefined && (op === 'gte' || op === 'gt')) return { decided: 'at once', op, value }
  return { decided: 'settled', value, settled: { isAhead: false, comparisons: condition } }
}

/** Of integers: `gte n`, or `gt n` as n + 1. */
export const leastOf = ({ op, value }: { readonly op: 'gte' | 'gt'; readonly value: number }): number =>
  op === 'gte' ? Math.ceil(value) : Math.floor(value) + 1
