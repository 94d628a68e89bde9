import type {
  Alert,
  AlertPage,
  AlertWithEvidence,
  DismissReason,
  Me,
  NotificationEntry,
  Organization,
  Problem,
} from '@tocsin/contracts'
import type { AlertFilter } from '../filter.ts'

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
  options: { readonly method?: 'GET' | 'POST'; readonly body?: unknown; readonly signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const { method = 'GET', body, signal } = options
  const response = await fetch(path, {
    method,
    // The gateway asks for this header on every write with a cookie: other sites cannot set it.
    headers: {
      accept: 'application/json',
      ...(method === 'GET' ? {} : { 'x-tocsin-csrf': '1' }),
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
const act = (organizationId: string, alertId: string, action: string, body?: unknown) =>
  call<Alert>(`/api/alerts/${alertId}/${action}${inOrganization(organizationId)}`, { method: 'POST', body })

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
  acknowledge: (organizationId: string, alertId: string) => act(organizationId, alertId, 'acknowledge'),
  resolve: (organizationId: string, alertId: string, notes: string) => act(organizationId, alertId, 'resolve', { notes }),
  dismiss: (organizationId: string, alertId: string, reason: DismissReason, notes: string) =>
    act(organizationId, alertId, 'dismiss', { reason, ...(notes === '' ? {} : { notes }) }),
  signOut: () => call<void>('/auth/signout', { method: 'POST' }),
}
