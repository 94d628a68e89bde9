import type { Alert, AlertStatus, BulkAct, Permission } from '@tocsin/contracts'

/** What is done to an alert, as requests tell it. */
export type Order = BulkAct
/** What is offered: an act, or `delegate`, which is assigning to somebody who must be named first. */
export type Action = Order['act'] | 'delegate'

const ANY_STATE = ['assign', 'delegate', 'comment', 'label'] as const
/** The same table as persistence has: a button that would be refused is not offered. */
const OFFERED: Readonly<Record<AlertStatus, ReadonlySet<Action>>> = {
  active: new Set<Action>(['acknowledge', 'resolve', 'dismiss', ...ANY_STATE]),
  acknowledged: new Set<Action>(['resolve', 'dismiss', 'unacknowledge', ...ANY_STATE]),
  resolved: new Set<Action>(['reopen', ...ANY_STATE]),
  dismissed: new Set<Action>(['reopen', ...ANY_STATE]),
}
export const isOffered = (alert: Pick<Alert, 'status'>, action: Action): boolean => OFFERED[alert.status].has(action)

/** What each needs, as persistence asks for it. */
export const NEEDS: Readonly<Record<Action, Permission>> = {
  acknowledge: 'alerts:acknowledge',
  unacknowledge: 'alerts:acknowledge',
  resolve: 'alerts:resolve',
  dismiss: 'alerts:dismiss',
  reopen: 'alerts:resolve',
  assign: 'alerts:acknowledge',
  delegate: 'alerts:acknowledge',
  comment: 'alerts:comment',
  label: 'alerts:comment',
}

/** The labels of a text of words with commas between, as they are to be. */
export function labelOrder(labels: readonly string[], text: string): Extract<Order, { act: 'label' }> {
  const wanted = new Set(text.split(',').flatMap((each) => (each.trim() === '' ? [] : [each.trim().toLowerCase()])))
  return {
    act: 'label',
    add: [...wanted].filter((each) => !labels.includes(each)),
    remove: labels.filter((each) => !wanted.has(each)),
  }
}

/** Ended, and more of the same came since. */
export const wentOn = ({ count, endedAtCount }: Pick<Alert, 'count' | 'endedAtCount'>): boolean =>
  endedAtCount !== null && count > endedAtCount
