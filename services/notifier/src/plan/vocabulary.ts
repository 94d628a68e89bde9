import type { Alert, Severity } from '@tocsin/contracts'

/** Times of the core: numbers with a unit, so that the two are never mixed. */
export type EpochMs = number & { readonly __unit?: 'epoch ms' }
export type DurationMs = number & { readonly __unit?: 'ms' }

export const CHANNEL_NAMES = ['email', 'slack', 'sms', 'console'] as const
export type ChannelName = (typeof CHANNEL_NAMES)[number]

/** What happened to an alert, as the ledger names it. */
export const EVENTS = [
  'created',
  'risen',
  'live',
  'reopened',
  'revised',
  'closed',
  'acknowledged',
  'unacknowledged',
  'resolved',
  'dismissed',
  'assigned',
  'commented',
] as const
export type NotificationEvent = (typeof EVENTS)[number]

/**
 * Events that make a person look. The others only bring what was told before up to date, and go nowhere else.
 */
const TELLING: ReadonlySet<NotificationEvent> = new Set(['created', 'risen', 'live', 'reopened'])
export const isTelling = (event: NotificationEvent): boolean => TELLING.has(event)

/** Why nobody is told, why a timer was stopped, or why a delivery ended without a message. */
export const REASONS = [
  'acknowledged',
  'resolved',
  'dismissed',
  'merged',
  'endedBeforeTold',
  'backfilled',
  'nothingNew',
  'notTold',
  'alreadyHandled',
  'nobodyToTell',
  'organizationUnknown',
  'replayed',
  'risen',
  'live',
  'newerState',
  'expired',
] as const
export type Reason = (typeof REASONS)[number]

/** Both halves of an alert joined, without evidence: what a message is rendered from. */
export type AlertCopy = Alert

const LOUD: ReadonlySet<Severity> = new Set(['CRITICAL', 'HIGH'])
/** Severities whose end is told too (channels.md §2). */
export const isLoud = (severity: Severity): boolean => LOUD.has(severity)

/** Resolved or dismissed: nothing is left to do for a person. */
export const isHandled = (alert: AlertCopy): boolean => alert.status === 'resolved' || alert.status === 'dismissed'

/** Id of the alert that this one went into, else null. */
export function mergedInto(alert: AlertCopy): string | null {
  const into = alert.metadata.mergedInto
  return typeof into === 'string' ? into : null
}
