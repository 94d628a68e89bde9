import { type Static, Type } from 'typebox'
import { ALERT_STATUSES, ALERT_TYPES, SEVERITIES } from '../vocabulary.ts'
import { type ApiOperation, Failures, Nullable, Time, Uuid } from './operation.ts'

const Count = Type.Integer({ minimum: 0 })
const countsOf = <T extends string>(words: readonly T[]) =>
  Type.Object(Object.fromEntries(words.map((word) => [word, Count])) as Record<T, typeof Count>)

/** How soon people answered; seconds from `createdAt`. null: nobody has yet. */
const Answered = Type.Object({
  count: Count,
  medianSeconds: Nullable(Type.Number()),
  p90Seconds: Nullable(Type.Number()),
})
const ResponseTimes = Type.Object({
  objectiveSeconds: Nullable(Type.Integer({ description: 'To acknowledge within; null: none' })),
  acknowledged: Answered,
  withinObjective: Count,
  resolved: Answered,
})

export const AlertStatistics = Type.Object(
  {
    from: Nullable(Time),
    to: Nullable(Time),
    total: Type.Integer({ minimum: 0, description: 'Alerts that were not merged into others: what follows is of these' }),
    merged: Count,
    byStatus: countsOf(ALERT_STATUSES),
    bySeverity: countsOf(SEVERITIES),
    byType: countsOf(ALERT_TYPES),
    bySource: Type.Array(Type.Object({ source: Type.String(), count: Count })),
    byRule: Type.Array(
      Type.Object({
        ruleId: Type.String(),
        name: Type.String({ description: 'As of its last alert' }),
        fires: Count,
        falsePositives: Count,
        falsePositiveShare: Type.Number({ minimum: 0, maximum: 1 }),
        lastFired: Time,
      }),
    ),
    responseTimes: Type.Object(
      Object.fromEntries(SEVERITIES.map((severity) => [severity, ResponseTimes])) as Record<
        (typeof SEVERITIES)[number],
        typeof ResponseTimes
      >,
    ),
  },
  { $id: 'AlertStatistics' },
)
export type AlertStatistics = Static<typeof AlertStatistics>

export const TREND_BUCKETS = ['hour', 'day', 'week'] as const
export type TrendBucket = (typeof TREND_BUCKETS)[number]

export const AlertTrend = Type.Object(
  {
    bucket: Type.Enum([...TREND_BUCKETS]),
    zone: Type.String({ description: "The organization's: days and weeks (from Monday) begin there" }),
    buckets: Type.Array(Type.Object({ from: Time, total: Count, bySeverity: countsOf(SEVERITIES) }), {
      description: 'In order; those without alerts too',
    }),
  },
  { $id: 'AlertTrend' },
)
export type AlertTrend = Static<typeof AlertTrend>

const range = {
  organizationId: Type.Optional(Uuid),
  from: Type.Optional(Type.String({ format: 'date-time', description: 'createdAt at or after' })),
  to: Type.Optional(Type.String({ format: 'date-time', description: 'createdAt before' })),
}

export const STATISTICS_OPERATIONS = {
  getStatistics: {
    service: 'persistence',
    method: 'GET',
    url: '/api/alerts/statistics',
    summary: 'Counts by state, severity, type, source and rule, and how soon people answered',
    permission: 'alerts:read',
    schema: {
      querystring: Type.Object(range, { additionalProperties: false }),
      response: { 200: AlertStatistics, ...Failures },
    },
  },
  getTrend: {
    service: 'persistence',
    method: 'GET',
    url: '/api/alerts/trend',
    summary: 'Alerts raised in each hour, day or week; at most 1,000 of them, the last 30 where no time is given',
    permission: 'alerts:read',
    schema: {
      querystring: Type.Object(
        { ...range, bucket: Type.Optional(Type.Enum([...TREND_BUCKETS], { description: 'day where absent' })) },
        { additionalProperties: false },
      ),
      response: { 200: AlertTrend, ...Failures },
    },
  },
} as const satisfies Record<string, ApiOperation>
