import type {
  Alert,
  AlertPage,
  AlertStatistics,
  AlertTrend,
  AlertWithEvidence,
  BulkAct,
  BulkAnswer,
  BulkBody,
  EvidenceFormat,
  ExportFormat,
  HistoryPage,
  Me,
  Member,
  NotificationEntry,
  Organization,
  RelatedAlerts,
  TrendBucket,
} from '@tocsin/contracts'
import { type AlertFilter, type AlertOrder, stringifySearch } from '../filter.ts'
import { call, inOrganization, save } from './request.ts'

const PAGE_SIZE = 100

/** Where an act on one alert goes. */
const ADDRESSES: Readonly<Record<BulkAct['act'], { readonly method: 'POST' | 'PUT'; readonly path: string }>> = {
  acknowledge: { method: 'POST', path: 'acknowledge' },
  unacknowledge: { method: 'POST', path: 'unacknowledge' },
  resolve: { method: 'POST', path: 'resolve' },
  dismiss: { method: 'POST', path: 'dismiss' },
  reopen: { method: 'POST', path: 'reopen' },
  assign: { method: 'PUT', path: 'assignee' },
  comment: { method: 'POST', path: 'comments' },
  label: { method: 'POST', path: 'labels' },
}

export type BulkTarget = Pick<BulkBody, 'ids'> | { readonly filter: AlertFilter }

export const api = {
  me: (signal?: AbortSignal) => call<Me>('/api/me', { signal }),
  organization: (organizationId: string, signal?: AbortSignal) =>
    call<Organization>(`/api/organizations/${organizationId}`, { signal }),
  members: (organizationId: string, signal?: AbortSignal) =>
    call<{ readonly items: readonly Member[] }>(`/api/members${inOrganization(organizationId)}`, { signal }),
  alerts: (
    organizationId: string,
    filter: AlertFilter,
    { sort, order }: AlertOrder,
    cursor: string | null,
    signal?: AbortSignal,
  ) =>
    call<AlertPage>(`/api/alerts${stringifySearch({ organizationId, limit: PAGE_SIZE, ...filter, sort, order, cursor })}`, {
      signal,
    }),
  /** How many fit, exactly. */
  total: async (organizationId: string, filter: AlertFilter, signal?: AbortSignal) =>
    (await call<AlertPage>(`/api/alerts${stringifySearch({ organizationId, limit: 1, ...filter, total: true })}`, { signal }))
      .total ?? 0,
  /** For a link: what fits may be more than a page can hold. */
  exportAddress: (organizationId: string, filter: AlertFilter, format: ExportFormat) =>
    `/api/alerts/export${stringifySearch({ organizationId, format, ...filter })}`,
  alert: (organizationId: string, alertId: string, signal?: AbortSignal) =>
    call<AlertWithEvidence>(`/api/alerts/${alertId}${inOrganization(organizationId)}`, { signal }),
  related: (organizationId: string, alertId: string, signal?: AbortSignal) =>
    call<RelatedAlerts>(`/api/alerts/${alertId}/related${inOrganization(organizationId)}`, { signal }),
  saveEvidence: (organizationId: string, alertId: string, format: EvidenceFormat) =>
    save(
      `/api/alerts/${alertId}/evidence${inOrganization(organizationId, { format })}`,
      `alert-${alertId}.${format === 'ocsf' ? 'ocsf.json' : format}`,
    ),
  notifications: (organizationId: string, alertId: string, signal?: AbortSignal) =>
    call<{ readonly items: NotificationEntry[] }>(`/api/alerts/${alertId}/notifications${inOrganization(organizationId)}`, {
      signal,
    }),
  /** With the version that the person has seen, so that two do not overwrite each other; what is said or labelled takes nothing away. */
  act: (alert: Alert, { act, ...body }: BulkAct) => {
    const { method, path } = ADDRESSES[act]
    const isRaced = act !== 'comment' && act !== 'label'
    return call<Alert>(`/api/alerts/${alert.id}/${path}${inOrganization(alert.organizationId)}`, {
      method,
      body,
      headers: isRaced ? { 'if-match': `"${alert.version}"` } : {},
    })
  },
  /** How many alerts an act on many would be done on. */
  countFor: async (organizationId: string, act: BulkAct, target: BulkTarget, signal?: AbortSignal) =>
    (
      await call<BulkAnswer>(`/api/alerts/bulk${inOrganization(organizationId)}`, {
        method: 'POST',
        body: { do: act, ...target, dryRun: true },
        signal,
      })
    ).matched,
  /** `key`: sent again with the same one, it goes on where it was cut off. */
  actOnMany: (organizationId: string, act: BulkAct, target: BulkTarget, key: string) =>
    call<BulkAnswer>(`/api/alerts/bulk${inOrganization(organizationId)}`, {
      method: 'POST',
      body: { do: act, ...target },
      headers: { 'idempotency-key': key },
    }),
  history: (organizationId: string, alertId: string, signal?: AbortSignal) =>
    call<HistoryPage>(`/api/alerts/${alertId}/history${inOrganization(organizationId, { limit: 500 })}`, { signal }),
  /** `from` RFC 3339; null: since ever. */
  statistics: (organizationId: string, from: string | null, signal?: AbortSignal) =>
    call<AlertStatistics>(`/api/alerts/statistics${stringifySearch({ organizationId, from })}`, { signal }),
  trend: (organizationId: string, from: string, bucket: TrendBucket, signal?: AbortSignal) =>
    call<AlertTrend>(`/api/alerts/trend${inOrganization(organizationId, { from, bucket })}`, { signal }),
  signInMethods: (signal?: AbortSignal) => call<{ readonly oidc: boolean }>('/auth/methods', { signal }),
  signOut: () => call<void>('/auth/signout', { method: 'POST' }),
}
