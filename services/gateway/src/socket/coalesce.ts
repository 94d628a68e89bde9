import type { SubscriptionFilter } from '@tocsin/contracts'
import { type Change, type Gone, type Showing, showing } from '../stream/change.ts'

/** What a slow socket is told of several changes: each alert once, in the order of its last change. */
export interface Coalesced {
  readonly shown: readonly Change[]
  readonly gone: readonly { readonly change: Change; readonly reason: Gone }[]
}

/** `changes` of one organization in log order. An alert that came and went in between is not mentioned. */
export function coalesce(filter: SubscriptionFilter, changes: readonly Change[]): Coalesced {
  const perAlert = new Map<string, { readonly first: Change; readonly last: Change }>()
  for (const change of changes) {
    const first = perAlert.get(change.alertId)?.first ?? change
    perAlert.delete(change.alertId)
    perAlert.set(change.alertId, { first, last: change })
  }
  const shown: Change[] = []
  const gone: { readonly change: Change; readonly reason: Gone }[] = []
  for (const { first, last } of perAlert.values()) {
    const what: Showing = showing(filter, {
      before: first.before,
      after: last.after,
      created: first.created,
      ...(last.gone ? { gone: last.gone } : {}),
    })
    if (what === 'created' || what === 'updated') shown.push(last)
    else if (what !== 'hidden') gone.push({ change: last, reason: what })
  }
  return { shown, gone }
}
