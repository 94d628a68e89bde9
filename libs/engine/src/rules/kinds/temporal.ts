import type { RulesExpression, SigmaCorrelation } from '@tocsin/sigma'
import { type PartsExpression, PLAIN, type RuleCondition } from '../rule-condition.ts'
import { comparisonOf, leastOf } from './comparisons.ts'

/** `temporal`: which of the rules have events in the window (docs/detection.md D44). */
export function temporal({ correlation }: SigmaCorrelation): RuleCondition {
  const { rules, condition, expression } = correlation
  if (expression !== null) {
    const settled = expression.isNegated ? { isAhead: true, comparisons: [] } : null
    return { ...PLAIN, unit: 'rules', atLeast: rules.length, settled, expression: overParts(expression, rules) }
  }
  if (condition.length === 0) return { ...PLAIN, unit: 'rules', atLeast: rules.length }
  const comparison = comparisonOf(condition)
  return comparison.decided === 'at once'
    ? { ...PLAIN, unit: 'rules', atLeast: Math.max(1, leastOf(comparison)) }
    : { ...PLAIN, unit: 'rules', atLeast: comparison.value, settled: comparison.settled }
}

function overParts(expression: RulesExpression, rules: readonly string[]): PartsExpression {
  const places = new Map(rules.map((rule, place) => [rule, place]))
  return {
    text: expression.text,
    holds: (parts) => expression.holds((rule) => ((parts >>> (places.get(rule) as number)) & 1) === 1),
  }
}
