import {
  type AlertFigures,
  type AuditEvent,
  categoryOf,
  classificationOf,
  type OrganizationSettings,
  operationOf,
  outcomeOf,
} from '@tocsin/contracts'
import { parsedEvent } from '../event/parsed-event.ts'
import { PartitionEngine } from '../partition-engine.ts'
import type { EngineRecord } from '../records.ts'
import { DAY_MS, type EpochMs, isoTime, MINUTE_MS } from '../time.ts'
import type { CompiledRule } from './rule.ts'
import type { Moment, RuleTest, TestEvent } from './rule-test.ts'

export interface RuleTestResult {
  readonly name: string
  /** What is not as expected, a sentence each; empty when the test has passed. */
  readonly faults: readonly string[]
  /** As they were closed, in the order in which they were raised; without those that were joined with another. */
  readonly alerts: readonly AlertFigures[]
}

const ORGANIZATION = '00000000-0000-4000-8000-000000000000'
/** Longer than any alert stays open by itself: the longest span twice, and cooldown and lateness. */
const UNTIL_ALL_IS_CLOSED_MS = 800 * DAY_MS

/** Runs the tests in a rule, each on an engine of its own. */
export const runRuleTests = (rule: CompiledRule): readonly RuleTestResult[] => rule.tests.map((test) => runTest(rule, test))

function runTest(rule: CompiledRule, test: RuleTest): RuleTestResult {
  const { name } = test
  const engine = new PartitionEngine({ topic: 'audit.events', partition: 0, compile: () => rule })
  const last = new Map<string, AlertFigures>()
  try {
    for (const record of recordsOf(rule, test)) for (const { alert } of engine.process(record)) last.set(alert.id, alert)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { name, faults: [error.message], alerts: [] }
  }
  const alerts = [...last.values()].filter(({ metadata }) => metadata['mergedInto'] === undefined)
  return { name, faults: faultsOf(test, alerts), alerts }
}

/** Settings and rule, the events in the order given, and time until every alert is closed. */
function* recordsOf(rule: CompiledRule, test: RuleTest): Generator<EngineRecord> {
  let offset = 0n
  let t = test.start
  let logTime = test.start - MINUTE_MS
  const control = { kind: 'control', appendTime: logTime } as const
  yield { ...control, offset: offset++, control: { kind: 'organization', organization: organizationOf(test.settings) } }
  yield { ...control, offset: offset++, control: { kind: 'rule', rule: { ...rule.record, state: 'active' } } }
  for (const event of test.events) {
    const first = momentOf(event.at, test.start, t)
    const arrival = event.arrives === null ? null : momentOf(event.arrives, test.start, logTime)
    for (let n = 0; n < event.repeat; n++) {
      t = first + n * event.everyMs
      logTime = Math.max(logTime, arrival ?? t)
      yield { kind: 'event', appendTime: logTime, offset, event: parsedEvent(auditEvent(event, `event-${offset}`, t)) }
      offset++
    }
  }
  yield { kind: 'tick', appendTime: logTime + UNTIL_ALL_IS_CLOSED_MS, offset }
}

const momentOf = ({ since, ms }: Moment, start: EpochMs, previous: EpochMs): EpochMs =>
  (since === 'start' ? start : previous) + ms

const organizationOf = (settings: OrganizationSettings) => ({
  organizationId: ORGANIZATION,
  version: 1,
  slug: 'test',
  name: 'Test',
  partition: 0,
  settings,
  recipients: { emails: [], slackChannels: [], phoneNumbers: [] },
  keys: [],
})

/** What the test leaves out is filled in as ingest does. */
function auditEvent({ fields }: TestEvent, id: string, t: EpochMs): AuditEvent {
  const given = { action: 'test.event', status: 'success', ...fields } as Partial<AuditEvent> &
    Pick<AuditEvent, 'action' | 'status'>
  return {
    id,
    timestamp: isoTime(t),
    receivedAt: isoTime(t),
    organizationId: ORGANIZATION,
    outcome: outcomeOf(given),
    category: categoryOf(given),
    operation: operationOf(given),
    dataClassification: classificationOf(given),
    integrity: 'absent',
    source: { format: 'tocsin', name: 'test' },
    ...given,
  }
}

function faultsOf({ alerts: expected }: RuleTest, alerts: readonly AlertFigures[]): string[] {
  const faults = expected.flatMap((each, index) => {
    const alert = alerts[index]
    return alert === undefined ? [] : differences(figuresOf(alert), each, `alert ${index + 1}`)
  })
  if (alerts.length === expected.length) return faults
  const raised = alerts.length === 0 ? '' : `: ${alerts.map(({ title, severity }) => `${severity} ${title}`).join('; ')}`
  return [`${expected.length} alerts are expected, ${alerts.length} were raised${raised}`, ...faults]
}

/** By the names that a test may use. */
const figuresOf = (alert: AlertFigures): Readonly<Record<string, unknown>> => ({
  ...alert,
  threshold: alert.window.threshold,
  value: alert.window.value,
})

/** Every value that is expected must be there; maps may have more. */
function differences(actual: unknown, expected: unknown, place: string): string[] {
  if (isMap(expected) && isMap(actual))
    return Object.entries(expected).flatMap(([key, value]) => differences(actual[key], value, `${place}, ${key}`))
  if (JSON.stringify(actual) === JSON.stringify(expected)) return []
  return [`${place}: ${JSON.stringify(expected)} is expected, it is ${JSON.stringify(actual) ?? 'absent'}`]
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
