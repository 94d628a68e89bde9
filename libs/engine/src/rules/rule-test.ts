import {
  CATEGORIES,
  CLASSIFICATIONS,
  EVENT_STATUSES,
  OPERATIONS,
  OrganizationSettings,
  OUTCOMES,
  RuleTestAlert,
  RuleTestCase,
  RuleTestEvent,
  SEVERITIES,
} from '@tocsin/contracts'
import { type DurationMs, type EpochMs, isoTime, UNIT_MS } from '../time.ts'
import type { Data, ExtensionReader, Path } from './extension-reader.ts'

/**
 * A test in a rule: `x-tocsin.tests` is a list of `{name, start?, settings?, events, alerts}`.
 *
 * - `start`: RFC 3339; a Monday, 12:00 UTC, unless given.
 * - `settings`: the organization's (contracts: OrganizationSettings).
 * - `events`: maps of canonical fields and of `at`: time after the start (`90s`, `1h30m`; before it: `-1h`) or after the event before
 *   (`+10s`; `+0s` unless given); `arrives`: log time, written alike (after the start, or `+` after the arrival before);
 *   the event's own time unless that has passed; `repeat` and `every`: so many events, so far apart. What is absent is filled
 *   in as ingest does. Each event has an id of its own unless `id` is given.
 * - `alerts`: what is raised, in this order, and known of each when it has closed; figures that are absent are not compared.
 */
export interface RuleTest {
  readonly name: string
  readonly start: EpochMs
  readonly settings: OrganizationSettings
  readonly events: readonly TestEvent[]
  /** By the names of RuleTestAlert (contracts); times as in an alert. */
  readonly alerts: readonly Data[]
}

export interface TestEvent {
  readonly at: Moment
  readonly arrives: Moment | null
  readonly repeat: number
  readonly everyMs: DurationMs
  /** Fields of the canonical event. */
  readonly fields: Data
}

/** So long after the start of the test, or after the event before. */
export interface Moment {
  readonly since: 'start' | 'previous'
  readonly ms: DurationMs
}

const DEFAULT_START = '2026-03-02T12:00:00Z'
const MAX_TESTS = 100
const MAX_EVENTS = 1000
const MAX_REPEAT = 100_000
const WORDS: Readonly<Record<string, readonly string[]>> = {
  status: EVENT_STATUSES,
  outcome: OUTCOMES,
  category: CATEGORIES,
  operation: OPERATIONS,
  dataClassification: CLASSIFICATIONS,
  integrity: ['verified', 'violated', 'absent'],
}
const TEXTS = ['id', 'action', 'principalId', 'targetResourceType', 'targetResourceId', 'outcomeDescription', 'correlationId']

export function readTests(reader: ExtensionReader, map: Data): readonly RuleTest[] {
  if (map['tests'] === undefined) return []
  return listOf(reader, map, [], 'tests', MAX_TESTS).map((item, index) => readTest(reader, item, ['tests', index]))
}

function readTest(reader: ExtensionReader, item: unknown, path: Path): RuleTest {
  const test = reader.map(item, path)
  reader.only(test, path, Object.keys(RuleTestCase.properties))
  const start = Date.parse(reader.text(test, path, 'start', 40) ?? DEFAULT_START)
  if (Number.isNaN(start)) reader.refuse([...path, 'start'], '"start" must be a time such as 2026-03-02T12:00:00Z.')
  return {
    name: reader.required(reader.text(test, path, 'name', 256), path, 'name'),
    start,
    settings: readSettings(reader, test, [...path, 'settings']),
    events: listOf(reader, test, path, 'events', MAX_EVENTS).map((each, index) =>
      readEvent(reader, each, [...path, 'events', index]),
    ),
    alerts: listOf(reader, test, path, 'alerts', MAX_EVENTS).map((each, index) =>
      readAlert(reader, each, [...path, 'alerts', index], start),
    ),
  }
}

function readSettings(reader: ExtensionReader, test: Data, path: Path): OrganizationSettings {
  const settings = reader.map(test['settings'] ?? {}, path)
  reader.only(settings, path, Object.keys(OrganizationSettings.properties))
  return settings
}

function readEvent(reader: ExtensionReader, item: unknown, path: Path): TestEvent {
  const event = reader.map(item, path)
  reader.only(event, path, Object.keys(RuleTestEvent.properties))
  for (const [name, words] of Object.entries(WORDS)) reader.oneOf(event, path, name, words)
  for (const name of TEXTS) reader.text(event, path, name, 2000)
  for (const name of ['sessionContext', 'source', 'gdprContext', 'fhirContext', 'details'])
    if (event[name] !== undefined) reader.map(event[name], [...path, name])
  const { at, arrives, repeat, every, ...fields } = event
  const everyMs = readMoment(reader, every ?? '0s', [...path, 'every'])
  return {
    at: readMoment(reader, at ?? '+0s', [...path, 'at']),
    arrives: arrives === undefined ? null : readMoment(reader, arrives, [...path, 'arrives']),
    repeat: repeat === undefined ? 1 : (reader.integer(event, path, 'repeat', 1, MAX_REPEAT) ?? 1),
    everyMs: everyMs.ms,
    fields,
  }
}

function readAlert(reader: ExtensionReader, item: unknown, path: Path, start: EpochMs): Data {
  const alert = reader.map(item, path)
  reader.only(alert, path, Object.keys(RuleTestAlert.properties))
  reader.oneOf(alert, path, 'severity', SEVERITIES)
  const times = ['firstSeen', 'lastSeen'].flatMap((name): [string, string][] =>
    alert[name] === undefined ? [] : [[name, isoTime(start + readMoment(reader, alert[name], [...path, name]).ms)]],
  )
  return { ...alert, ...Object.fromEntries(times) }
}

function readMoment(reader: ExtensionReader, value: unknown, path: Path): Moment {
  const [, sign, parts] = (typeof value === 'string' ? /^([+-]?)((?:\d{1,9}(?:ms|s|m|h|d))+)$/.exec(value) : null) ?? []
  if (parts === undefined) return reader.refuse(path, 'A time is written such as 90s, 1h30m or +10s.')
  let ms = 0
  for (const [, amount, unit = ''] of parts.matchAll(/(\d+)(ms|s|m|h|d)/g)) ms += Number(amount) * (UNIT_MS[unit] ?? 1)
  return { since: sign === '+' ? 'previous' : 'start', ms: sign === '-' ? -ms : ms }
}

function listOf(reader: ExtensionReader, map: Data, path: Path, key: string, most: number): readonly unknown[] {
  const list = map[key]
  if (Array.isArray(list) && list.length <= most) return list
  return reader.refuse([...path, key], `"${key}" must be a list of at most ${most}.`)
}
