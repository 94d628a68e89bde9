/**
 * Random streams for the property tests: few principals, small thresholds and spans, and times on a coarse grid with a
 * millisecond more or less, so that boundaries (span, Q, R, 10 s, 60 s) are hit often.
 */
import type { AuditEvent, OrganizationSettings, RuleRecord, Severity } from '@tocsin/contracts'
import fc from 'fast-check'
import type { ModelLimits } from './model-limits.ts'
import type { ModelPattern } from './model-patterns.ts'
import type { ModelRecord } from './model-types.ts'

export interface Stream {
  readonly day0: number
  /** In force before the first record. */
  readonly settings: ReadonlyMap<string, OrganizationSettings>
  /** Instead of the built-in pack: every version of every rule, the first of each in force before the first record. */
  readonly rules?: readonly ModelledRule[]
  readonly limits?: ModelLimits
  readonly records: readonly ModelRecord[]
}

export interface ModelledRule {
  readonly record: RuleRecord
  readonly pattern: ModelPattern
}

export const ORGANIZATIONS = ['0f0e0d0c-0b0a-4908-8706-050403020100', '1f0e0d0c-0b0a-4908-8706-050403020100'] as const

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Days with something to trip over: a change to and from summer time, a week's end, a plain day. */
const STARTS = [
  '2026-03-06T21:30:00Z',
  '2026-03-28T16:30:00Z',
  '2026-10-24T14:00:00Z',
  '2026-10-31T20:00:00Z',
  '2026-07-01T09:00:00Z',
].map((text) => Date.parse(text))
const ZONES = ['UTC', 'Asia/Kathmandu', 'America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe'] as const

type Content = Pick<AuditEvent, 'category' | 'operation' | 'outcome'> & Partial<AuditEvent>

const CONTENTS: readonly Content[] = [
  { category: 'authentication', operation: 'login', outcome: 'failure' },
  { category: 'authentication', operation: 'login', outcome: 'denied' },
  { category: 'authentication', operation: 'login', outcome: 'success' },
  { category: 'authentication', operation: 'logout', outcome: 'success' },
  { category: 'data', operation: 'read', outcome: 'denied', targetResourceType: 'Patient', targetResourceId: 'p1' },
  { category: 'data', operation: 'read', outcome: 'success', targetResourceType: 'Patient', targetResourceId: 'p1' },
  { category: 'data', operation: 'read', outcome: 'success', dataClassification: 'PHI' },
  { category: 'data', operation: 'export', outcome: 'success', recordCount: 7 },
  { category: 'data', operation: 'import', outcome: 'unknown' },
  { category: 'other', operation: 'bulk', outcome: 'success', recordCount: 0 },
  { category: 'other', operation: 'read', outcome: 'success', recordCount: 11 },
  { category: 'other', operation: 'read', outcome: 'success', recordCount: 10 },
  { category: 'other', operation: 'export', outcome: 'success', recordCount: Number.MAX_SAFE_INTEGER },
  { category: 'other', operation: 'export', outcome: 'denied', recordCount: 40 },
  { category: 'authorization', operation: 'grant', outcome: 'denied', targetResourceType: 'Patient', targetResourceId: 'p2' },
  { category: 'data', operation: 'read', outcome: 'success', targetResourceType: 'Observation' },
  { category: 'other', operation: 'other', outcome: 'success', integrity: 'violated' },
  { category: 'other', operation: 'update', outcome: 'success', idConflict: true, source: { format: 'tocsin', name: 'hr' } },
  { category: 'other', operation: 'other', outcome: 'success', action: 'cloudtrail:StopLogging', targetResourceId: 'trail' },
  { category: 'other', operation: 'other', outcome: 'denied', action: 'cloudtrail:StopLogging', targetResourceId: 'trail' },
  { category: 'other', operation: 'other', outcome: 'success', action: 'Audit.Logging.Disable' },
  { category: 'other', operation: 'update', outcome: 'success', dataClassification: 'PHI', gdprContext: { legalBasis: '' } },
  { category: 'other', operation: 'update', outcome: 'success', gdprContext: { legalBasis: 'contract' } },
  { category: 'system', operation: 'other', outcome: 'success', processingLatency: 1500, queueDepth: 100 },
  { category: 'system', operation: 'other', outcome: 'success', processingLatency: 1001, queueDepth: 99 },
  { category: 'system', operation: 'other', outcome: 'success', processingLatency: 2001, queueDepth: 500 },
  { category: 'authorization', operation: 'grant', outcome: 'success', targetResourceId: 'u1' },
  { category: 'authorization', operation: 'grant', outcome: 'success', targetResourceId: 'u2' },
]

