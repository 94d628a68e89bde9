import type { Pattern, RuleRecord, Severity } from '@tocsin/contracts'
import { parseSigma, type SigmaDetection, SigmaError } from '@tocsin/sigma'
import type { EventView } from '../event/event-view.ts'
import type { ShapeVerdicts } from '../matching/shape-verdicts.ts'
import type { DurationMs } from '../time.ts'
import { correlationRule } from './correlation-rule.ts'
import type { PatternTraits } from './patterns.ts'
import { refusalsOf } from './refusal.ts'
import type { Requirement } from './requirement.ts'
import { named, ruleBasics } from './rule-basics.ts'
import { PLAIN, type RuleCondition } from './rule-condition.ts'
import { type RuleExtension, readExtension } from './rule-extension.ts'
import type { RuleTest } from './rule-test.ts'

/** Subject of detection.md §3: who did it, else from where, else in which session. */
export const DEFAULT_SUBJECT: readonly string[] = ['principalId', 'ipAddress', 'sessionId']

/** A test of an event: its source first, then the detection. */
export type EventTest = (event: EventView) => boolean

/** `first`: one field, the first present of several; `every`: all of them must be present. */
export type GroupBy =
  | { readonly mode: 'first'; readonly fields: readonly string[] }
  | { readonly mode: 'every'; readonly fields: readonly string[] }
  /** By each rule that the event matches with that rule's fields, called as `fields` (docs/detection.md D45). */
  | { readonly mode: 'aliased'; readonly fields: readonly string[]; readonly byPart: readonly (readonly string[])[] }

/** One version of a rule, ready to run; nothing of it depends on an organization. */
export interface CompiledRule extends RuleCondition {
  readonly record: RuleRecord
  readonly title: string
  readonly severity: Severity
  readonly type: RuleExtension['type']
  readonly pattern: Pattern | null
  readonly traits: Omit<PatternTraits, 'builtIn'>
  readonly tags: readonly string[]
  readonly runbook: string | null
  readonly autoResolve: boolean
  /** All that an event has to meet one of to be regarded at all. */
  readonly detections: readonly SigmaDetection[]
  /** Events that count; the verdicts say for which shapes the test is needed. */
  readonly counts: EventTest
  readonly countsBy: ShapeVerdicts
  /** Events of weight 0 that raise the severity where the condition holds. */
  readonly escalates: EventTest | null
  readonly escalatesBy: ShapeVerdicts
  readonly escalateTo: Severity | null
  /** Counted events that raise the severity by themselves. */
  readonly notable: EventTest | null
  readonly notableTo: Severity | null
  readonly peakSteps: readonly { readonly level: Severity; readonly times: number }[]
  /** Which of the rules that it counts an event matches, a bit each, by name; null where it does not matter. */
  readonly parts: ((event: EventView) => number) | null
  readonly partNames: readonly string[]
  readonly groupBy: GroupBy
  readonly also: readonly Requirement[]
  readonly valueDefault: number | null
  readonly timespanMs: DurationMs
  readonly calendar: RuleExtension['calendar']
  readonly cooldownMs: DurationMs | null
  readonly latenessMs: DurationMs | null
  /** False for a detection of level informational, which alerts only where it is correlated. */
  readonly alerts: boolean
  /** The threshold is the least one: each group's is worked out from what it did before. */
  readonly hasBaseline: boolean
  readonly tests: readonly RuleTest[]
  /** Equal for two versions whose windows mean the same (detection.md §4): detection, grouping, value field. */
  readonly identity: string
}

export interface CompileOptions {
  /** Take events for a rule whatever their source (backtests of events that are no audit events). */
  readonly anySource?: boolean
}

/**
 * Compiles one rule file: a detection, or a correlation with the detections that it counts.
 * @throws SigmaError with file, line and column, naming what this build cannot run
 */
export function compileRule(record: RuleRecord, { anySource = false }: CompileOptions = {}): CompiledRule {
  const file = record.ruleId
  const documents = parseSigma(record.content, { file }).map((document) =>
    anySource && document.kind === 'detection' ? { ...document, logsource: { product: 'tocsin' } } : document,
  )
  const correlations = documents.filter((document) => document.kind === 'correlation')
  const detections = documents.filter((document) => document.kind === 'detection')
  const [main, second] = correlations.length > 0 ? correlations : detections
  if (main === undefined) throw new SigmaError('The file contains no rule.', { file, line: 1, column: 1 })
  for (const document of correlations)
    for (const [place, rule] of document.correlation.rules.entries())
      if (named(correlations, rule) !== undefined)
        refusalsOf(document, file)(
          ['correlation', 'rules', place],
          `"${rule}" is a correlation: correlations of correlations are not supported yet.`,
        )
  if (second !== undefined) refusalsOf(second, file)([], 'A rule file has one correlation, or one detection alone.')
  return main.kind === 'correlation' ? correlationRule(record, main, detections) : detectionRule(record, main)
}

function detectionRule(record: RuleRecord, detection: SigmaDetection): CompiledRule {
  const extension = readExtension(detection, record.ruleId)
  if (extension.baseline) refusalsOf(detection, record.ruleId)(['x-tocsin', 'baseline'], '"baseline" needs a correlation.')
  return {
    ...ruleBasics(record, detection, extension, [detection], []),
    ...PLAIN,
    groupBy: { mode: 'first', fields: extension.subject ?? DEFAULT_SUBJECT },
    parts: null,
    partNames: [],
    unit: 'events',
    atLeast: 1,
    valueFields: extension.also === null ? [] : [extension.also.field],
    timespanMs: extension.foldMs,
    alerts: detection.level !== 'informational',
  }
}
