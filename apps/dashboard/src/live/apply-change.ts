import type { Alert, AlertPage } from '@tocsin/contracts'
import type { ChangeMessage } from './alert-socket.ts'

export interface LoadedPages {
  readonly pages: readonly AlertPage[]
  readonly pageParams: readonly (string | null)[]
}

/** The newer of each half wins; a part that the message does not hold (partial) stays. */
export function newer<A extends Alert>(held: A, given: Partial<Alert>): A {
  const figuresNewer = (given.revision ?? 0) > held.revision
  const statusNewer = (given.version ?? 0) > held.version
  if (!figuresNewer && !statusNewer) return held
  const merged: Record<string, unknown> = { ...held }
  for (const [name, value] of Object.entries(given))
    if (STATUS_FIELDS.has(name) ? statusNewer : figuresNewer) merged[name] = value
  if (Date.parse(given.updatedAt ?? '') > Date.parse(held.updatedAt)) merged['updatedAt'] = given.updatedAt
  return merged as A
}

const STATUS_FIELDS: ReadonlySet<string> = new Set([
  'version',
  'status',
  'assignee',
  'acknowledged',
  'acknowledgedAt',
  'acknowledgedBy',
  'resolved',
  'resolvedAt',
  'resolvedBy',
  'resolutionNotes',
  'dismissedAt',
  'dismissedBy',
  'dismissReason',
  'resolutionAction',
  'resolutionMetadata',
  'acknowledgementExpiresAt',
  'endedAtCount',
  'labels',
] satisfies (keyof Alert)[])

const isWhole = (alert: Partial<Alert>): alert is Alert =>
  alert.revision !== undefined && alert.version !== undefined && alert.title !== undefined

/** Newest first, as the API sorts. */
const before = (one: Alert, other: Alert) => {
  const difference = Date.parse(one.createdAt) - Date.parse(other.createdAt)
  return difference === 0 ? one.id > other.id : difference > 0
}

const alertsIn = (message: Exclude<ChangeMessage, { type: 'alert_deleted' }>): readonly Partial<Alert>[] =>
  message.type === 'bulk_update' ? message.alerts : [message.alert]

/** The list after a message of the socket. An alert older than what is loaded is left to the page that will hold it. */
export const applyChange = (data: LoadedPages, message: ChangeMessage): LoadedPages =>
  message.type === 'alert_deleted'
    ? without(data, message.alertId)
    : alertsIn(message).reduce<LoadedPages>((held, alert) => upsert(held, alert), data)

/** The same where only the server can tell what belongs to the list: what it holds changes, and nothing comes in. */
export const applyToHeld = (data: LoadedPages, message: ChangeMessage): LoadedPages =>
  message.type === 'alert_deleted'
    ? without(data, message.alertId)
    : alertsIn(message).reduce<LoadedPages>((held, alert) => refreshed(held, alert), data)

function without(data: LoadedPages, alertId: string): LoadedPages {
  if (!data.pages.some((page) => page.items.some((each) => each.id === alertId))) return data
  return { ...data, pages: data.pages.map((page) => ({ ...page, items: page.items.filter((each) => each.id !== alertId) })) }
}

/** The list with what is newer of an alert that it holds. One that it does not hold stays out: it may just have left the filter. */
export function refreshed(data: LoadedPages, given: Partial<Alert>): LoadedPages {
  const pages = data.pages.map((page) => {
    const index = page.items.findIndex((each) => each.id === given.id)
    return index < 0 ? page : { ...page, items: page.items.with(index, newer(page.items[index] as Alert, given)) }
  })
  return { ...data, pages }
}

function upsert(data: LoadedPages, given: Partial<Alert>): LoadedPages {
  const isHeld = data.pages.some((page) => page.items.some((each) => each.id === given.id))
  if (isHeld) return refreshed(data, given)
  return isWhole(given) ? inserted(data, given) : data
}

function inserted(data: LoadedPages, alert: Alert): LoadedPages {
  for (const [number, page] of data.pages.entries()) {
    const place = page.items.findIndex((each) => before(alert, each))
    const isLastOfAll = page.nextCursor === null
    if (place < 0 && !isLastOfAll) continue
    const items = page.items.toSpliced(place < 0 ? page.items.length : place, 0, alert)
    return { ...data, pages: data.pages.with(number, { ...page, items }) }
  }
  return data
}
