import { compileCondition } from './condition.ts'
import {
  COMPARISONS,
  CORRELATION_TYPES,
  type CorrelationCondition,
  type CorrelationType,
  type RulesExpression,
  type SigmaCorrelation,
} from './document.ts'
import { oneOf, onlyKeys, parseMetadata, texts } from './metadata.ts'
import { parseNumber } from './number-text.ts'
import { leaf, type Predicate } from './predicate.ts'
import { entryOf, type YamlDocument, type YamlEntry, type YamlMap, type YamlScalar, type YamlSource } from './yaml-source.ts'

/** Part of Sigma, not of this build. */
const LATER: ReadonlySet<string> = new Set(['value_avg', 'value_percentile', 'value_median'])
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** A year: longer windows are reports, not detections. */
const MAX_TIMESPAN_MS = 366 * 86_400_000

const isTemporal = (type: CorrelationType): boolean => type === 'temporal' || type === 'temporal_ordered'

export function parseCorrelation(source: YamlSource, document: YamlDocument, root: YamlMap, entry: YamlEntry): SigmaCorrelation {
  const metadata = parseMetadata(source, document, root)
  const map = entry.value
  if (map.kind !== 'map') source.refuse(map.offset, '"correlation" must be a map.')
  onlyKeys(source, map, ['type', 'rules', 'group-by', 'timespan', 'condition', 'aliases', 'generate'], 'correlation')
  const type = parseType(source, map, entry.keyOffset)
  const rules = texts(source, entryOf(map, 'rules'))
  if (rules.length === 0) source.refuse(entryOf(map, 'rules')?.keyOffset ?? entry.keyOffset, 'The correlation names no rules.')
  if (new Set(rules).size < rules.length)
    source.refuse(entryOf(map, 'rules')?.keyOffset ?? entry.keyOffset, 'The correlation names a rule twice.')
  const groupBy = texts(source, entryOf(map, 'group-by'))
  return {
    kind: 'correlation',
    ...metadata,
    correlation: {
      type,
      rules,
      groupBy,
      aliases: parseAliases(source, entryOf(map, 'aliases'), rules),
      timespanMs: parseTimespan(source, map, entry.keyOffset),
      ...parseConditions(source, map, entry.keyOffset, type, rules),
      generate: parseGenerate(source, entryOf(map, 'generate')),
    },
  }
}

function parseType(source: YamlSource, map: YamlMap, offset: number): CorrelationType {
  const entry = entryOf(map, 'type')
  if (entry === undefined) source.refuse(offset, 'The correlation has no type.')
  if (entry.value.kind === 'scalar' && LATER.has(entry.value.text)) {
    source.refuse(entry.value.offset, `The correlation type "${entry.value.text}" is not supported yet.`)
  }
  return oneOf(source, entry, CORRELATION_TYPES) ?? source.refuse(offset, 'The correlation has no type.')
}

function parseTimespan(source: YamlSource, map: YamlMap, offset: number): number {
  const entry = entryOf(map, 'timespan')
  if (entry === undefined) source.refuse(offset, 'The correlation has no timespan.')
  const { value } = entry
  const [, amount, unit = ''] = (value.kind === 'scalar' ? /^(\d{1,12})([smhd])$/.exec(value.text) : null) ?? []
  const timespanMs = Number(amount) * (UNIT_MS[unit] ?? Number.NaN)
  if (timespanMs > 0 && timespanMs <= MAX_TIMESPAN_MS) return timespanMs
  return source.refuse(value.offset, '"timespan" must be a whole number of s, m, h or d above zero and at most 366d, such as 5m.')
}

