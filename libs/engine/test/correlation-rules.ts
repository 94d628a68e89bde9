/** Correlations as data: written as Sigma YAML for the engine, and as predicates for the model, from one description. */
import { createHash } from 'node:crypto'
import type { AuditEvent, RuleRecord, Severity } from '@tocsin/contracts'
import { holdsText, type TextCondition, textOfCondition } from './correlation-conditions.ts'
import { isOrdered, numberIn, present, ruleNamesIn, sumOf, tuplesIn } from './correlation-windows.ts'
import type { Membership, ModelPattern } from './model-patterns.ts'
import type { HeldEvent } from './model-types.ts'

export type Op = 'gt' | 'gte' | 'lt' | 'lte' | 'eq' | 'neq'
export type Comparison = readonly [op: Op, value: number]

export interface Correlation {
  readonly type: 'event_count' | 'value_count' | 'value_sum' | 'temporal' | 'temporal_ordered'
  /** The rules that it names: each matches events of these actions. */
  readonly parts: readonly { readonly name: string; readonly actions: readonly string[] }[]
  readonly groupBy: readonly string[]
  /** Fields by alias and rule; a rule that is left out uses the field called as the alias. */
  readonly aliases: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly spanS: number
  readonly cooldownS: number
  readonly latenessS: number
  /** Comparisons (all must hold), a text over the rules' names, or nothing: all rules. */
  readonly condition: readonly Comparison[] | TextCondition | null
  readonly fields: readonly string[]
  /** What the summed field is where it is absent. */
  readonly default: number | null
}

const COMPARE: Readonly<Record<Op, (value: number, limit: number) => boolean>> = {
  gt: (value, limit) => value > limit,
  gte: (value, limit) => value >= limit,
  lt: (value, limit) => value < limit,
  lte: (value, limit) => value <= limit,
  eq: (value, limit) => value === limit,
  neq: (value, limit) => value !== limit,
}

const isText = (condition: Correlation['condition']): condition is TextCondition =>
  condition !== null && !Array.isArray(condition)
const comparisonsOf = ({ condition }: Correlation): readonly Comparison[] =>
  condition === null || isText(condition) ? [] : condition

/** D40: one comparison gt or gte, or a temporal condition without `not`, is decided at once. */
function settledOf(rule: Correlation): 'behind' | 'ahead' | undefined {
  if (isText(rule.condition)) return textOfCondition(rule.condition).includes('not ') ? 'ahead' : undefined
  const comparisons = comparisonsOf(rule)
  const [only] = comparisons
  const atOnce = comparisons.length === 0 || (comparisons.length === 1 && (only?.[0] === 'gt' || only?.[0] === 'gte'))
  return atOnce ? undefined : 'behind'
}

export const partsOf = ({ parts }: Correlation, event: AuditEvent): string[] =>
  parts.filter(({ actions }) => actions.includes(event.action)).map(({ name }) => name)

/** Values by the names that rules use: canonical, of the session, or a key of the event as sent. */
export function fieldOf(event: AuditEvent, field: string): unknown {
  if (field === 'ipAddress') return event.sessionContext?.ipAddress
  const canonical = (event as unknown as Record<string, unknown>)[field]
  return canonical === undefined ? event.details?.[field] : canonical
}

/** D45: through each rule that it matches, by that rule's field. */
function membershipsOf(rule: Correlation, event: AuditEvent): Membership[] {
  const groups = new Map<string, { fields: Record<string, string>; parts: string[] }>()
  const lacking: string[] = []
  for (const part of partsOf(rule, event)) {
    const entries = rule.groupBy.map((name) => [name, present(fieldOf(event, rule.aliases[name]?.[part] ?? name))] as const)
    const fields = Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
    if (Object.keys(fields).length < rule.groupBy.length) {
      lacking.push(part)
      continue
    }
    const key = JSON.stringify(fields)
    const group = groups.get(key) ?? { fields, parts: [] }
    group.parts.push(part)
    groups.set(key, group)
  }
  return [...groups.values(), ...(lacking.length > 0 ? [{ fields: undefined, parts: lacking }] : [])]
}

function valueIn(rule: Correlation, window: readonly HeldEvent[]): number {
  switch (rule.type) {
    case 'event_count':
      return window.length
    case 'value_count':
      return tuplesIn(window, (event) => rule.fields.map((field) => fieldOf(event, field)))
    case 'value_sum':
      return sumOf(window)
    case 'temporal':
      return ruleNamesIn(window).size
    case 'temporal_ordered':
      return rule.parts.length
  }
}

