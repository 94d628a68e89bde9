import type { AlertFigures, Pattern } from '@tocsin/contracts'
import { notedHash } from '../event/event-values.ts'
import type { Group } from '../group.ts'
import type { Unit } from '../rules/requirement.ts'
import { DAY_MS, type DurationMs, type EpochMs, HOUR_MS, isoTime, MINUTE_MS, SECOND_MS } from '../time.ts'
import type { Episode } from './episode.ts'
import { cut, renderEvidence } from './evidence.ts'

/** Who raised it. */
const SOURCE = 'detector'
const MOST_TYPES_NAMED = 50
const TITLE_LIMIT = 255

export interface Rendering {
  readonly organizationId: string
  /** Log time of the record that publishes it. */
  readonly logTime: EpochMs
  readonly topic: string
  readonly partition: number
  readonly open: boolean
  /** Id of the alert that this one was joined with. */
  readonly mergedInto: string | null
}

/** The detector's half of an alert, as it is at this moment. */
export function renderFigures(group: Group, episode: Episode, rendering: Rendering): AlertFigures {
  const { rule } = group.program
  const { requirements } = group.condition
  const { shown, night } = group
  const isAhead = rule.settled?.isAhead === true
  return {
    id: episode.opening.id,
    organizationId: rendering.organizationId,
    type: rule.type,
    severity: episode.severity,
    title: cut(`${rule.title}: ${Object.values(shown).join(', ')}`, TITLE_LIMIT),
    description: describe(group, episode, shown),
    source: SOURCE,
    rule: { id: rule.record.ruleId, name: rule.title, version: rule.record.version, hash: rule.record.hash },
    pattern: rule.pattern,
    group: shown,
    window: {
      from: isoTime(night === null ? episode.firstTrue - (isAhead ? 0 : group.spanMs) : night.start),
      to: isoTime(night === null ? episode.firstTrue + (isAhead ? group.spanMs : 0) : night.end),
      spanMs: group.spanMs,
      threshold: requirements[0].atLeast,
      value: episode.windowValue,
    },
    firstSeen: isoTime(episode.firstSeen),
    lastSeen: isoTime(episode.lastSeen),
    count: episode.count,
    peak: episode.peak,
    revision: episode.revision,
    open: rendering.open,
    backfilled: !episode.live,
    metadata: {
      ...patternMetadata(group, episode),
      ...(group.adapted === null ? {} : { baseline: group.adapted.baseline }),
      ...(episode.lowerBound ? { countIsLowerBound: true } : {}),
      ...(rule.autoResolve ? { autoResolve: true } : {}),
      ...(rendering.mergedInto === null ? {} : { mergedInto: rendering.mergedInto }),
    },
    tags: [...rule.tags],
    runbook: rule.runbook,
    correlationId: episode.opening.correlationId,
    createdAt: isoTime(episode.opening.createdAt),
    updatedAt: isoTime(rendering.logTime),
    evidence: renderEvidence(group.evidence, episode.evidence, rendering.topic, rendering.partition),
  }
}

type Metadata = Record<string, unknown>

/** detection.md §3, last column, by the seed's names. */
const METADATA: Readonly<Record<Pattern, (group: Group, episode: Episode) => Metadata>> = {
  FAILED_AUTH: (group, episode) => ({
    attemptCount: episode.count,
    timeWindow: group.spanMs,
    source: Object.values(group.shown)[0] ?? null,
    distinctIps: episode.noted.size,
  }),
  UNAUTHORIZED_ACCESS: (group, episode) => ({
    principalId: group.shown['principalId'] ?? null,
    attemptCount: episode.count,
    distinctResources: episode.noted.size,
  }),
  DATA_VELOCITY: (group, episode) => ({
    accessCount: episode.count,
    resourceTypes: group.names
      .filter((name) => episode.noted.has(notedHash(name)))
      .sort()
      .slice(0, MOST_TYPES_NAMED)
      .map((name) => cut(name, 128)),
  }),
  BULK_OPERATION: (_group, episode) => ({ operationCount: episode.count, totalRecords: episode.total }),
  OFF_HOURS: (group, episode) => ({
    accessCount: episode.count,
    offHoursStart: group.night?.hours.start ?? null,
    offHoursEnd: group.night?.hours.end ?? null,
  }),
}

function patternMetadata(group: Group, episode: Episode): Metadata {
  const { rule } = group.program
  if (rule.pattern !== null) return METADATA[rule.pattern](group, episode)
  if (rule.unit === 'rules' || rule.unit === 'steps') return { rules: rulesMet(group, episode) }
  if (rule.unit === 'sum' || rule.valueFields.length === 0) return {}
  return { distinct: { [rule.valueFields.join(', ')]: episode.noted.size } }
}

/** Names of the rules of which the alert has counted events, in the order of the correlation. */
const rulesMet = (group: Group, episode: Episode): readonly string[] =>
  group.program.rule.partNames.filter((_name, place) => episode.noted.has(place + 1))

function describe(group: Group, episode: Episode, shown: Readonly<Record<string, string>>): string {
  const { requirements } = group.condition
  const whom = Object.entries(shown)
    .map(([field, value]) => `${field} ${cut(value, TITLE_LIMIT)}`)
    .join(', ')
  const number = `${episode.lowerBound ? 'At least ' : ''}${episode.count} ${episode.count === 1 ? 'event' : 'events'}`
  const sum = group.program.rule.unit === 'sum' ? ` with a total of ${episode.total}` : ''
  const time =
    episode.firstSeen === episode.lastSeen
      ? `at ${isoTime(episode.firstSeen)}`
      : `between ${isoTime(episode.firstSeen)} and ${isoTime(episode.lastSeen)}`
  const { unit, atLeast } = requirements[0]
  const within = group.night === null ? `within ${lengthOf(group.spanMs)}` : 'in one night'
  const met = unit === 'rules' || unit === 'steps' ? ` (${cut(rulesMet(group, episode).join(', '), 400)})` : ''
  return cut(
    `${number}${sum} of ${whom} ${time}: up to ${episode.peak}${UNITS[unit]}${met} ${within}, threshold ${atLeast}.`,
    1000,
  )
}

const UNITS: Readonly<Record<Unit, string>> = {
  events: '',
  sum: '',
  distinct: ' different values',
  rules: ' different rules',
  steps: ' rules in order',
}

const LENGTHS: readonly (readonly [DurationMs, string])[] = [
  [DAY_MS, 'd'],
  [HOUR_MS, 'h'],
  [MINUTE_MS, 'min'],
  [SECOND_MS, 's'],
]

function lengthOf(length: DurationMs): string {
  const [unit, name] = LENGTHS.find(([each]) => length >= each && length % each === 0) ?? [1, 'ms']
  return `${length / unit} ${name}`
}