type Who = Pick<AuditEvent, 'principalId' | 'sessionContext'>

const WHO: readonly Who[] = [
  { principalId: 'u1', sessionContext: { ipAddress: '10.0.0.1' } },
  { principalId: 'u2', sessionContext: { ipAddress: '10.0.0.1' } },
  { principalId: 'u3', sessionContext: { ipAddress: '10.0.0.1' } },
  { principalId: 'u1', sessionContext: { ipAddress: '10.0.0.2' } },
  { sessionContext: { ipAddress: '10.0.0.1' } },
  { principalId: '10.0.0.1' },
  { principalId: ' ', sessionContext: { sessionId: 's1' } },
  {},
]

interface Step {
  readonly kind: 'event' | 'copy' | 'conflict' | 'tick' | 'other'
  readonly advance: { readonly halves: number; readonly ms: number }
  readonly lag: { readonly halves: number; readonly ms: number }
  readonly organization: number
  readonly content: number
  readonly who: number
  readonly earlier: number
}

const jitter = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(-1, 1) })

/** A burst: nearly no log time passes, so that nothing is forgotten and late events join alerts. */
export const burst = fc.oneof(
  { weight: 20, arbitrary: fc.constant({ halves: 0, ms: 0 }) },
  { weight: 3, arbitrary: fc.record({ halves: fc.integer({ min: 0, max: 2 }), ms: jitter }) },
)

export const calm = fc.oneof(
  { weight: 10, arbitrary: fc.constant({ halves: 0, ms: 0 }) },
  { weight: 8, arbitrary: fc.record({ halves: fc.integer({ min: 0, max: 4 }), ms: jitter }) },
  { weight: 2, arbitrary: fc.record({ halves: fc.integer({ min: 5, max: 40 }), ms: jitter }) },
  { weight: 2, arbitrary: fc.record({ halves: fc.constant(0), ms: fc.constantFrom(9_999, 10_000, 59_999, 60_000) }) },
  { weight: 1, arbitrary: fc.record({ halves: fc.constant(0), ms: fc.constantFrom(-500, -HOUR, -HOUR - 1, -2 * HOUR) }) },
)

export const lag = fc.oneof(
  { weight: 10, arbitrary: fc.record({ halves: fc.integer({ min: 0, max: 4 }), ms: jitter }) },
  { weight: 8, arbitrary: fc.record({ halves: fc.integer({ min: -2, max: 30 }), ms: jitter }) },
  { weight: 1, arbitrary: fc.record({ halves: fc.integer({ min: 50, max: 60 }), ms: jitter }) },
  { weight: 1, arbitrary: fc.record({ halves: fc.constant(0), ms: fc.constantFrom(5 * MINUTE, 5 * MINUTE + 1, -DAY, DAY) }) },
)

/** `focus`: a stream about one or two contents makes dense groups; `undefined` takes them all. */
const steps = (size: number): fc.Arbitrary<Step[]> =>
  fc
    .record({
      contents: fc.oneof(
        fc.constantFrom(
          [0, 1, 2],
          [0, 2],
          [0, 1],
          [4, 14],
          [5, 6, 15],
          [7, 8, 9],
          [7, 8, 10, 12],
          [0],
          [16, 17],
          [18, 19, 20],
          [21, 22, 6],
          [23, 24],
          [23, 24, 25],
          [26, 27, 7],
          [26, 9, 13],
        ),
        fc.constant(CONTENTS.map((_, i) => i)),
      ),
      who: fc.oneof(fc.constantFrom([0], [0, 1], [0, 1, 2]), fc.constant(WHO.map((_, i) => i))),
      advance: fc.constantFrom(calm, calm, burst),
      organizations: fc.oneof({ weight: 4, arbitrary: fc.constant([0]) }, { weight: 1, arbitrary: fc.constant([0, 1]) }),
    })
    .chain(({ contents, who, advance, organizations }) =>
      fc.array(
        fc.record({
          kind: fc.oneof(
            { weight: 14, arbitrary: fc.constant('event' as const) },
            { weight: 2, arbitrary: fc.constant('copy' as const) },
            { weight: 1, arbitrary: fc.constant('conflict' as const) },
            { weight: 3, arbitrary: fc.constant('tick' as const) },
            { weight: 1, arbitrary: fc.constant('other' as const) },
          ),
          advance,
          lag,
          organization: fc.constantFrom(...organizations),
          content: fc.constantFrom(...contents),
          who: fc.constantFrom(...who),
          earlier: fc.nat({ max: 10 }),
        }),
        { minLength: 1, maxLength: size, size: 'max' },
      ),
    )

