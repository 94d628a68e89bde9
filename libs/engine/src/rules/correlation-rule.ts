import type { RuleRecord } from '@tocsin/contracts'
import type { CorrelationType, SigmaCorrelation, SigmaDetection } from '@tocsin/sigma'
import { eventCount } from './kinds/event-count.ts'
import { temporal } from './kinds/temporal.ts'
import { temporalOrdered } from './kinds/temporal-ordered.ts'
import { valueCount } from './kinds/value-count.ts'
import { valueSum } from './kinds/value-sum.ts'
import { takesThreshold } from './program.ts'
import { type Refuse, refusalsOf } from './refusal.ts'
import type { CompiledRule, GroupBy } from './rule.ts'
import { named, ruleBasics, testOf } from './rule-basics.ts'
import type { RuleCondition } from './rule-condition.ts'
import { type RuleExtension, readExtension } from './rule-extension.ts'

/** One bit each, in the value column of a row. */
const MOST_PARTS = 32

const KINDS: Readonly<Record<CorrelationType, (document: SigmaCorrelation, refuse: Refuse) => RuleCondition>> = {
  event_count: eventCount,
  value_count: valueCount,
  value_sum: valueSum,
  temporal,
  temporal_ordered: temporalOrdered,
}

/** @throws SigmaError naming what does not go together or is not built */
export function correlationRule(
  record: RuleRecord,
  document: SigmaCorrelation,
  detections: readonly SigmaDetection[],
): CompiledRule {
  const refuse = refusalsOf(document, record.ruleId)
  const extension = readExtension(document, record.ruleId)
  const { correlation } = document
  const condition = KINDS[correlation.type](document, refuse)
  refuseWhatIsNotBuilt(document, condition, extension, refuse)
  const counted = correlation.rules.map(
    (name) => named(detections, name) ?? refuse(['correlation', 'rules'], `The rule "${name}" is not in this file.`),
  )
  const { also } = extension
  const basics = ruleBasics(record, document, extension, counted, detections)
  return {
    ...basics,
    ...condition,
    identity: JSON.stringify([basics.identity, condition.numbers, condition.settled?.isAhead ?? null]),
    valueFields: also === null ? condition.valueFields : [also.field],
    groupBy: groupByOf(document, extension, refuse),
    ...partsOf(document, condition, counted, refuse),
    timespanMs: correlation.timespanMs,
    alerts: true,
  }
}

function refuseWhatIsNotBuilt(
  { correlation }: SigmaCorrelation,
  { unit, settled, expression }: RuleCondition,
  extension: RuleExtension,
  refuse: Refuse,
): void {
  const { type } = correlation
  if (extension.baseline && (!takesThreshold({ unit, settled }) || extension.calendar !== null))
    refuse(
      ['x-tocsin', 'baseline'],
      '"baseline" goes with event_count, value_count and value_sum under one gte or gt, without a calendar.',
    )
  if (correlation.generate)
    refuse(
      ['correlation', 'generate'],
      '"generate: true" is not supported yet: the rules of a correlation do not alert themselves.',
    )
  if (extension.also !== null && unit !== 'events') refuse(['x-tocsin', 'also'], `"also" does not go with ${type}.`)
  const hasThreshold = settled === null && unit !== 'steps' && expression === null && correlation.condition.length > 0
  if (extension.pattern !== null && (settled !== null || unit === 'rules' || unit === 'steps'))
    refuse(['x-tocsin', 'pattern'], `"pattern" does not go with this condition: the organization's threshold has no place in it.`)
  const step = extension.severity.findIndex((each) => 'peakTimesThreshold' in each)
  if (step >= 0 && !hasThreshold)
    refuse(['x-tocsin', 'severity', step], '"peak-times-threshold" needs a condition of one gte or gt.')
}

function groupByOf({ correlation }: SigmaCorrelation, { subject }: RuleExtension, refuse: Refuse): GroupBy {
  const { aliases, groupBy, rules } = correlation
  if (subject === null && groupBy.length === 0)
    refuse(['correlation'], 'The rule needs "group-by", or "subject" under "x-tocsin".')
  if (subject !== null && groupBy.length > 0)
    refuse(['correlation', 'group-by'], '"group-by" does not go with "subject" under "x-tocsin".')
  for (const alias of aliases.keys())
    if (!groupBy.includes(alias)) refuse(['correlation', 'aliases', alias], `The alias "${alias}" is not in "group-by".`)
  if (subject !== null) return { mode: 'first', fields: subject }
  if (aliases.size === 0) return { mode: 'every', fields: groupBy }
  const byPart = rules.map((rule) => groupBy.map((field) => aliases.get(field)?.get(rule) ?? field))
  return { mode: 'aliased', fields: groupBy, byPart }
}

/** Which of the rules an event matches, where it matters. */
function partsOf(
  { correlation }: SigmaCorrelation,
  { unit }: RuleCondition,
  counted: readonly SigmaDetection[],
  refuse: Refuse,
): Pick<CompiledRule, 'parts' | 'partNames'> {
  if (unit !== 'rules' && unit !== 'steps' && correlation.aliases.size === 0) return { parts: null, partNames: [] }
  if (counted.length > MOST_PARTS)
    refuse(['correlation', 'rules', MOST_PARTS], `A correlation of this kind has at most ${MOST_PARTS} rules.`)
  const tests = counted.map(testOf)
  return {
    parts: (event) => tests.reduce((parts, test, place) => (test(event) ? (parts | (1 << place)) >>> 0 : parts), 0),
    partNames: correlation.rules,
  }
}
