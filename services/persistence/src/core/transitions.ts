import type { AlertStatus, StatusRecordType } from '@tocsin/contracts'

/** What people can do to an alert's status in this release (the seed's state diagram). */
export const ACTIONS = ['acknowledge', 'resolve', 'dismiss'] as const
export type Action = (typeof ACTIONS)[number]

/** Why an action does not apply in the present state. */
export type Refusal = { readonly refused: 'alreadyThere' | 'alreadyEnded' }

const there: Refusal = { refused: 'alreadyThere' }
const ended: Refusal = { refused: 'alreadyEnded' }

export const TRANSITIONS: Readonly<Record<AlertStatus, Readonly<Record<Action, AlertStatus | Refusal>>>> = {
  active: { acknowledge: 'acknowledged', resolve: 'resolved', dismiss: 'dismissed' },
  acknowledged: { acknowledge: there, resolve: 'resolved', dismiss: 'dismissed' },
  resolved: { acknowledge: ended, resolve: there, dismiss: ended },
  dismissed: { acknowledge: ended, resolve: ended, dismiss: there },
}

/** The record that tells of it on topic `alerts`. */
export const RECORD_TYPES: Readonly<Record<Action, StatusRecordType>> = {
  acknowledge: 'alert.acknowledged',
  resolve: 'alert.resolved',
  dismiss: 'alert.dismissed',
}

export const isRefusal = (next: unknown): next is Refusal => typeof next === 'object' && next !== null && 'refused' in next
