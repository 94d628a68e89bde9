import { type Static, Type } from 'typebox'
import { ALERT_STATUSES, ALERT_TYPES, DISMISS_REASONS, PATTERNS, SEVERITIES } from './vocabulary.ts'

const Time = Type.String({ format: 'date-time' })
const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()])

export const RuleRef = Type.Object({
  id: Type.String(),
  name: Type.String(),
  version: Type.Integer({ minimum: 1 }),
  hash: Type.String({ description: "SHA-256 of the rule's text, hex" }),
})
export type RuleRef = Static<typeof RuleRef>

export const AlertWindow = Type.Object({
  from: Time,
  to: Time,
  spanMs: Type.Integer({ minimum: 0, description: 'milliseconds' }),
  threshold: Type.Number(),
  value: Type.Number({ description: "in the condition's unit, at the first true moment" }),
})
export type AlertWindow = Static<typeof AlertWindow>

/** A held snapshot of one event that made the alert, with the place of its original (detection.md §2). */
export const Evidence = Type.Object({
  id: Type.String(),
  t: Time,
  subject: Type.Optional(Type.String()),
  action: Type.String(),
  outcome: Type.String(),
  target: Type.Optional(Type.String()),
  ip: Type.Optional(Type.String()),
  recordCount: Type.Optional(Type.Number()),
  classification: Type.Optional(Type.String()),
  topic: Type.String(),
  partition: Type.Integer(),
  offset: Type.String({ description: 'Kafka offset, decimal' }),
})
export type Evidence = Static<typeof Evidence>

const figures = {
  id: Type.String({ format: 'uuid' }),
  organizationId: Type.String({ format: 'uuid' }),
  type: Type.Enum([...ALERT_TYPES]),
  severity: Type.Enum([...SEVERITIES]),
  title: Type.String(),
  description: Type.String(),
  source: Type.String({ maxLength: 50, description: 'Who raised it: detector, monitor, api:NAME' }),
  rule: RuleRef,
  pattern: Nullable(Type.Enum([...PATTERNS])),
  group: Type.Record(Type.String(), Type.String()),
  window: AlertWindow,
  firstSeen: Time,
  lastSeen: Time,
  count: Type.Integer({ minimum: 0 }),
  peak: Type.Number(),
  revision: Type.Integer({ minimum: 1 }),
  open: Type.Boolean({ description: 'Whether the episode still goes on' }),
  backfilled: Type.Boolean({ description: 'Made of late events only' }),
  metadata: Type.Record(Type.String(), Type.Unknown()),
  tags: Type.Array(Type.String()),
  runbook: Nullable(Type.String()),
  correlationId: Nullable(Type.String()),
  createdAt: Time,
  updatedAt: Time,
}

/** Value of `alert.created`, `alert.revised`, `alert.closed`: the detector's half, numbered by `revision` from 1. */
export const AlertFigures = Type.Object({ ...figures, evidence: Type.Array(Evidence) }, { $id: 'AlertFigures' })
export type AlertFigures = Static<typeof AlertFigures>

/** What people (or the system in their place) did; a field that a change does not touch is absent. */
const statusFields = {
  status: Type.Enum([...ALERT_STATUSES]),
  assignee: Nullable(Type.String()),
  acknowledged: Type.Boolean(),
  acknowledgedAt: Nullable(Time),
  acknowledgedBy: Nullable(Type.String({ maxLength: 255 })),
  resolved: Type.Boolean(),
  resolvedAt: Nullable(Time),
  resolvedBy: Nullable(Type.String({ maxLength: 255 })),
  resolutionNotes: Nullable(Type.String()),
  resolutionAction: Nullable(Type.String({ maxLength: 2_000, description: 'What was done about it' })),
  resolutionMetadata: Nullable(Type.Record(Type.String(), Type.Unknown())),
  dismissedAt: Nullable(Time),
  dismissedBy: Nullable(Type.String({ maxLength: 255 })),
  dismissReason: Nullable(Type.Enum([...DISMISS_REASONS])),
  acknowledgementExpiresAt: Nullable(Type.String({ format: 'date-time', description: 'Then it is active again, unless ended' })),
  endedAtCount: Nullable(
    Type.Integer({ minimum: 0, description: '`count` when it was resolved or dismissed; a higher one since: it went on' }),
  ),
  labels: Type.Array(Type.String({ maxLength: 100 }), { description: "People's tags; `tags` are the rule's" }),
}

