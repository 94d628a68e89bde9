import type { SigmaCorrelation } from '@tocsin/sigma'
import { PLAIN, type RuleCondition } from '../rule-condition.ts'
import { comparisonOf, leastOf } from './comparisons.ts'

/** `event_count`: how many events. A window that nothing is in never holds, so at least 1. */
export function eventCount({ correlation }: SigmaCorrelation): RuleCondition {
  const comparison = comparisonOf(correlation.condition)
  return comparison.decided === 'at once'
    ? { ...PLAIN, unit: 'events', atLeast: Math.max(1, leastOf(comparison)) }
    : { ...PLAIN, unit: 'events', atLeast: comparison.value, settled: comparison.settled }
}
