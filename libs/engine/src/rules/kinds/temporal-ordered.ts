import type { SigmaCorrelation } from '@tocsin/sigma'
import type { Refuse } from '../refusal.ts'
import { PLAIN, type RuleCondition } from '../rule-condition.ts'

/** `temporal_ordered`: an event of each rule, in the order of the list (docs/detection.md D44). */
export function temporalOrdered({ correlation }: SigmaCorrelation, refuse: Refuse): RuleCondition {
  const { rules, condition, expression } = correlation
  if (condition.length > 0 || expression !== null)
    refuse(['correlation', 'condition'], 'A correlation of type temporal_ordered has no condition: every rule, in order.')
  return { ...PLAIN, unit: 'steps', atLeast: rules.length }
}
