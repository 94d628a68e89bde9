import { ALERT_TYPES, type AlertType, PATTERNS, type Pattern, type Severity } from '@tocsin/contracts'
import { type SigmaDocument, SigmaError } from '@tocsin/sigma'
import { DAY_MS, type DurationMs, HOUR_MS, MINUTE_MS, SECOND_MS } from './time.ts'

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
}

/** Raises the severity once the peak is that many times the threshold, or once an event meets the selection. */
export type SeverityStep =
  | { readonly level: Severity; readonly peakTimesThreshold: number }
  | { readonly level: Severity; readonly any: string }

/** Longest cooldown and lateness (contracts: OrganizationSettings). */
const MAX_KEPT_MS = 7 * DAY_MS
const UNIT_MS: Readonly<Record<string, DurationMs>> = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS }
const LEVELS: Readonly<Record<string, Severity>> = {
  informational: 'INFO',
  low: 'LOW',
  medium: 'MEDIUM',
  high: 'HIGH',
  critical: 'CRITICAL',
}
/** Part of the language, not of this build. */
const LATER: ReadonlySet<string> = new Set(['autoResolve', 'tests', 'baseline'])

type Path = readonly (string | number)[]
type Data = Readonly<Record<string, unknown>>

/** @throws SigmaError naming the key, with its place in the file */
export function readExtension(document: SigmaDocument, file: string): RuleExtension {
  const reader = new ExtensionReader(document, file)
  const map = reader.map(document.extension ?? {}, [])
  reader.only(
    map,
    [],
    [
      'id',
      'type',
      'pattern',
      'subject',
      'default',
      'also',
      'calendar',
      'severity',
      'escalate',
      'cooldown',
      'lateness',
      'fold',
      'runbook',
    ],
  )
  return {
    type: reader.oneOf(map, [], 'type', ALERT_TYPES) ?? 'SECURITY',
    pattern: reader.oneOf(map, [], 'pattern', PATTERNS),
    subject: reader.texts(map, [], 'subject'),
    default: reader.integer(map, [], 'default', 0, Number.MAX_SAFE_INTEGER),
    also: reader.also(map),
    calendar: reader.calendar(map),
    severity: reader.steps(map),
    escalate: reader.escalate(map),
    cooldownMs: reader.duration(map, 'cooldown'),
    latenessMs: reader.duration(map, 'lateness'),
    foldMs: reader.duration(map, 'fold') ?? HOUR_MS,
    runbook: reader.text(map, [], 'runbook', 1000),
  }
}

export function severityOfLevel(level: string): Severity {
  return LEVELS[level] ?? 'MEDIUM'
}

class ExtensionReader {
  readonly #document: SigmaDocument
  readonly #file: string

  constructor(document: SigmaDocument, file: string) {
    this.#document = document
    this.#file = file
  }