function holdsIn(rule: Correlation, window: readonly HeldEvent[], threshold: number): boolean {
  if (window.length === 0) return false
  if (rule.type === 'temporal_ordered')
    return isOrdered(
      window,
      rule.parts.map(({ name }) => name),
    )
  if (isText(rule.condition))
    return holdsText(
      rule.condition,
      ruleNamesIn(window),
      rule.parts.map(({ name }) => name),
    )
  if (rule.condition === null) return ruleNamesIn(window).size === rule.parts.length
  const value = valueIn(rule, window)
  // An organization may set the threshold of a rule that is decided at once (D60).
  if (settledOf(rule) === undefined && threshold !== thresholdOf(rule)) return value >= threshold
  return rule.condition.every(([op, limit]) => COMPARE[op](value, limit))
}

/** D44: that of all rules; of the comparison, where there is one: the first, as written where it is settled (D49), else of integers the least that meets it. */
const thresholdOf = (rule: Correlation): number => {
  const [first] = comparisonsOf(rule)
  if (first === undefined) return rule.parts.length
  const [op, value] = first
  if (settledOf(rule) !== undefined) return value
  const whole = rule.type !== 'value_sum' || WHOLE.has(rule.fields[0] ?? '')
  return whole ? (op === 'gt' ? Math.floor(value) + 1 : Math.ceil(value)) : value
}

const WHOLE: ReadonlySet<string> = new Set(['recordCount', 'bytes'])

/** What an event adds to a sum; undefined where the field holds something that cannot be added (D20, D41). */
function addendOf(rule: Correlation, event: AuditEvent): number | undefined {
  const [field = ''] = rule.fields
  const value = fieldOf(event, field)
  if (value === undefined || value === null) return rule.default ?? 0
  const number = numberIn(value)
  if (number === undefined || (settledOf(rule) === undefined && number < 0)) return undefined
  return WHOLE.has(field) ? Math.floor(number) : number
}

/** D38, and the rules of which events were counted. */
function metadataOf(rule: Correlation, counted: readonly HeldEvent[]): Record<string, unknown> {
  if (rule.type === 'value_count') return { distinct: { [rule.fields.join(', ')]: valueIn(rule, counted) } }
  if (rule.type !== 'temporal' && rule.type !== 'temporal_ordered') return {}
  const met = ruleNamesIn(counted)
  return { rules: rule.parts.map(({ name }) => name).filter((name) => met.has(name)) }
}

/** A version of a correlation as the model runs it. */
export function patternOf(ruleId: string, rule: Correlation): ModelPattern {
  const severity: Severity = 'HIGH'
  const settled = settledOf(rule)
  const isSum = rule.type === 'value_sum'
  return {
    ruleId,
    pattern: null,
    counts: (event) => partsOf(rule, event).length > 0,
    escalates: () => false,
    memberships: (event) => membershipsOf(rule, event),
    bySubject: false,
    spanMs: () => rule.spanS * 1000,
    threshold: () => thresholdOf(rule),
    cooldownMs: rule.cooldownS * 1000,
    latenessMs: rule.latenessS * 1000,
    ...(settled === undefined ? {} : { settled }),
    holds: (window, threshold) => holdsIn(rule, window, threshold),
    value: (window) => valueIn(rule, window),
    identity: JSON.stringify([rule.type, rule.parts, rule.groupBy, rule.aliases, rule.fields, rule.default]),
    weight: (event) => (isSum ? (addendOf(rule, event) ?? 0) : 1),
    isNotNumeric: (event) => isSum && addendOf(rule, event) === undefined,
    sum: isSum,
    severity: () => severity,
    metadata: ({ held }) => metadataOf(rule, held),
  }
}

/** JSON is YAML: one document for each rule, then the correlation. */
export function sigmaOf(rule: Correlation): string {
  const { type, parts, groupBy, aliases, condition, fields } = rule
  const detections = parts.map(({ name, actions }) => ({
    title: `Part ${name}`,
    name,
    level: 'informational',
    logsource: { product: 'tocsin' },
    detection: { selection: { action: actions }, condition: 'selection' },
  }))
  const field = fields.length === 0 ? {} : { field: fields.length === 1 ? fields[0] : fields }
  const compared = comparisonsOf(rule)
  const conditions = isText(condition)
    ? { condition: textOfCondition(condition) }
    : compared.length > 0
      ? { condition: { ...Object.fromEntries(compared), ...field } }
      : {}
  const correlation = {
    title: 'Correlation under test',
    level: 'high',
    correlation: {
      type,
      rules: parts.map(({ name }) => name),
      'group-by': groupBy,
      ...(Object.keys(aliases).length === 0 ? {} : { aliases }),
      timespan: `${rule.spanS}s`,
      ...conditions,
    },
    'x-tocsin': {
      cooldown: `${rule.cooldownS}s`,
      lateness: `${rule.latenessS}s`,
      ...(rule.default === null ? {} : { default: rule.default }),
    },
  }
  return [...detections, correlation].map((document) => JSON.stringify(document, null, 1)).join('\n---\n')
}

export function recordOf(ruleId: string, version: number, rule: Correlation): RuleRecord {
  const content = sigmaOf(rule)
  const hash = createHash('sha256').update(content).digest('hex')
  return { ruleId, organizationId: null, version, hash, state: 'active', content }
}
