import { type Static, Type } from 'typebox'
import { AuditEvent } from './audit-event.ts'
import { OrganizationSettings } from './control.ts'
import { ALERT_TYPES, PATTERNS, SEVERITIES } from './vocabulary.ts'

const Duration = (description: string) =>
  Type.Optional(Type.String({ pattern: '^\\d{1,9}[smhd]$', description: `${description}; such as 5m, at most 7d` }))
const Moment = (description: string) =>
  Type.Optional(
    Type.String({ pattern: '^[+-]?(?:\\d{1,9}(?:ms|s|m|h|d))+$', description: `${description}; such as 90s or 1h30m` }),
  )
const Level = Type.Enum(['informational', 'low', 'medium', 'high', 'critical'])
const Selection = Type.String({ minLength: 1, maxLength: 256, description: 'Name of a detection of the rules' })
const closed = { additionalProperties: false }
/** Given by the test itself. */
const { timestamp: _, receivedAt: __, organizationId: ___, ...eventFields } = AuditEvent.properties

/** An event of a test: fields of the canonical event; what is absent is filled in as ingest does. */
export const RuleTestEvent = Type.Object(
  {
    at: Moment('Its time: after the start, or with + after the event before'),
    arrives: Moment('Log time, written alike; its own time unless that has passed'),
    repeat: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
    every: Moment('Between the repeated ones'),
    ...Type.Partial(Type.Object(eventFields)).properties,
  },
  closed,
)

/** Figures of an alert that is expected; those that are absent are not compared. */
export const RuleTestAlert = Type.Object(
  {
    severity: Type.Optional(Type.Enum([...SEVERITIES])),
    type: Type.Optional(Type.Enum([...ALERT_TYPES])),
    title: Type.Optional(Type.String()),
    group: Type.Optional(Type.Record(Type.String(), Type.String())),
    count: Type.Optional(Type.Integer({ minimum: 0 })),
    peak: Type.Optional(Type.Number()),
    threshold: Type.Optional(Type.Number()),
    value: Type.Optional(Type.Number()),
    firstSeen: Moment('After the start'),
    lastSeen: Moment('After the start'),
    backfilled: Type.Optional(Type.Boolean()),
    metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  closed,
)

export const RuleTestCase = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 256 }),
    start: Type.Optional(Type.String({ description: 'RFC 3339; a Monday, 12:00 UTC, unless given' })),
    settings: Type.Optional(OrganizationSettings),
    events: Type.Array(RuleTestEvent, { maxItems: 1_000 }),
    alerts: Type.Array(RuleTestAlert, {
      maxItems: 1_000,
      description: 'In the order in which they are raised, as they are when closed',
    }),
  },
  closed,
)

/** `x-tocsin` of a rule: what Sigma cannot say (docs/rules.md). The engine reads by these keys and no others. */
export const XTocsin = Type.Object(
  {
    id: Type.Optional(
      Type.String({ minLength: 1, maxLength: 255, description: "The rule's id; else the document's, else the file's name" }),
    ),
    type: Type.Optional(Type.Enum([...ALERT_TYPES], { description: 'Of the alert; default SECURITY' })),
    pattern: Type.Optional(
      Type.Enum([...PATTERNS], { description: "A built-in pattern: its settings of the organization and its alert's metadata" }),
    ),
    subject: Type.Optional(
      Type.Union([Type.String({ minLength: 1 }), Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: 8 })], {
        description: 'Fields of which the first present one names the group; default principalId, ipAddress, sessionId',
      }),
    ),
    default: Type.Optional(Type.Integer({ minimum: 0, description: 'Value of a summed field where it is absent' })),
    also: Type.Optional(
      Type.Object(
        {
          value_count: Type.Object(
            { field: Type.String({ minLength: 1, maxLength: 256 }), gte: Type.Integer({ minimum: 1, maximum: 10_000 }) },
            closed,
          ),
        },
        { ...closed, description: 'A second condition' },
      ),
    ),
    calendar: Type.Optional(
      Type.Object(
        { start: Type.Integer({ minimum: 0, maximum: 24 }), end: Type.Integer({ minimum: 0, maximum: 24 }) },
        { ...closed, description: 'Local hours: the window is the night from start to end' },
      ),
    ),
    severity: Type.Optional(
      Type.Array(
        Type.Union([
          Type.Object({ level: Level, 'peak-times-threshold': Type.Integer({ minimum: 1, maximum: 1_000_000 }) }, closed),
          Type.Object({ level: Level, any: Selection }, closed),
        ]),
        { maxItems: 8, description: 'Steps that raise the severity' },
      ),
    ),
    escalate: Type.Optional(
      Type.Object(
        { level: Level, selection: Selection },
        { ...closed, description: 'Another detection that raises the severity' },
      ),
    ),
    cooldown: Duration('Stretches this far apart are one alert'),
    lateness: Duration('How much later than its neighbours an event may arrive'),
    fold: Duration('Window of a detection that no correlation counts; default 1h'),
    runbook: Type.Optional(Type.String({ minLength: 1, maxLength: 1_000, description: 'Link or text for those who are told' })),
    autoResolve: Type.Optional(Type.Boolean({ description: 'The system resolves the alert once its episode has closed' })),
    baseline: Type.Optional(
      Type.Boolean({ description: 'A threshold that follows what is usual; the written one is the least' }),
    ),
    tests: Type.Optional(Type.Array(RuleTestCase, { maxItems: 100 })),
  },
  { $id: 'XTocsin', additionalProperties: false, description: 'What Sigma cannot say of a rule of Tocsin' },
)
export type XTocsin = Static<typeof XTocsin>

/** A Sigma document as an editor checks it: what is Sigma's stays free, `x-tocsin` is checked. */
export const RuleFile = Type.Object(
  { title: Type.String(), 'x-tocsin': Type.Optional(XTocsin) },
  { $id: 'RuleFile', additionalProperties: true, description: 'One document of a rule file' },
)