  refuse(path: Path, message: string, at: 'key' | 'value' = 'value'): never {
    const place = this.#document.positionOf(['x-tocsin', ...path], at)
    throw new SigmaError(message, { file: this.#file, ...place })
  }

  map(value: unknown, path: Path): Data {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Data
    return this.refuse(path, `"${['x-tocsin', ...path].join('.')}" must be a map.`)
  }

  only(map: Data, path: Path, known: readonly string[]): void {
    for (const key of Object.keys(map)) {
      if (known.includes(key)) continue
      const where = ['x-tocsin', ...path].join('.')
      const why = LATER.has(key) ? 'is not supported yet' : 'is not known'
      this.refuse([...path, key], `"${key}" ${why} under "${where}".`, 'key')
    }
  }

  oneOf<T extends string>(map: Data, path: Path, key: string, words: readonly T[]): T | null {
    const value = map[key]
    if (value === undefined) return null
    return words.find((word) => word === value) ?? this.refuse([...path, key], `"${key}" must be one of ${words.join(', ')}.`)
  }

  text(map: Data, path: Path, key: string, limit: number): string | null {
    const value = map[key]
    if (value === undefined) return null
    if (typeof value === 'string' && value.trim() !== '' && value.length <= limit) return value
    return this.refuse([...path, key], `"${key}" must be text of at most ${limit} characters.`)
  }

  texts(map: Data, path: Path, key: string): readonly string[] | null {
    const value = map[key]
    if (value === undefined) return null
    const list = Array.isArray(value) ? value : [value]
    if (list.length > 0 && list.length <= 8 && list.every((item) => typeof item === 'string' && item !== '')) return list
    return this.refuse([...path, key], `"${key}" must be the name of a field, or a list of up to 8.`)
  }

  integer(map: Data, path: Path, key: string, least: number, most: number): number | null {
    const value = map[key]
    if (value === undefined) return null
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value
    return this.refuse([...path, key], `"${key}" must be a whole number from ${least} to ${most}.`)
  }

  duration(map: Data, key: string): DurationMs | null {
    const value = map[key]
    if (value === undefined) return null
    const [, amount, unit = ''] = (typeof value === 'string' ? /^(\d{1,9})([smhd])$/.exec(value) : null) ?? []
    const duration = Number(amount) * (UNIT_MS[unit] ?? Number.NaN)
    if (duration >= 0 && duration <= MAX_KEPT_MS) return duration
    return this.refuse([key], `"${key}" must be a whole number of s, m, h or d, at most 7d, such as 5m.`)
  }

  level(map: Data, path: Path): Severity {
    const level = this.oneOf(map, path, 'level', Object.keys(LEVELS))
    return level === null ? this.refuse(path, '"level" is missing.') : severityOfLevel(level)
  }

  required<T>(value: T | null, path: Path, key: string): T {
    return value ?? this.refuse(path, `"${key}" is missing.`)
  }

  also(map: Data): RuleExtension['also'] {
    if (map['also'] === undefined) return null
    const also = this.map(map['also'], ['also'])
    this.only(also, ['also'], ['value_count'])
    const path = ['also', 'value_count']
    const count = this.map(also['value_count'], path)
    this.only(count, path, ['field', 'gte'])
    return {
      field: this.required(this.text(count, path, 'field', 256), path, 'field'),
      atLeast: this.required(this.integer(count, path, 'gte', 1, 10_000), path, 'gte'),
    }
  }

  calendar(map: Data): RuleExtension['calendar'] {
    if (map['calendar'] === undefined) return null
    const path = ['calendar']
    const calendar = this.map(map['calendar'], path)
    this.only(calendar, path, ['start', 'end'])
    return {
      start: this.required(this.integer(calendar, path, 'start', 0, 24), path, 'start'),
      end: this.required(this.integer(calendar, path, 'end', 0, 24), path, 'end'),
    }
  }

  steps(map: Data): readonly SeverityStep[] {
    const steps = map['severity']
    if (steps === undefined) return []
    if (!Array.isArray(steps) || steps.length > 8) return this.refuse(['severity'], '"severity" must be a list of up to 8 steps.')
    return steps.map((item: unknown, index) => {
      const path = ['severity', index]
      const step = this.map(item, path)
      this.only(step, path, ['level', 'peak-times-threshold', 'any'])
      const level = this.level(step, path)
      const times = this.integer(step, path, 'peak-times-threshold', 1, 1_000_000)
      const any = this.text(step, path, 'any', 256)
      if (times !== null && any === null) return { level, peakTimesThreshold: times }
      if (any !== null && times === null) return { level, any }
      return this.refuse(path, 'A step needs either "peak-times-threshold" or "any".')
    })
  }

  escalate(map: Data): RuleExtension['escalate'] {
    if (map['escalate'] === undefined) return null
    const path = ['escalate']
    const escalate = this.map(map['escalate'], path)
    this.only(escalate, path, ['level', 'selection'])
    return {
      level: this.level(escalate, path),
      selection: this.required(this.text(escalate, path, 'selection', 256), path, 'selection'),
    }
  }
}
