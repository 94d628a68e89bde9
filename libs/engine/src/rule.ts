import type { Pattern, RuleRecord, Severity } from '@tocsin/contracts'
import { parseSigma, type SigmaCorrelation, type SigmaDetection, type SigmaDocument, SigmaError } from '@tocsin/sigma'
import type { EventView } from './event-view.ts'
import { severityOfLevel } from './extension-reader.ts'
import { logsourceTest } from './logsource.ts'
import { PATTERN_TRAITS, type PatternTraits } from './patterns.ts'
import type { Requirement, Unit } from './requirement.ts'
import { type RuleExtension, readExtension } from './rule-extension.ts'
import type { RuleTest } from './rule-test.ts'
import { ShapeVerdicts } from './shape-verdicts.ts'
import type { DurationMs } from './time.ts'

/** Subject of detection.md §3: who did it, else from where, else in which session. */
export const DEFAULT_SUBJECT: readonly string[] = ['principalId', 'ipAddress', 'sessionId']
/** Sums are exact on integers only; these two are integers by contract. */
const SUMMABLE: ReadonlySet<string> = new Set(['recordCount', 'bytes'])

/** A test of an event: its source first, then the detection. */
export type EventTest = (event: EventView) => boolean

/** One version of a rule, ready to run; nothing of it depends on an organization. */
export interface CompiledRule {
  readonly record: RuleRecord
  readonly title: string
  readonly severity: Severity
  readonly type: RuleExtension['type']
  readonly pattern: Pattern | null
  readonly traits: Omit<PatternTraits, 'builtIn'>
  readonly tags: readonly string[]
  readonly runbook: string | null
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
  /** `first`: one field, the first present of several; `every`: all of them must be present. */
  readonly groupBy: { readonly mode: 'first' | 'every'; readonly fields: readonly string[] }
  readonly unit: Unit
  readonly atLeast: number
  readonly also: readonly Requirement[]
  /** Field summed or counted by distinct values; null for plain counts. */
  readonly valueField: string | null
  readonly valueDefault: number | null
  readonly timespanMs: DurationMs
  readonly calendar: RuleExtension['calendar']
  readonly cooldownMs: DurationMs | null
  readonly latenessMs: DurationMs | null
  /** False for a detection of level informational, which alerts only where it is correlated. */
  readonly alerts: boolean
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
  if (second !== undefined) refuse(second, file, [], 'A rule file has one correlation, or one detection alone.')
  return main.kind === 'correlation' ? correlationRule(record, main, detections) : detectionRule(record, main)
}

function detectionRule(record: RuleRecord, detection: SigmaDetection): CompiledRule {
  const extension = readExtension(detection, record.ruleId)
  return {
    ...common(record, detection, extension, [detection], []),
    groupBy: { mode: 'first', fields: extension.subject ?? DEFAULT_SUBJECT },
    unit: 'events',
    atLeast: 1,
    valueField: extension.also?.field ?? null,
    timespanMs: extension.foldMs,
    alerts: detection.level !== 'informational',
  }
}

function correlationRule(record: RuleRecord, document: SigmaCorrelation, detections: readonly SigmaDetection[]): CompiledRule {
  const file = record.ruleId
  const extension = readExtension(document, file)
  const { correlation } = document
  const unit = unitOf(document, file)
  if (correlation.aliases.size > 0) refuse(document, file, ['correlation', 'aliases'], '"aliases" are not supported yet.')
  if (unit === 'distinct' && extension.also !== null)
    refuse(document, file, ['x-tocsin', 'also'], '"also" does not go with value_count.')
  const counted = correlation.rules.map(
    (name) =>
      named(detections, name) ?? refuse(document, file, ['correlation', 'rules'], `The rule "${name}" is not in this file.`),
  )
  const field = correlation.field ?? (extension.also === null ? [] : [extension.also.field])
  if (field.length > 1)
    refuse(document, file, ['correlation', 'condition', 'field'], 'Several fields in value_count are not supported yet.')
  if (unit === 'sum' && !SUMMABLE.has(field[0] ?? ''))
    refuse(
      document,
      file,
      ['correlation', 'condition', 'field'],
      `value_sum is supported on ${[...SUMMABLE].join(' and ')} only.`,
    )
  if (unit === 'sum' && extension.also !== null)
    refuse(document, file, ['x-tocsin', 'also'], '"also" does not go with value_sum.')
  if (extension.subject === null && correlation.groupBy.length === 0)
    refuse(document, file, ['correlation'], 'The rule needs "group-by", or "subject" under "x-tocsin".')
  if (extension.subject !== null && correlation.groupBy.length > 0)
    refuse(document, file, ['correlation', 'group-by'], '"group-by" does not go with "subject" under "x-tocsin".')
  return {
    ...common(record, document, extension, counted, detections),
    groupBy:
      extension.subject === null ? { mode: 'every', fields: correlation.groupBy } : { mode: 'first', fields: extension.subject },
    unit,
    atLeast: leastOf(document, file, unit),
    valueField: field[0] ?? null,
    timespanMs: correlation.timespanMs,
    alerts: true,
  }
}

