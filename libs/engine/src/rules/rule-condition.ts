import type { CorrelationCondition } from '@tocsin/sigma'
import type { Unit } from './requirement.ts'

/** What a rule counts of a window and when that is enough, as far as the rule file says. */
export interface RuleCondition {
  readonly unit: Unit
  /** The threshold, as alerts show it. Conditions that are decided at once hold from it on. */
  readonly atLeast: number
  /** A sum that must be above the threshold, not at it: only where sums have fractions. */
  readonly isStrict: boolean
  /** Null: decided at once, by every event (docs/detection.md D40). */
  readonly settled: Settled | null
  /** Rules that must be there, as bits in the order of the list; null where their number decides, or nothing of the kind. */
  readonly expression: PartsExpression | null
  /** The fields whose values are counted or summed. */
  readonly valueFields: readonly string[]
  /** `whole`: integers >= 0. `real`: any numbers, summed in order of (t, id). */
  readonly numbers: 'whole' | 'real'
}

/** Integers by contract (contracts: AuditEvent). */
export const WHOLE_FIELDS: ReadonlySet<string> = new Set(['recordCount', 'bytes'])

/** A condition that more events may make false: decided once for each event time. */
export interface Settled {
  /** The window is `[t, t + span)` in place of `(t - span, t]`. */
  readonly isAhead: boolean
  /** All of them hold of the window's value; empty where an expression decides. */
  readonly comparisons: readonly CorrelationCondition[]
}

export interface PartsExpression {
  readonly text: string
  /** @param parts a bit for each rule of which events are in the window */
  holds(parts: number): boolean
}

export const PLAIN = {
  isStrict: false,
  settled: null,
  expression: null,
  valueFields: [],
  numbers: 'whole',
} as const satisfies Omit<RuleCondition, 'unit' | 'atLeast'>
