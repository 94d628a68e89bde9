import { type Static, Type } from 'typebox'
import { Alert } from './alert.ts'
import { ALERT_STATUSES, ALERT_TYPES, SEVERITIES } from './vocabulary.ts'

/** What a subscriber wants to see; an absent list means all. */
export const SubscriptionFilter = Type.Object(
  {
    status: Type.Optional(Type.Array(Type.Enum([...ALERT_STATUSES]))),
    severity: Type.Optional(Type.Array(Type.Enum([...SEVERITIES]))),
    type: Type.Optional(Type.Array(Type.Enum([...ALERT_TYPES]))),
    source: Type.Optional(Type.Array(Type.String({ maxLength: 50 }))),
  },
  { additionalProperties: false },
)
export type SubscriptionFilter = Static<typeof SubscriptionFilter>

/** Client → server, once after `hello`; again to change the filter. */
export const Subscribe = Type.Object(
  {
    type: Type.Literal('subscribe'),
    organizationId: Type.String({ format: 'uuid' }),
    filter: Type.Optional(SubscriptionFilter),
    cursor: Type.Optional(
      Type.String({ maxLength: 512, description: 'Resume after this position: streamCursor of a list, or cursor of a message' }),
    ),
  },
  { $id: 'Subscribe', additionalProperties: false },
)
export type Subscribe = Static<typeof Subscribe>

const envelope = {
  timestamp: Type.String({ format: 'date-time' }),
  cursor: Type.String({ description: 'Resume position after this message' }),
  userId: Type.Optional(Type.String({ description: 'Where a person acted' })),
}
/** `partial`: only one half could be had, because persistence is away. */
const alertOf = { alert: Type.Union([Alert, Type.Partial(Alert)]), partial: Type.Optional(Type.Literal(true)) }

/** Server → client. */
export const SocketMessage = Type.Union(
  [
    Type.Object({ type: Type.Literal('hello'), timestamp: envelope.timestamp, protocol: Type.Literal('tocsin.v1') }),
    Type.Object({
      type: Type.Literal('subscribed'),
      timestamp: envelope.timestamp,
      organizationId: Type.String(),
      cursor: Type.String(),
    }),
    Type.Object({ type: Type.Literal('resync'), timestamp: envelope.timestamp, cursor: Type.String(), reason: Type.String() }),
    Type.Object({ type: Type.Literal('alert_created'), ...envelope, ...alertOf }),
    Type.Object({ type: Type.Literal('alert_updated'), ...envelope, ...alertOf }),
    Type.Object({
      type: Type.Literal('alert_deleted'),
      ...envelope,
      alertId: Type.String(),
      reason: Type.Enum(['retention', 'merged', 'filtered']),
    }),
    Type.Object({ type: Type.Literal('bulk_update'), ...envelope, alerts: Type.Array(Type.Union([Alert, Type.Partial(Alert)])) }),
    Type.Object({ type: Type.Literal('error'), timestamp: envelope.timestamp, code: Type.String(), message: Type.String() }),
  ],
  { $id: 'SocketMessage' },
)
export type SocketMessage = Static<typeof SocketMessage>