function parseConditions(
  source: YamlSource,
  map: YamlMap,
  offset: number,
  type: CorrelationType,
  rules: readonly string[],
): { condition: CorrelationCondition[]; expression: RulesExpression | null; field?: string[] } {
  const entry = entryOf(map, 'condition')
  if (entry === undefined)
    return isTemporal(type) ? { condition: [], expression: null } : source.refuse(offset, 'The correlation has no condition.')
  const { value: conditions } = entry
  if (conditions.kind === 'scalar' && typeof conditions.value === 'string' && isTemporal(type))
    return { condition: [], expression: parseExpression(source, conditions, rules) }
  if (conditions.kind !== 'map')
    return source.refuse(
      conditions.offset,
      '"condition" of a correlation must be a map such as gte: 5, or text over the rules for temporal types.',
    )
  onlyKeys(source, conditions, [...COMPARISONS, 'field'], 'correlation.condition')
  const condition = COMPARISONS.flatMap((op) => {
    const limit = entryOf(conditions, op)
    return limit === undefined ? [] : [{ op, value: parseLimit(source, limit) }]
  })
  if (condition.length === 0) source.refuse(entry.keyOffset, `"condition" needs one of ${COMPARISONS.join(', ')}.`)
  if (condition.length > 2) source.refuse(entry.keyOffset, '"condition" has at most two comparisons: a range.')
  return { condition, expression: null, ...parseField(source, conditions, entry.keyOffset, type) }
}

/** The grammar of a detection's condition, with the rules in the place of selections. */
function parseExpression(source: YamlSource, { text, offset, verbatim }: YamlScalar, rules: readonly string[]): RulesExpression {
  const selections = new Map<string, Predicate>(rules.map((rule) => [rule, leaf([rule], (isThere) => isThere(rule) === true)]))
  const { test } = compileCondition(text, selections, (message, at) =>
    source.refuse(verbatim === undefined ? offset : verbatim + at, message),
  )
  return { text, isNegated: /(?<![\p{L}\p{N}_.*-])not(?![\p{L}\p{N}_.*-])/iu.test(text), holds: test }
}

function parseLimit(source: YamlSource, { key, value }: YamlEntry): number {
  const limit = value.kind === 'scalar' && typeof value.value === 'number' ? parseNumber(value.value) : undefined
  return limit?.value ?? source.refuse(value.offset, `"${key}" must be a number.`)
}

function parseField(source: YamlSource, conditions: YamlMap, offset: number, type: CorrelationType): { field?: string[] } {
  const entry = entryOf(conditions, 'field')
  const field = texts(source, entry)
  if (type !== 'value_count' && type !== 'value_sum') {
    return entry === undefined ? {} : source.refuse(entry.keyOffset, `A correlation of type ${type} has no field.`)
  }
  if (field.length === 0)
    source.refuse(entry?.keyOffset ?? offset, `A correlation of type ${type} needs a field in its condition.`)
  if (type === 'value_sum' && field.length > 1)
    source.refuse(entry?.keyOffset ?? offset, 'A correlation of type value_sum has one field.')
  return { field }
}

function parseAliases(
  source: YamlSource,
  entry: YamlEntry | undefined,
  rules: readonly string[],
): Map<string, Map<string, string>> {
  const aliases = new Map<string, Map<string, string>>()
  if (entry === undefined) return aliases
  if (entry.value.kind !== 'map') source.refuse(entry.value.offset, '"aliases" must be a map of aliases.')
  for (const { key: alias, value: perRule } of entry.value.entries) {
    if (perRule.kind !== 'map') source.refuse(perRule.offset, `The alias "${alias}" must be a map from rules to fields.`)
    const fields = new Map<string, string>()
    for (const { key: rule, keyOffset, value } of perRule.entries) {
      if (!rules.includes(rule))
        source.refuse(keyOffset, `The alias "${alias}" names "${rule}", which is not among the correlation's rules.`)
      if (value.kind !== 'scalar' || typeof value.value !== 'string') {
        source.refuse(value.offset, `The alias "${alias}" needs the name of a field for "${rule}".`)
      }
      fields.set(rule, value.value)
    }
    aliases.set(alias, fields)
  }
  return aliases
}

function parseGenerate(source: YamlSource, entry: YamlEntry | undefined): boolean {
  if (entry === undefined) return false
  const { value } = entry
  if (value.kind === 'scalar' && typeof value.value === 'boolean') return value.value
  return source.refuse(value.offset, '"generate" must be true or false.')
}