export const settingsOf = (unit: number): fc.Arbitrary<OrganizationSettings> => {
  const spans = fc.integer({ min: 1, max: 5 }).map((n) => n * unit)
  const gaps = fc.integer({ min: 0, max: 3 }).map((n) => n * unit)
  const lateness = fc.oneof(
    gaps,
    fc.integer({ min: 4, max: 20 }).map((n) => n * unit),
  )
  const few = fc.integer({ min: 1, max: 4 })
  return fc
    .record({
      zone: fc.constantFrom(...ZONES),
      holidays: fc.oneof(
        fc.constant<string[]>([]),
        fc.constantFrom(['2026-03-09'], weekdaysFrom('2026-03-02', 14), weekdaysFrom('2026-10-19', 14)),
      ),
      latenessMs: lateness,
      failedAuthThreshold: few,
      failedAuthTimeWindow: spans,
      unauthorizedAccessThreshold: few,
      unauthorizedAccessTimeWindow: spans,
      dataAccessVelocityThreshold: few,
      dataAccessTimeWindow: spans,
      bulkOperationThreshold: fc.integer({ min: 1, max: 20 }),
      bulkOperationTimeWindow: spans,
      alertCooldown: gaps,
      hours: fc.constantFrom(
        {},
        { offHoursStart: 18, offHoursEnd: 8 },
        { offHoursStart: 17, offHoursEnd: 2 },
        { offHoursStart: 24, offHoursEnd: 0 },
      ),
    })
    .map(({ hours, ...settings }) => ({ ...settings, ...hours }))
}

const SPRAYING = 'tocsin.password-spraying'
const RULE_IDS = ['tocsin.failed-auth', 'tocsin.bulk-operation', 'tocsin.off-hours', SPRAYING] as const
const severities = fc.constantFrom<Severity>('INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL')

/** With what an organization sets for single rules, and its exceptions (D60 to D62). */
export const ownSettingsOf = (unit: number): fc.Arbitrary<OrganizationSettings> => {
  const spans = fc.integer({ min: 1, max: 5 }).map((n) => n * unit)
  const gaps = fc.integer({ min: 0, max: 3 }).map((n) => n * unit)
  const few = fc.integer({ min: 1, max: 4 })
  const one = fc.record({ cooldownMs: gaps, latenessMs: gaps, severity: severities }, { requiredKeys: [] })
  const spraying = fc.record({ threshold: few, timespanMs: spans, severity: severities }, { requiredKeys: [] })
  const exception = fc.record({
    ruleId: fc.option(fc.constantFrom(...RULE_IDS)),
    match: fc.constantFrom<unknown>(
      { principalId: 'u1' },
      [{ ipAddress: '10.0.0.2' }, { operation: 'login', outcome: 'success' }],
      { category: ['data', 'other'], principalId: ['u2', 'u3'] },
    ),
    expiresAt: fc.option(fc.constantFrom(...STARTS).chain((start) => fc.nat({ max: 40 }).map((n) => isoOf(start + n * SECOND)))),
  })
  return fc
    .record({
      settings: settingsOf(unit),
      rules: fc.array(one, { maxLength: 3 }),
      spraying: fc.option(spraying),
      exceptions: fc.array(exception, { maxLength: 2 }),
    })
    .map(({ settings, rules, spraying, exceptions }) => ({
      ...settings,
      rules: Object.fromEntries([
        ...rules.map((rule, i) => [RULE_IDS[i] ?? '', { ...rule }] as const),
        ...(spraying === null ? [] : [[SPRAYING, { ...spraying }] as const]),
      ]),
      exceptions: exceptions.map((each, i) => ({ ...each, id: `x${i}`, reason: 'test', owner: 'test' })),
    }))
}

