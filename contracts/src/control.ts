import { type Static, Type } from 'typebox'
import { ROLES } from './permissions.ts'
import { RuleException, RuleSettings } from './rule-settings.ts'

/** From a minute to 30 days, in milliseconds. */
const ExpiryMs = Type.Optional(Type.Union([Type.Integer({ minimum: 60_000, maximum: 2_592_000_000 }), Type.Null()]))

/**
 * Settings of an organization. Detection names are the seed's (times in milliseconds, hours as hour of day) and override
 * the rules' defaults (detection.md §3).
 */
const RetentionDays = Type.Optional(Type.Integer({ minimum: 1, maximum: 36_500 }))
export const OrganizationSettings = Type.Object(
  {
    zone: Type.Optional(Type.String({ description: 'IANA zone of the calendar; default UTC' })),
    holidays: Type.Optional(
      Type.Array(Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' }), { description: 'Local dates without business hours' }),
    ),
    latenessMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 604_800_000 })),
    failedAuthThreshold: Type.Optional(Type.Integer({ minimum: 1 })),
    failedAuthTimeWindow: Type.Optional(Type.Integer({ minimum: 1 })),
    unauthorizedAccessThreshold: Type.Optional(Type.Integer({ minimum: 1 })),
    unauthorizedAccessTimeWindow: Type.Optional(Type.Integer({ minimum: 1 })),
    dataAccessVelocityThreshold: Type.Optional(Type.Integer({ minimum: 1 })),
    dataAccessTimeWindow: Type.Optional(Type.Integer({ minimum: 1 })),
    bulkOperationThreshold: Type.Optional(Type.Integer({ minimum: 1 })),
    bulkOperationTimeWindow: Type.Optional(Type.Integer({ minimum: 1 })),
    offHoursStart: Type.Optional(Type.Integer({ minimum: 0, maximum: 24 })),
    offHoursEnd: Type.Optional(Type.Integer({ minimum: 0, maximum: 24 })),
    alertCooldown: Type.Optional(Type.Integer({ minimum: 0 })),
    rules: Type.Optional(
      Type.Record(Type.String({ minLength: 1, maxLength: 255 }), RuleSettings, {
        maxProperties: 1000,
        description: 'By rule id. A figure that a name above sets for the same rule may not be set to something else here',
      }),
    ),
    exceptions: Type.Optional(Type.Array(RuleException, { maxItems: 200 })),
    notificationDelaysMs: Type.Optional(
      Type.Object(
        {
          CRITICAL: Type.Optional(Type.Integer({ minimum: 0 })),
          HIGH: Type.Optional(Type.Integer({ minimum: 0 })),
          MEDIUM: Type.Optional(Type.Integer({ minimum: 0 })),
          LOW: Type.Optional(Type.Integer({ minimum: 0 })),
          INFO: Type.Optional(Type.Integer({ minimum: 0 })),
        },
        { additionalProperties: false, description: 'Delay before telling, by severity; overrides the default routes' },
      ),
    ),
    retentionDays: Type.Optional(
      Type.Object(
        { CRITICAL: RetentionDays, HIGH: RetentionDays, MEDIUM: RetentionDays, LOW: RetentionDays, INFO: RetentionDays },
        {
          additionalProperties: false,
          description: 'Days after its last change for which an alert that has ended is kept, by severity. Default 400',
        },
      ),
    ),
    historyRetentionDays: Type.Optional(
      Type.Integer({
        minimum: 30,
        maximum: 36_500,
        description: 'Days for which the history is kept. Default 2557, seven years',
      }),
    ),
    acknowledgementExpiryMs: Type.Optional(
      Type.Object(
        { CRITICAL: ExpiryMs, HIGH: ExpiryMs, MEDIUM: ExpiryMs, LOW: ExpiryMs, INFO: ExpiryMs },
        {
          additionalProperties: false,
          description:
            'How long an acknowledgement holds, by severity, before the alert is active again; null: for ever. Default 1 h for CRITICAL, 4 h for HIGH, else for ever',
        },
      ),
    ),
  },
  { $id: 'OrganizationSettings', additionalProperties: false },
)
export type OrganizationSettings = Static<typeof OrganizationSettings>

/** Whom to tell by default: the default routes send to all of a channel. */
export const Recipients = Type.Object(
  {
    emails: Type.Array(Type.String({ maxLength: 255 })),
    slackChannels: Type.Array(Type.String({ maxLength: 255 })),
    phoneNumbers: Type.Array(Type.String({ maxLength: 32 })),
  },
  { additionalProperties: false },
)
export type Recipients = Static<typeof Recipients>

