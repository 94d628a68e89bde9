import type { Alert, SubscriptionFilter } from '@tocsin/contracts'

/** What filters ask about; a field that is not known (a partial alert) is undefined. */
export interface Facets {
  readonly status: string | undefined
  readonly severity: string | undefined
  readonly type: string | undefined
  readonly source: string | undefined
  /** Joined into another alert (metadata.mergedInto). */
  readonly merged: boolean
}

/** One change of one alert, joined and ready to send. This is what the ring holds. */
export interface Change {
  readonly organizationId: string
  readonly partition: number
  readonly offset: bigint
  /** Append time, milliseconds. */
  readonly at: number
  readonly alertId: string
  readonly created: boolean
  /** Before the change; null: it did not exist; undefined: not known. */
  readonly before: Facets | null | undefined
  readonly after: Facets
  /** The alert is gone, whole. */
  readonly gone?: true
  /** Who acted, where a person did. */
  readonly userId: string | undefined
  readonly partial: boolean
  /** The alert as JSON text. */
  readonly alert: string
}

export const facetsOf = (alert: Partial<Alert>): Facets => ({
  status: alert.status,
  severity: alert.severity,
  type: alert.type,
  source: alert.source,
  merged: typeof alert.metadata?.['mergedInto'] === 'string',
})

/** Whether the filter shows the alert. What is not known passes: hiding it could lose it. */
export function matches(filter: SubscriptionFilter, facets: Facets): boolean {
  const passes = (wanted: readonly string[] | undefined, value: string | undefined) =>
    wanted === undefined || value === undefined || wanted.includes(value)
  return (
    passes(filter.status, facets.status) &&
    passes(filter.severity, facets.severity) &&
    passes(filter.type, facets.type) &&
    passes(filter.source, facets.source)
  )
}

/** What a subscriber with this filter is told of the change; `hidden` says nothing. */
export type Showing = 'created' | 'updated' | Gone | 'hidden'
export type Gone = 'retention' | 'merged' | 'filtered'

export function showing(filter: SubscriptionFilter, change: Pick<Change, 'before' | 'after' | 'created' | 'gone'>): Showing {
  const { before, after } = change
  const was = before === undefined || (before !== null && !before.merged && matches(filter, before))
  if (change.gone) return was ? 'retention' : 'hidden'
  if (after.merged) return was ? 'merged' : 'hidden'
  if (matches(filter, after)) return change.created ? 'created' : 'updated'
  return was ? 'filtered' : 'hidden'
}
