import type {
  Alert,
  AlertPage,
  AlertWithEvidence,
  HistoryPage,
  Me,
  NotificationEntry,
  Organization,
  Problem,
} from '@tocsin/contracts'
import type { AlertFilter } from '../filter.ts'
import type { Order } from '../parts/acts.ts'

/** A failed request as the server told it (RFC 9457), or as the network left it. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.code = code
  }
}

const PAGE_SIZE = 100

async function call<T>(
  path: string,
  options: {
    readonly method?: 'GET' | 'POST' | 'PUT'
    readonly body?: unknown
    readonly ifMatch?: string
    readonly signal?: AbortSignal | undefined
  } = {},
): Promise<T> {
  const { method = 'GET', body, ifMatch, signal } = options
  const response = await fetch(path, {
    method,
    // The gateway asks for this header on every write with a cookie: other sites cannot set it.
    headers: {
      accept: 'application/json',
      ...(method === 'GET' ? {} : { 'x-tocsin-csrf': '1', 'x-tocsin-channel': 'dashboard' }),
      ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? null : JSON.stringify(body),
    signal: signal ?? null,
  }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, 'UNREACHABLE', 'Tocsin cannot be reached. Check that it runs and that you are online.')
  })
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T
  const problem = (await response.json().catch(() => null)) as Partial<Problem> | null
  throw new ApiError(
    response.status,
    problem?.code ?? 'UNKNOWN',
    problem?.detail ?? problem?.title ?? `The server answered ${response.status}.`,
  )
}

const inOrganization = (organizationId: string) => `?organizationId=${encodeURIComponent(organizationId)}`
/** Where an order goes, and what it says. */
function actOf(order: Order): { readonly method: 'POST' | 'PUT'; readonly path: string; readonly body?: unknown } {
  switch (order.action) {
    case 'resolve':
      return { method: 'POST', path: 'resolve', body: { notes: order.notes } }
    case 'dismiss': {
      const { reason, notes } = order
      return { method: 'POST', path: 'dismiss', body: { reason, ...(notes === '' ? {} : { notes }) } }
    }
    case 'assign':
      return { method: 'PUT', path: 'assignee', body: { assignee: order.assignee } }
    case 'comment':
      return { method: 'POST', path: 'comments', body: { comment: order.comment } }
    case 'label':
      return { method: 'POST', path: 'labels', body: { add: order.add, remove: order.remove } }
    default:
      return { method: 'POST', path: order.action }
  }
}

export const api = {
  me: (signal?: AbortSignal) => call<Me>('/api/me', { signal }),
  organization: (organizationId: string, signal?: AbortSignal) =>
    call<Organization>(`/api/organizations/${organizationId}`, { signal }),
  alerts: (organizationId: string, filter: AlertFilter, cursor: string | null, signal?: AbortSignal) => {
    const query = new URLSearchParams({ organizationId, limit: String(PAGE_SIZE) })
    for (const name of ['status', 'severity', 'type'] as const) for (const value of filter[name] ?? []) query.append(name, value)
    if (cursor !== null) query.set('cursor', cursor)
    return call<AlertPage>(`/api/alerts?${query}`, { signal })
  },
  alert: (organizationId: string, alertId: string, signal?: AbortSignal) =>
    call<AlertWithEvidence>(`/api/alerts/${alertId}${inOrganization(organizationId)}`, { signal }),
  notifications: (organizationId: string, alertId: string, signal?: AbortSignal) =>
    call<{ readonly items: NotificationEntry[] }>(`/api/alerts/${alertId}/notifications${inOrganization(organizationId)}`, {
      signal,
    }),
  /** With the version that the person has seen, so that two do not overwrite each other; what is said or labelled takes nothing away. */
  act: (alert: Alert, order: Order) => {
    const { path, ...request } = actOf(order)
    const isRaced = order.action !== 'comment' && order.action !== 'label'
    return call<Alert>(`/api/alerts/${alert.id}/${path}${inOrganization(alert.organizationId)}`, {
      ...request,
      ...(isRaced ? { ifMatch: `"${alert.version}"` } : {}),
    })
  },
  history: (organizationId: string, alertId: string, signal?: AbortSignal) =>
    call<HistoryPage>(`/api/alerts/${alertId}/history${inOrganization(organizationId)}&limit=500`, { signal }),
  signInMethods: (signal?: AbortSignal) => call<{ readonly oidc: boolean }>('/auth/methods', { signal }),
  signOut: () => call<void>('/auth/signout', { method: 'POST' }),
}