/** What the operator allows an organization; absent: as the installation is configured. */
export const OrganizationLimits = Type.Object(
  {
    eventsPerSecond: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000_000, description: 'Events that ingest takes, lasting' }),
    ),
    eventsBurst: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100_000_000, description: 'Events that ingest takes at once' }),
    ),
  },
  { $id: 'OrganizationLimits', additionalProperties: false },
)
export type OrganizationLimits = Static<typeof OrganizationLimits>

/** Value on `tenants` (key: organizationId; null: deleted), and content of a control record of kind `organization`. */
export const TenantRecord = Type.Object(
  {
    organizationId: Type.String({ format: 'uuid' }),
    version: Type.Integer({ minimum: 1 }),
    slug: Type.String({ maxLength: 63 }),
    name: Type.String({ maxLength: 255 }),
    partition: Type.Integer({
      minimum: 0,
      description: 'of audit.events, alerts and their kin: chosen once, used by every writer',
    }),
    settings: OrganizationSettings,
    recipients: Recipients,
    limits: Type.Optional(OrganizationLimits),
    keys: Type.Array(
      Type.Object({
        id: Type.String(),
        hash: Type.String({ description: 'SHA-256 of the key, hex' }),
        scopes: Type.Array(Type.String()),
        source: Type.Optional(Type.String({ description: 'The only source name this key may send as' })),
        expiresAt: Type.Optional(Type.String({ format: 'date-time', description: 'A key that was replaced ends then' })),
      }),
    ),
  },
  { $id: 'TenantRecord' },
)
export type TenantRecord = Static<typeof TenantRecord>

/** Value on `rules` (key: rule id, or organizationId/ruleId; null: its organization was deleted), and content of a control record of kind `rule`. */
export const RuleRecord = Type.Object(
  {
    ruleId: Type.String({ maxLength: 255 }),
    organizationId: Type.Union([Type.String({ format: 'uuid' }), Type.Null()], {
      description: 'null: for the whole installation',
    }),
    version: Type.Integer({ minimum: 1 }),
    hash: Type.String({ description: 'SHA-256 of content, hex' }),
    state: Type.Enum(['active', 'paused', 'retired']),
    content: Type.String({ maxLength: 262_144, description: 'The Sigma document, YAML as authored' }),
  },
  { $id: 'RuleRecord' },
)
export type RuleRecord = Static<typeof RuleRecord>

/**
 * A change of rules or settings, in `audit.events`: takes effect at exactly its offset. After `organizationDeleted` nothing is held of the
 * organization, its rules and its open alerts. Header tocsin-type: control.
 */
export const ControlRecord = Type.Union(
  [
    Type.Object({ kind: Type.Literal('rule'), rule: RuleRecord }),
    Type.Object({ kind: Type.Literal('organization'), organization: TenantRecord }),
    Type.Object({ kind: Type.Literal('organizationDeleted'), organizationId: Type.String({ format: 'uuid' }) }),
  ],
  { $id: 'ControlRecord' },
)
export type ControlRecord = Static<typeof ControlRecord>

/**
 * Value on `exception.hits` (key: organizationId), written by the detector: how often each exception of the organization has kept an event
 * out of a rule since it was first set. Totals, so that a later record replaces the one before.
 */
export const ExceptionHits = Type.Object(
  {
    organizationId: Type.String({ format: 'uuid' }),
    hits: Type.Array(Type.Object({ id: Type.String(), count: Type.Integer({ minimum: 0 }) })),
  },
  { $id: 'ExceptionHits' },
)
export type ExceptionHits = Static<typeof ExceptionHits>

/** Written by ingest to every partition each 10 s, so that log time moves on. Header tocsin-type: tick. */
export const Tick = Type.Object({ at: Type.String({ format: 'date-time' }) }, { $id: 'Tick' })
export type Tick = Static<typeof Tick>

/** Value on `access` (key: subject). An empty list of memberships and operator false is a revocation; so is null. */
export const AccessRecord = Type.Object(
  {
    subject: Type.String({ maxLength: 255 }),
    version: Type.Integer({ minimum: 1 }),
    operator: Type.Boolean(),
    memberships: Type.Array(
      Type.Object({
        organizationId: Type.String({ format: 'uuid' }),
        role: Type.Enum([...ROLES]),
      }),
    ),
    notBefore: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
      description: 'Tokens issued earlier are refused',
    }),
  },
  { $id: 'AccessRecord' },
)
export type AccessRecord = Static<typeof AccessRecord>
