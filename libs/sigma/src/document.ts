import type { Explanation } from './explanation.ts'
import type { EventFields } from './field-reader.ts'
import type { EventNeeds } from './predicate.ts'
import type { Position } from './sigma-error.ts'

export const LEVELS = ['informational', 'low', 'medium', 'high', 'critical'] as const
export type Level = (typeof LEVELS)[number]

export const RULE_STATUSES = ['stable', 'test', 'experimental', 'deprecated', 'unsupported'] as const
export type RuleStatus = (typeof RULE_STATUSES)[number]

export const CORRELATION_TYPES = ['event_count', 'value_count', 'value_sum', 'temporal', 'temporal_ordered'] as const
export type CorrelationType = (typeof CORRELATION_TYPES)[number]

export const COMPARISONS = ['gt', 'gte', 'lt', 'lte', 'eq', 'neq'] as const
export type Comparison = (typeof COMPARISONS)[number]

export interface LogSource {
  readonly product?: string
  readonly category?: string
  readonly service?: string
}

export interface SigmaMetadata {
  /** Name of the file it stands in, the line on which it begins there, and its text. */
  readonly file: string
  readonly line: number
  readonly text: string
  /** Empty where the document gives none. */
  readonly id: string
  readonly name?: string
  readonly title: string
  /** Empty where the document gives none. */
  readonly description: string
  readonly status?: RuleStatus
  /** `medium` where the document gives none. */
  readonly level: Level
  readonly tags: readonly string[]
  readonly references: readonly string[]
  /** `x-tocsin` as plain data, undefined where absent. The language does not look into it. */
  readonly extension: unknown
  /**
   * Where the value (or the key) at `path` stands, e.g. `['x-tocsin', 'severity', 0]`; the nearest existing parent where
   * the path leads nowhere.
   */
  positionOf(path: readonly (string | number)[], at?: 'key' | 'value'): Position
}

export interface SigmaDetection extends SigmaMetadata, EventNeeds {
  readonly kind: 'detection'
  readonly logsource: LogSource
  /** Whether the event meets `detection`; `logsource` is not looked at. */
  matches(event: EventFields): boolean
  /** Each node of the condition, passed or failed, and why. */
  explain(event: EventFields): Explanation
  /** Every field that `matches` may read (keyword searches read ALL_TEXT, which is not listed). */
  readonly fields: ReadonlySet<string>
  /** `detection` as plain data: two versions with equal ones match the same events. */
  readonly definition: unknown
}

export interface CorrelationCondition {
  readonly op: Comparison
  readonly value: number
}

/** The text form of a temporal condition: over the names of the correlation's rules. */
export interface RulesExpression {
  readonly text: string
  /** Whether it has a `not`: then more events may make it false. */
  readonly isNegated: boolean
  /** @param isThere whether events of that rule (as written in `rules`) are in the window */
  holds(isThere: (rule: string) => boolean): boolean
}

export interface SigmaCorrelation extends SigmaMetadata {
  readonly kind: 'correlation'
  readonly correlation: {
    readonly type: CorrelationType
    /** Ids or names of detections or correlations, as written. */
    readonly rules: readonly string[]
    readonly groupBy: readonly string[]
    /** Alias → rule (as written in `rules`) → field. */
    readonly aliases: ReadonlyMap<string, ReadonlyMap<string, string>>
    readonly timespanMs: number
    /** All of them must hold. Empty, without an expression, for temporal types: every rule must occur. */
    readonly condition: readonly CorrelationCondition[]
    readonly expression: RulesExpression | null
    /** value_count: the fields of the tuple counted; value_sum: the one field summed. */
    readonly field?: readonly string[]
    /** Whether the rules referred to alert by themselves as well. */
    readonly generate: boolean
  }
}

export type SigmaDocument = SigmaDetection | SigmaCorrelation
