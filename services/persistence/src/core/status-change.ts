import {
  type ActChannel,
  type Alert,
  type AlertStatusChange,
  type DismissReason,
  type OrganizationSettings,
  type StatusRecordType,
  UNTOUCHED,
} from '@tocsin/contracts'
import { expiryMsOf } from './acknowledgement-expiry.ts'
import { withLabels } from './labels.ts'
import { type Action, isRefusal, RECORD_TYPES, type Refusal, TRANSITIONS } from './transitions.ts'

/** Actor of what nobody did: `system` in place of a subject. */
export const SYSTEM = 'system'

interface Commented {
  /** What the actor says of it; with `comment` it is all there is. */
  readonly comment?: string | undefined
}
type Metadata = Readonly<Record<string, unknown>>

/** A change of the status, by the table of transitions.ts. */
export type StatusCommand = Commented &
  (
    | { readonly action: 'acknowledge' | 'unacknowledge' | 'reopen' }
    | {
        readonly action: 'resolve'
        readonly notes: string
        readonly resolutionAction?: string | undefined
        readonly metadata?: Metadata | undefined
      }
    | {
        readonly action: 'dismiss'
        readonly reason: DismissReason
        readonly notes?: string | undefined
        readonly metadata?: Metadata | undefined
      }
  )

/** What leaves the status alone and may be done in any state. */
export type SideCommand =
  | { readonly action: 'assign'; readonly assignee: string | null; readonly comment?: string | undefined }
  | { readonly action: 'comment'; readonly comment: string }
  | {
      readonly action: 'label'
      readonly add: readonly string[]
      readonly remove: readonly string[]
      readonly comment?: undefined
    }

export type Command = StatusCommand | SideCommand
export const isStatusCommand = (command: Command): command is StatusCommand => command.action in RECORD_TYPES

/** Who acts, when and by which means. */
export interface Actor {
  /** Subject, or `system`. */
  readonly subject: string
  readonly channel: ActChannel
  /** Milliseconds since 1970. */
  readonly now: number
}

/** One act: what goes into the row, the history and the outbox. */
export interface StatusStep {
  readonly type: StatusRecordType
  readonly from: Alert['status']
  readonly change: AlertStatusChange
}

type Changes = AlertStatusChange['changes']

/** The result's `updatedAt` never lies before the alert's. `settings`: the organization's, for when an acknowledgement ends. */
export function decide(alert: Alert, command: Command, actor: Actor, settings: OrganizationSettings = {}): StatusStep | Refusal {
  const at = new Date(Math.max(actor.now, Date.parse(alert.updatedAt))).toISOString()
  const step = isStatusCommand(command)
    ? statusStep(alert, command, { subject: actor.subject, at, settings })
    : sideStep(alert, command)
  if (isRefusal(step)) return step
  return {
    type: step.type,
    from: alert.status,
    change: {
      id: alert.id,
      organizationId: alert.organizationId,
      version: alert.version + 1,
      actor: actor.subject,
      updatedAt: at,
      channel: actor.channel,
      ...(command.comment === undefined ? {} : { comment: command.comment }),
      changes: step.changes,
    },
  }
}

interface Typed {
  readonly type: StatusRecordType
  readonly changes: Changes
}
interface Act {
  readonly subject: string
  /** RFC 3339. */
  readonly at: string
  readonly settings: OrganizationSettings
}

function statusStep(alert: Alert, command: StatusCommand, act: Act): Typed | Refusal {
  const next = TRANSITIONS[alert.status][command.action]
  if (isRefusal(next)) return next
  return {
    type: RECORD_TYPES[command.action],
    changes: { status: next, ...fieldsOf[command.action](command as never, alert, act) },
  }
}

/** A reopened alert is as one on which nobody has acted, but for its assignee and labels. */
const { version: _version, status: _status, assignee: _assignee, labels: _labels, ...NOT_HANDLED } = UNTOUCHED
const NOT_ACKNOWLEDGED = { acknowledged: false, acknowledgedAt: null, acknowledgedBy: null, acknowledgementExpiresAt: null }

const fieldsOf: {
  readonly [A in Action]: (command: Extract<StatusCommand, { action: A }>, alert: Alert, act: Act) => Changes
} = {
  acknowledge: (_command, alert, { subject, at, settings }) => ({
    acknowledged: true,
    acknowledgedAt: at,
    acknowledgedBy: subject,
    acknowledgementExpiresAt: expiryOf(alert, at, settings),
  }),
  unacknowledge: () => NOT_ACKNOWLEDGED,
  resolve: ({ notes, resolutionAction = null, metadata = null }, { count }, { subject, at }) => ({
    resolved: true,
    resolvedAt: at,
    resolvedBy: subject,
    resolutionNotes: notes,
    resolutionAction,
    resolutionMetadata: metadata,
    acknowledgementExpiresAt: null,
    endedAtCount: count,
  }),
  dismiss: ({ reason, notes = null, metadata = null }, { count }, { subject, at }) => ({
    dismissedAt: at,
    dismissedBy: subject,
    dismissReason: reason,
    resolutionNotes: notes,
    resolutionMetadata: metadata,
    acknowledgementExpiresAt: null,
    endedAtCount: count,
  }),
  reopen: () => NOT_HANDLED,
}

function expiryOf(alert: Alert, at: string, settings: OrganizationSettings): string | null {
  const afterMs = expiryMsOf(alert.severity, settings)
  return afterMs === null ? null : new Date(Date.parse(at) + afterMs).toISOString()
}

function sideStep(alert: Alert, command: SideCommand): Typed | Refusal {
  switch (command.action) {
    case 'assign':
      if (command.assignee === alert.assignee) return { refused: 'alreadyThere' }
      return { type: 'alert.assigned', changes: { assignee: command.assignee } }
    case 'comment':
      return { type: 'alert.commented', changes: {} }
    case 'label': {
      const labels = withLabels(alert.labels, command)
      return isRefusal(labels) ? labels : { type: 'alert.tagged', changes: { labels } }
    }
  }
}

/** The alert after a newer status half; the figures stay, `updatedAt` is the later of both. */
export function withStatus(alert: Alert, change: AlertStatusChange): Alert {
  const updatedAt = Date.parse(change.updatedAt) > Date.parse(alert.updatedAt) ? change.updatedAt : alert.updatedAt
  return { ...alert, ...change.changes, version: change.version, updatedAt }
}
