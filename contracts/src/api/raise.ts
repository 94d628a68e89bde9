import { type Static, Type } from 'typebox'
import { Alert } from '../alert.ts'
import { ALERT_TYPES, SEVERITIES } from '../vocabulary.ts'
import { type ApiOperation, Failures, Nullable, Uuid, WriteHeaders } from './operation.ts'

/** An alert that somebody, or a program with a key, raises without a rule. */
export const RaiseAlert = Type.Object(
  {
    type: Type.Enum([...ALERT_TYPES]),
    severity: Type.Enum([...SEVERITIES]),
    title: Type.String({ minLength: 1, maxLength: 255, pattern: '\\S' }),
    description: Type.Optional(Type.String({ maxLength: 10_000 })),
    metadata: Type.Optional(
      Type.Record(Type.String({ maxLength: 255 }), Type.Unknown(), {
        maxProperties: 100,
        description: 'mergedInto and autoResolve are reserved',
      }),
    ),
    tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 50 })),
    dedupKey: Type.Optional(
      Type.String({ minLength: 1, maxLength: 255, description: 'The same while its alert is open is a revision of that alert' }),
    ),
  },
  { $id: 'RaiseAlert', additionalProperties: false },
)
export type RaiseAlert = Static<typeof RaiseAlert>

const Labels = Type.Record(Type.String(), Type.String())
const PrometheusAlert = Type.Object({
  status: Type.Enum(['firing', 'resolved']),
  labels: Labels,
  annotations: Type.Optional(Labels),
  startsAt: Type.String({ format: 'date-time' }),
  endsAt: Type.Optional(Type.String()),
  generatorURL: Type.Optional(Type.String()),
  fingerprint: Type.String({ minLength: 1, maxLength: 64 }),
})
export type PrometheusAlert = Static<typeof PrometheusAlert>

/** What Alertmanager's webhook sends (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config), version 4. */
export const AlertmanagerWebhook = Type.Object(
  {
    version: Type.Literal('4'),
    groupKey: Type.String(),
    receiver: Type.Optional(Type.String()),
    externalURL: Type.Optional(Type.String()),
    alerts: Type.Array(PrometheusAlert, { maxItems: 500 }),
  },
  { $id: 'AlertmanagerWebhook' },
)
export type AlertmanagerWebhook = Static<typeof AlertmanagerWebhook>

export const RaiseQuery = Type.Object(
  {
    organizationId: Type.Optional(Uuid),
    format: Type.Optional(Type.Enum(['tocsin', 'alertmanager'], { description: 'Of the body; tocsin where absent' })),
  },
  { $id: 'RaiseQuery', additionalProperties: false },
)

/** `unchanged`: resolved by Alertmanager, and no alert of it was open. */
export const RAISE_CHANGES = ['created', 'revised', 'closed', 'unchanged'] as const
export const RaiseAnswer = Type.Object(
  {
    items: Type.Array(
      Type.Object({ change: Type.Enum([...RAISE_CHANGES]), dedupKey: Nullable(Type.String()), alert: Nullable(Alert) }),
    ),
  },
  { $id: 'RaiseAnswer' },
)
export type RaiseAnswer = Static<typeof RaiseAnswer>

export const RAISE_OPERATIONS = {
  raiseAlert: {
    service: 'persistence',
    method: 'POST',
    url: '/api/alerts',
    summary: "Raise an alert, or take Alertmanager's; it reaches lists, sockets and messages by the topic alerts, like any other",
    permission: 'alerts:raise',
    bodyLimitBytes: 65_536,
    schema: {
      querystring: RaiseQuery,
      headers: WriteHeaders,
      body: Type.Union([RaiseAlert, AlertmanagerWebhook]),
      response: { 202: RaiseAnswer, ...Failures },
    },
  },
} as const satisfies Record<string, ApiOperation>
