import type { SigmaCorrelation } from '@tocsin/sigma'
import { PLAIN, type RuleCondition, WHOLE_FIELDS } from '../rule-condition.ts'
import { comparisonOf, leastOf } from './comparisons.ts'

/** `value_sum`: of one field. */
export function valueSum({ correlation }: SigmaCorrelation): RuleCondition {
  const valueFields = correlation.field ?? []
  const comparison = comparisonOf(correlation.condition)
  if (comparison.decided === 'settled')
    return { ...PLAIN, unit: 'sum', valueFields, numbers: 'real', atLeast: comparison.value, settled: comparison.settled }
  if (valueFields.every((field) => WHOLE_FIELDS.has(field)))
    return { ...PLAIN, unit: 'sum', valueFields, atLeast: Math.max(0, leastOf(comparison)) }
  const isStrict = comparison.op === 'gt'
  return { ...PLAIN, unit: 'sum', valueFields, numbers: 'real', atLeast: comparison.value, isStrict }
}