const isoOf = (t: number): string => new Date(t).toISOString()

function weekdaysFrom(date: string, days: number): string[] {
  return Array.from({ length: days }, (_, i) => new Date(Date.parse(date) + i * DAY).toISOString().slice(0, 10))
}

export const streams = (size: number, settings = settingsOf): fc.Arbitrary<Stream> =>
  fc.constantFrom(SECOND, SECOND, MINUTE, HOUR).chain((unit) =>
    fc
      .record({ start: fc.constantFrom(...STARTS), first: settings(unit), second: settings(unit), steps: steps(size) })
      .map(({ start, first, second, steps }) => ({
        day0: Math.floor(start / DAY) * DAY,
        settings: new Map([
          [ORGANIZATIONS[0], first],
          [ORGANIZATIONS[1], second],
        ]),
        records: recordsOf(start, unit / 2, steps),
      })),
  )

function recordsOf(start: number, half: number, steps: readonly Step[]): ModelRecord[] {
  const events: AuditEvent[] = []
  let appendTime = start
  return steps.map((step) => {
    appendTime += step.advance.halves * half + step.advance.ms
    if (step.kind === 'tick' || step.kind === 'other') return { kind: step.kind, appendTime }
    const earlier = events[events.length - 1 - step.earlier]
    if (step.kind === 'copy' && earlier !== undefined) return { kind: 'event', appendTime, event: earlier }
    const onGrid = start + Math.floor((appendTime - start) / half) * half
    // A lag of minutes is exact, so that the limit of skew is hit to the millisecond.
    const from = Math.abs(step.lag.ms) > 1 ? appendTime : onGrid
    const t = from - step.lag.halves * half + step.lag.ms
    const id = step.kind === 'conflict' && earlier !== undefined ? earlier.id : `e${events.length}`
    const event = eventOf(id, t, step)
    events.push(event)
    return { kind: 'event', appendTime, event }
  })
}

const eventOf = (id: string, t: number, { organization, content, who }: Step): AuditEvent => {
  const { category, operation, outcome, ...more } = CONTENTS[content] ?? {
    category: 'other',
    operation: 'other',
    outcome: 'unknown',
  }
  return makeEvent({
    id,
    t,
    organizationId: ORGANIZATIONS[organization] ?? ORGANIZATIONS[0],
    category,
    operation,
    outcome,
    ...WHO[who],
    ...more,
  })
}

/** A whole event from what matters to detection. */
export function makeEvent({ t, ...event }: Content & { id: string; t: number; organizationId?: string }): AuditEvent {
  return {
    timestamp: new Date(t).toISOString(),
    receivedAt: '2026-01-01T00:00:00.000Z',
    organizationId: ORGANIZATIONS[0],
    action: `${event.category}.${event.operation}`,
    status: event.outcome === 'success' ? 'success' : event.outcome === 'unknown' ? 'attempt' : 'failure',
    dataClassification: 'INTERNAL',
    integrity: 'absent',
    source: { format: 'tocsin', name: 'test' },
    ...event,
  }
}

/** The streams with room for a few of the given things only. */
export const limited = (streams: fc.Arbitrary<Stream>, scarce: readonly (keyof ModelLimits)[]): fc.Arbitrary<Stream> => {
  const roomFor = (what: keyof ModelLimits) => (scarce.includes(what) ? fc.integer({ min: 1, max: 12 }) : fc.constant(1_000_000))
  const limits = fc.record({
    eventsPerGroup: roomFor('eventsPerGroup'),
    eventsPerOrganization: roomFor('eventsPerOrganization'),
    groupsPerOrganization: roomFor('groupsPerOrganization'),
  })
  return fc.tuple(streams, limits).map(([stream, limits]) => ({ ...stream, limits }))
}
