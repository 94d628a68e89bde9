import type { SigmaCorrelation } from '@tocsin/sigma'
import { PLAIN, type RuleCondition } from '../rule-condition.ts'
import { comparisonOf, leastOf } from './comparisons.ts'

/** `value_count`: how many different values of a field, or tuples of several. */
export function valueCount({ correlation }: SigmaCorrelation): RuleCondition {
  const valueFields = correlation.field ?? []
  const comparison = comparisonOf(correlation.condition)
  return comparison.decided === 'at once'
    ? { ...PLAIN, unit: 'distinct', valueFields, atLeast: Math.max(1, leastOf(comparison)) }
    : { ...PLAIN, unit: 'distinct', valueFields, atLeast: comparison.value, settled: comparison.settled }
}
