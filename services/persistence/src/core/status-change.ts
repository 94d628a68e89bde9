import type { Alert, AlertStatusChange, DismissReason, StatusRecordType } from '@tocsin/contracts'
import { type Action, isRefusal, RECORD_TYPES, type Refusal, TRANSITIONS } from './transitions.ts'

/** Actor of what nobody did: `system` in place of a subject. */
export const SYSTEM = 'system'

export type StatusCommand =
  | { readonly action: 'acknowledge' }
  | { readonly action: 'resolve'; readonly notes: string }
  | { readonly action: 'dismiss'; readonly reason: DismissReason; readonly notes?: string | undefined }

/** One act: what goes into the row, the history and the outbox. */
export interface StatusStep {
  readonly type: StatusRecordType
  readonly from: Alert['status']
  readonly change: AlertStatusChange
}

type Changes = AlertStatusChange['changes']

/** `now`: milliseconds since 1970. The result's `updatedAt` never lies before the alert's. */
export function decide(alert: Alert, command: StatusCommand, actor: string, now: number): StatusStep | Refusal {
  const next = TRANSITIONS[alert.status][command.action]
  if (isRefusal(next)) return next
  const at = new Date(Math.max(now, Date.parse(alert.updatedAt))).toISOString()
  return {
    type: RECORD_TYPES[command.action],
    from: alert.status,
    change: {
      id: alert.id,
      organizationId: alert.organizationId,
      version: alert.version + 1,
      actor,
      updatedAt: at,
      changes: { status: next, ...fieldsOf[command.action](command as never, actor, at) },
    },
  }
}

const fieldsOf: {
  readonly [A in Action]: (command: Extract<StatusCommand, { action: A }>, actor: string, at: string) => Changes
} = {
  acknowledge: (_command, actor, at) => ({ acknowledged: true, acknowledgedAt: at, acknowledgedBy: actor }),
  resolve: (command, actor, at) => ({ resolved: true, resolvedAt: at, resolvedBy: actor, resolutionNotes: command.notes }),
  dismiss: (command, actor, at) => ({
    dismissedAt: at,
    dismissedBy: actor,
    dismissReason: command.reason,
    ...(command.notes === undefined ? {} : { resolutionNotes: command.notes }),
  }),
}

/** The alert after a newer status half; the figures stay, `updatedAt` is the later of both. */
export function withStatus(alert: Alert, change: AlertStatusChange): Alert {
  const updatedAt = Date.parse(change.updatedAt) > Date.parse(alert.updatedAt) ? change.updatedAt : alert.updatedAt
  return { ...alert, ...change.changes, version: change.version, updatedAt }
}
