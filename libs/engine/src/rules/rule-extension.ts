import { ALERT_TYPES, type AlertType, PATTERNS, type Pattern, type Severity, XTocsin } from '@tocsin/contracts'
import type { SigmaDocument } from '@tocsin/sigma'
import { type DurationMs, HOUR_MS } from '../time.ts'
import { type Data, ExtensionReader } from './extension-reader.ts'
import { type RuleTest, readTests } from './rule-test.ts'

/** `x-tocsin` of a rule: what Sigma cannot say (detection.md §3). Absent keys are absent here. */
export interface RuleExtension {
  readonly type: AlertType
  /** One of the five built-in patterns: gives the organization's settings and the metadata. */
  readonly pattern: Pattern | null
  /** Fields of which the first present one names the group. */
  readonly subject: readonly string[] | null
  /** Value of the summed field where it is absent. */
  readonly default: number | null
  /** A second condition that must hold as well. */
  readonly also: { readonly field: string; readonly atLeast: number } | null
  /** Local hours of day: the window is the night from `start` to `end`. */
  readonly calendar: { readonly start: number; readonly end: number } | null
  readonly severity: readonly SeverityStep[]
  readonly escalate: { readonly level: Severity; readonly selection: string } | null
  readonly cooldownMs: DurationMs | null
  readonly latenessMs: DurationMs | null
  /** Window of a detection that no correlation counts. */
  readonly foldMs: DurationMs
  readonly runbook: string | null
  /** The alert may be resolved without a person once its episode has closed. */
  readonly autoResolve: boolean
  /** Adaptive thresholds. */
  readonly baseline: boolean
  readonly tests: readonly RuleTest[]
}

/** Raises the severity once the peak is that many times the threshold, or once an event meets the selection. */
export type SeverityStep =
  | { readonly level: Severity; readonly peakTimesThreshold: number }
  | { readonly level: Severity; readonly any: string }

/** @throws SigmaError naming the key, with its place in the file */
export function readExtension(document: SigmaDocument, file: string): RuleExtension {
  const reader = new ExtensionReader(document, file)
  const map = reader.map(document.extension ?? {}, [])
  reader.only(map, [], Object.keys(XTocsin.properties))
  return {
    type: reader.oneOf(map, [], 'type', ALERT_TYPES) ?? 'SECURITY',
    pattern: reader.oneOf(map, [], 'pattern', PATTERNS),
    subject: reader.texts(map, [], 'subject'),
    default: reader.integer(map, [], 'default', 0, Number.MAX_SAFE_INTEGER),
    also: alsoOf(reader, map),
    calendar: calendarOf(reader, map),
    severity: stepsOf(reader, map),
    escalate: escalateOf(reader, map),
    cooldownMs: reader.duration(map, 'cooldown'),
    latenessMs: reader.duration(map, 'lateness'),
    foldMs: reader.duration(map, 'fold') ?? HOUR_MS,
    runbook: reader.text(map, [], 'runbook', 1000),
    autoResolve: reader.flag(map, [], 'autoResolve'),
    baseline: reader.flag(map, [], 'baseline'),
    tests: readTests(reader, map),
  }
}

function alsoOf(reader: ExtensionReader, map: Data): RuleExtension['also'] {
  if (map['also'] === undefined) return null
  const also = reader.map(map['also'], ['also'])
  reader.only(also, ['also'], ['value_count'])
  const path = ['also', 'value_count']
  const count = reader.map(also['value_count'], path)
  reader.only(count, path, ['field', 'gte'])
  return {
    field: reader.required(reader.text(count, path, 'field', 256), path, 'field'),
    atLeast: reader.required(reader.integer(count, path, 'gte', 1, 10_000), path, 'gte'),
  }
}

function calendarOf(reader: ExtensionReader, map: Data): RuleExtension['calendar'] {
  if (map['calendar'] === undefined) return null
  const path = ['calendar']
  const calendar = reader.map(map['calendar'], path)
  reader.only(calendar, path, ['start', 'end'])
  return {
    start: reader.required(reader.integer(calendar, path, 'start', 0, 24), path, 'start'),
    end: reader.required(reader.integer(calendar, path, 'end', 0, 24), path, 'end'),
  }
}

function stepsOf(reader: ExtensionReader, map: Data): readonly SeverityStep[] {
  const steps = map['severity']
  if (steps === undefined) return []
  if (!Array.isArray(steps) || steps.length > 8) return reader.refuse(['severity'], '"severity" must be a list of up to 8 steps.')
  return steps.map((item: unknown, index) => {
    const path = ['severity', index]
    const step = reader.map(item, path)
    reader.only(step, path, ['level', 'peak-times-threshold', 'any'])
    const level = reader.level(step, path)
    const times = reader.integer(step, path, 'peak-times-threshold', 1, 1_000_000)
    const any = reader.text(step, path, 'any', 256)
    if (times !== null && any === null) return { level, peakTimesThreshold: times }
    if (any !== null && times === null) return { level, any }
    return reader.refuse(path, 'A step needs either "peak-times-threshold" or "any".')
  })
}

function escalateOf(reader: ExtensionReader, map: Data): RuleExtension['escalate'] {
  if (map['escalate'] === undefined) return null
  const path = ['escalate']
  const escalate = reader.map(map['escalate'], path)
  reader.only(escalate, path, ['level', 'selection'])
  return {
    level: reader.level(escalate, path),
    selection: reader.required(reader.text(escalate, path, 'selection', 256), path, 'selection'),
  }
}
