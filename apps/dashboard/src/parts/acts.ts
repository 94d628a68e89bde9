import type { Alert, AlertStatus, DismissReason } from '@tocsin/contracts'

/** What can be done to an alert from here, and what it needs. */
export type Order =
  | { readonly action: 'acknowledge' | 'unacknowledge' | 'reopen' }
  | { readonly action: 'resolve'; readonly notes: string }
  | { readonly action: 'dismiss'; readonly reason: DismissReason; readonly notes: string }
  | { readonly action: 'assign'; readonly assignee: string | null }
  | { readonly action: 'comment'; readonly comment: string }
  | { readonly action: 'label'; readonly add: readonly string[]; readonly remove: readonly string[] }
export type Action = Order['action']

const ANY_STATE = ['assign', 'comment', 'label'] as const
/** The same table as persistence has: a button that would be refused is not offered. */
const OFFERED: Readonly<Record<AlertStatus, ReadonlySet<Action>>> = {
  active: new Set<Action>(['acknowledge', 'resolve', 'dismiss', ...ANY_STATE]),
  acknowledged: new Set<Action>(['resolve', 'dismiss', 'unacknowledge', ...ANY_STATE]),
  resolved: new Set<Action>(['reopen', ...ANY_STATE]),
  dismissed: new Set<Action>(['reopen', ...ANY_STATE]),
}
export const isOffered = (alert: Pick<Alert, 'status'>, action: Action): boolean => OFFERED[alert.status].has(action)

const ACTING_ROLES = new Set(['responder', 'author', 'admin'])
export const mayAct = (role: string): boolean => ACTING_ROLES.has(role)

/** The labels of a text of words with commas between, as they are to be. */
export function labelOrder(labels: readonly string[], text: string): Extract<Order, { action: 'label' }> {
  const wanted = new Set(text.split(',').flatMap((each) => (each.trim() === '' ? [] : [each.trim().toLowerCase()])))
  return {
    action: 'label',
    add: [...wanted].filter((each) => !labels.includes(each)),
    remove: labels.filter((each) => !wanted.has(each)),
  }
}

/** Ended, and more of the same came since. */
export const wentOn = ({ count, endedAtCount }: Pick<Alert, 'count' | 'endedAtCount'>): boolean =>
  endedAtCount !== null && count > endedAtCount