/** By which means somebody acted. */
export const ACT_CHANNELS = ['api', 'dashboard', 'cli', 'email', 'slack', 'system'] as const
export type ActChannel = (typeof ACT_CHANNELS)[number]

/** Value of `alert.acknowledged`, `alert.resolved`, …: persistence's half, numbered by `version` from 1 for each alert. */
export const AlertStatusChange = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    organizationId: Type.String({ format: 'uuid' }),
    version: Type.Integer({ minimum: 1 }),
    actor: Type.String({ maxLength: 255, description: 'Subject who acted, or system' }),
    updatedAt: Time,
    channel: Type.Optional(Type.Enum([...ACT_CHANNELS], { description: 'Absent in records of 0.1' })),
    comment: Type.Optional(Type.String({ maxLength: 10_000 })),
    changes: Type.Partial(Type.Object(statusFields)),
  },
  { $id: 'AlertStatusChange' },
)
export type AlertStatusChange = Static<typeof AlertStatusChange>

/** An alert as the API and the socket give it: both halves joined. `version` is 0 until somebody acts. */
export const Alert = Type.Object({ ...figures, ...statusFields, version: Type.Integer({ minimum: 0 }) }, { $id: 'Alert' })
export type Alert = Static<typeof Alert>

export const AlertWithEvidence = Type.Object(
  { ...Alert.properties, evidence: Type.Array(Evidence) },
  { $id: 'AlertWithEvidence' },
)
export type AlertWithEvidence = Static<typeof AlertWithEvidence>

/** Status half of an alert on which nobody has acted yet. */
export const UNTOUCHED = {
  version: 0,
  status: 'active',
  assignee: null,
  acknowledged: false,
  acknowledgedAt: null,
  acknowledgedBy: null,
  resolved: false,
  resolvedAt: null,
  resolvedBy: null,
  resolutionNotes: null,
  resolutionAction: null,
  resolutionMetadata: null,
  dismissedAt: null,
  dismissedBy: null,
  dismissReason: null,
  acknowledgementExpiresAt: null,
  endedAtCount: null,
  labels: [],
} as const satisfies Partial<Alert>

/**
 * Value of `alert.erased`, written by persistence. `retention`: the alert is gone, whole; `organization`: with its whole organization.
 * `erasure`: a person's data was taken out of it, so that readers put nothing in the place of whatever text they still hold of it.
 */
export const AlertErased = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    organizationId: Type.String({ format: 'uuid' }),
    at: Time,
    reason: Type.Enum(['retention', 'organization', 'erasure']),
  },
  { $id: 'AlertErased' },
)
export type AlertErased = Static<typeof AlertErased>

/** Record types of topic `alerts`, given in the header `tocsin-type`. */
export const FIGURE_RECORD_TYPES = ['alert.created', 'alert.revised', 'alert.closed'] as const
export type FigureRecordType = (typeof FIGURE_RECORD_TYPES)[number]
export const STATUS_RECORD_TYPES = [
  'alert.acknowledged',
  'alert.unacknowledged',
  'alert.resolved',
  'alert.dismissed',
  'alert.reopened',
  'alert.assigned',
  'alert.commented',
  'alert.tagged',
] as const
export type StatusRecordType = (typeof STATUS_RECORD_TYPES)[number]
export const ERASED_RECORD_TYPE = 'alert.erased'
/** Types that carry a half of an alert. */
export type AlertRecordType = FigureRecordType | StatusRecordType
