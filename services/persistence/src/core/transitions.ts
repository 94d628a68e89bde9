import type { AlertStatus, StatusRecordType } from '@tocsin/contracts'

/** What people, or the system in their place, can do to an alert's status. */
export const ACTIONS = ['acknowledge', 'unacknowledge', 'resolve', 'dismiss', 'reopen'] as const
export type Action = (typeof ACTIONS)[number]

/** Why an act does not apply to the alert as it is. `alreadyThere`: it would change nothing. */
export type Refusal = { readonly refused: 'alreadyThere' | 'alreadyEnded' | 'notAcknowledged' | 'notEnded' | 'tooManyLabels' }

const there: Refusal = { refused: 'alreadyThere' }
const ended: Refusal = { refused: 'alreadyEnded' }
const notAcknowledged: Refusal = { refused: 'notAcknowledged' }
const notEnded: Refusal = { refused: 'notEnded' }

export const TRANSITIONS: Readonly<Record<AlertStatus, Readonly<Record<Action, AlertStatus | Refusal>>>> = {
  active: {
    acknowledge: 'acknowledged',
    unacknowledge: notAcknowledged,
    resolve: 'resolved',
    dismiss: 'dismissed',
    reopen: notEnded,
  },
  acknowledged: {
    acknowledge: there,
    unacknowledge: 'active',
    resolve: 'resolved',
    dismiss: 'dismissed',
    reopen: notEnded,
  },
  resolved: { acknowledge: ended, unacknowledge: ended, resolve: there, dismiss: ended, reopen: 'active' },
  dismissed: { acknowledge: ended, unacknowledge: ended, resolve: ended, dismiss: there, reopen: 'active' },
}

/** The record that tells of it on topic `alerts`. */
export const RECORD_TYPES: Readonly<Record<Action, StatusRecordType>> = {
  acknowledge: 'alert.acknowledged',
  unacknowledge: 'alert.unacknowledged',
  resolve: 'alert.resolved',
  dismiss: 'alert.dismissed',
  reopen: 'alert.reopened',
}

export const isRefusal = (next: unknown): next is Refusal => typeof next === 'object' && next !== null && 'refused' in next