type Common = Omit<CompiledRule, 'groupBy' | 'unit' | 'atLeast' | 'valueField' | 'timespanMs' | 'alerts'>

function common(
  record: RuleRecord,
  document: SigmaDocument,
  extension: RuleExtension,
  counted: readonly SigmaDetection[],
  all: readonly SigmaDetection[],
): Common {
  const file = record.ruleId
  const selection = (name: string, path: readonly (string | number)[]): SigmaDetection =>
    named(all, name) ?? refuse(document, file, path, `The rule "${name}" is not in this file.`)
  const escalating =
    extension.escalate === null ? null : selection(extension.escalate.selection, ['x-tocsin', 'escalate', 'selection'])
  const anySteps = extension.severity.flatMap((step, index) => ('any' in step ? [{ ...step, index }] : []))
  if (anySteps.length > 1) refuse(document, file, ['x-tocsin', 'severity'], 'One step with "any" is supported.')
  const [anyStep] = anySteps
  const notable = anyStep === undefined ? null : selection(anyStep.any, ['x-tocsin', 'severity', anyStep.index, 'any'])
  return {
    record,
    title: document.title,
    severity: severityOfLevel(document.level),
    type: extension.type,
    pattern: extension.pattern,
    traits: extension.pattern === null ? {} : PATTERN_TRAITS[extension.pattern],
    tags: document.tags.slice(0, 50),
    runbook: extension.runbook,
    detections: escalating === null ? counted : [...counted, escalating],
    counts: anyTest(counted),
    countsBy: new ShapeVerdicts(counted),
    escalates: escalating === null ? null : anyTest([escalating]),
    escalatesBy: new ShapeVerdicts(escalating === null ? [] : [escalating]),
    escalateTo: extension.escalate?.level ?? null,
    notable: notable === null ? null : anyTest([notable]),
    notableTo: anyStep?.level ?? null,
    peakSteps: extension.severity.flatMap((step) =>
      'any' in step ? [] : [{ level: step.level, times: step.peakTimesThreshold }],
    ),
    also: extension.also === null ? [] : [{ unit: 'distinct', atLeast: extension.also.atLeast }],
    valueDefault: extension.default,
    calendar: extension.calendar,
    cooldownMs: extension.cooldownMs,
    latenessMs: extension.latenessMs,
    tests: extension.tests,
    identity: JSON.stringify([
      counted.map(meaning),
      escalating === null ? null : meaning(escalating),
      notable === null ? null : meaning(notable),
      document.kind === 'correlation'
        ? [document.correlation.type, document.correlation.groupBy, document.correlation.field ?? null]
        : null,
      extension.subject,
      extension.default,
      extension.also?.field ?? null,
      extension.calendar !== null,
      extension.pattern,
    ]),
  }
}

const meaning = (detection: SigmaDetection): unknown => [detection.logsource, detection.definition]

function anyTest(detections: readonly SigmaDetection[]): EventTest {
  const tests = detections.map((detection): EventTest => {
    const isOfSource = logsourceTest(detection.logsource)
    return (event) => isOfSource(event) && detection.matches(event.fields)
  })
  const [only] = tests
  return tests.length === 1 && only !== undefined ? only : (event) => tests.some((test) => test(event))
}

const named = (detections: readonly SigmaDetection[], name: string): SigmaDetection | undefined =>
  detections.find((detection) => detection.name === name || (detection.id !== '' && detection.id === name))

function unitOf(document: SigmaCorrelation, file: string): Unit {
  switch (document.correlation.type) {
    case 'event_count':
      return 'events'
    case 'value_sum':
      return 'sum'
    case 'value_count':
      return 'distinct'
    default:
      return refuse(
        document,
        file,
        ['correlation', 'type'],
        `Correlations of type ${document.correlation.type} are not supported yet.`,
      )
  }
}

/** `gte n`, or `gt n` as n + 1; a window that nothing is in never holds, so at least 1 of events and of values. */
function leastOf(document: SigmaCorrelation, file: string, unit: Unit): number {
  const [condition, second] = document.correlation.condition
  if (condition === undefined || second !== undefined || (condition.op !== 'gte' && condition.op !== 'gt'))
    return refuse(
      document,
      file,
      ['correlation', 'condition'],
      'The condition must be one of gte and gt; others are not supported yet.',
    )
  const least = condition.op === 'gte' ? Math.ceil(condition.value) : Math.floor(condition.value) + 1
  return Math.max(unit === 'sum' ? 0 : 1, least)
}

function refuse(document: SigmaDocument, file: string, path: readonly (string | number)[], message: string): never {
  throw new SigmaError(message, { file, ...document.positionOf(path) })
}
