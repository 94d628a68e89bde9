import { type Static, Type } from 'typebox'
import { AlertParams, type ApiOperation, Failures, InOrganization, Nullable, Time, Uuid } from './operation.ts'

/** One row of the notifier's ledger, or the named reason why nobody was told. */
export const NotificationEntry = Type.Object(
  {
    id: Uuid,
    alertId: Uuid,
    at: Time,
    channel: Nullable(Type.String()),
    destination: Nullable(Type.String()),
    event: Type.String({ description: 'created, risen, closed …: the change that was planned' }),
    status: Type.Enum(['planned', 'waiting', 'sending', 'sent', 'failed', 'cancelled', 'superseded', 'skipped']),
    reason: Type.Union([Type.String(), Type.Null()], { description: 'why skipped, cancelled or failed' }),
    dueAt: Nullable(Time),
    sentAt: Nullable(Time),
    attempts: Type.Integer(),
    providerId: Nullable(Type.String()),
    latencyMs: Nullable(Type.Number()),
    late: Type.Boolean(),
  },
  { $id: 'NotificationEntry' },
)
export type NotificationEntry = Static<typeof NotificationEntry>

export const NOTIFICATION_OPERATIONS = {
  listNotifications: {
    service: 'notifier',
    method: 'GET',
    url: '/api/alerts/:id/notifications',
    summary: 'Who was told of an alert, when, and why not',
    permission: 'alerts:read',
    schema: {
      params: AlertParams,
      querystring: InOrganization,
      response: { 200: Type.Object({ items: Type.Array(NotificationEntry) }, { $id: 'NotificationList' }), ...Failures },
    },
  },
} as const satisfies Record<string, ApiOperation>
