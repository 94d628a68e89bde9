import { type AlertCopy, type EpochMs, isLoud, isTelling, mergedInto, type NotificationEvent, type Reason } from './vocabulary.ts'

const DAY_MS = 86_400_000
/** A delivery that could not be made for so long is given up (channels.md §2). */
export const EXPIRES_AFTER_MS = DAY_MS
/** Told later than this after its time: marked late. CRITICAL is to be accepted within 1 min (channels.md §1). */
export const LATE_AFTER_MS = 60_000

export interface SendingInput {
  readonly event: NotificationEvent
  /** The alert's version when the delivery was planned. */
  readonly plannedVersion: number
  /** When somebody should have been told. */
  readonly dueAt: EpochMs
  /** When the delivery was made; after an outage much later than `dueAt`, so expiry counts from here. */
  readonly madeAt: EpochMs
  readonly now: EpochMs
  readonly alert: AlertCopy
  /** Whether this destination has accepted a message about this alert before. */
  readonly toldBefore: boolean
}

export type SendingDecision =
  | { readonly send: 'first' | 'follow'; readonly late: boolean }
  | { readonly send: 'none'; readonly status: 'cancelled' | 'failed'; readonly reason: Reason }

/** Whether a claimed delivery is still worth sending, now that the newest state of the alert is known. */
export function decideSending(input: SendingInput): SendingDecision {
  const { event, alert, toldBefore, now, dueAt } = input
  if (now - input.madeAt > EXPIRES_AFTER_MS) return { send: 'none', status: 'failed', reason: 'expired' }
  const late = now - dueAt > LATE_AFTER_MS
  if (!isTelling(event)) return toldBefore ? { send: 'follow', late } : none('notTold')
  const handledSince = alert.status !== 'active' && alert.version > input.plannedVersion
  if (handledSince) return none(alert.status as Reason)
  if (mergedInto(alert) !== null) return none('merged')
  const over = !alert.open && !toldBefore && !isLoud(alert.severity) && alert.severity !== 'INFO'
  if (over) return none('endedBeforeTold')
  return { send: toldBefore ? 'follow' : 'first', late }
}

const none = (reason: Reason): SendingDecision => ({ send: 'none', status: 'cancelled', reason })
