import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { AlertWithEvidence, TrendBucket } from '@tocsin/contracts'
import type { AlertFilter, AlertOrder } from '../filter.ts'
import { api } from './client.ts'
import { ApiError } from './request.ts'

const NEVER = Number.POSITIVE_INFINITY
/** A refusal is an answer; only what may pass by itself is tried again. */
export const worthRetrying = (failures: number, error: Error): boolean =>
  failures < 3 && !(error instanceof ApiError && error.status >= 400 && error.status < 500)

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => api.me(signal),
  staleTime: NEVER,
  retry: worthRetrying,
})

export const signInMethodsQuery = queryOptions({
  queryKey: ['sign-in methods'],
  queryFn: ({ signal }) => api.signInMethods(signal),
  staleTime: NEVER,
  retry: worthRetrying,
})

export const organizationQuery = (organizationId: string) =>
  queryOptions({
    queryKey: ['organization', organizationId],
    queryFn: ({ signal }) => api.organization(organizationId, signal),
    staleTime: 60_000,
    refetchInterval: 60_000,
    retry: worthRetrying,
  })

/** Fetched anew whenever the list is shown; from then on the socket keeps it. */
export const alertsQuery = (organizationId: string, filter: AlertFilter, order: AlertOrder) =>
  infiniteQueryOptions({
    queryKey: ['alerts', organizationId, filter, order],
    queryFn: ({ pageParam, signal }) => api.alerts(organizationId, filter, order, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    staleTime: NEVER,
    gcTime: 0,
    retry: worthRetrying,
  })

export const totalQuery = (organizationId: string, filter: AlertFilter) =>
  queryOptions({
    queryKey: ['total', organizationId, filter],
    queryFn: ({ signal }) => api.total(organizationId, filter, signal),
    gcTime: 0,
    retry: worthRetrying,
  })

/** An alert and the organization it was found in: a link from a message names only the alert. */
export interface FoundAlert {
  readonly organizationId: string
  readonly alert: AlertWithEvidence
}

export const alertQuery = (alertId: string, organizationIds: readonly string[]) =>
  queryOptions({
    queryKey: ['alert', alertId],
    queryFn: async ({ signal }): Promise<FoundAlert> => {
      for (const organizationId of organizationIds) {
        try {
          return { organizationId, alert: await api.alert(organizationId, alertId, signal) }
        } catch (error) {
          if (!(error instanceof ApiError && error.status === 404)) throw error
        }
      }
      throw new ApiError(404, 'NOT_FOUND', 'There is no such alert, or it is not yours to see.')
    },
    staleTime: NEVER,
    gcTime: 0,
    retry: worthRetrying,
  })

export const notificationsQuery = (organizationId: string, alertId: string) =>
  queryOptions({
    queryKey: ['notifications', organizationId, alertId],
    queryFn: ({ signal }) => api.notifications(organizationId, alertId, signal),
    refetchInterval: 5_000,
    gcTime: 0,
    retry: worthRetrying,
  })

/** `version`: of the alert, so that each act of anybody brings the history anew. */
export const historyQuery = (organizationId: string, alertId: string, version: number) =>
  queryOptions({
    queryKey: ['history', organizationId, alertId, version],
    queryFn: ({ signal }) => api.history(organizationId, alertId, signal),
    placeholderData: (held) => held,
    gcTime: 0,
    retry: worthRetrying,
  })

export const relatedQuery = (organizationId: string, alertId: string) =>
  queryOptions({
    queryKey: ['related', organizationId, alertId],
    queryFn: ({ signal }) => api.related(organizationId, alertId, signal),
    gcTime: 0,
    retry: worthRetrying,
  })

export const membersQuery = (organizationId: string) =>
  queryOptions({
    queryKey: ['members', organizationId],
    queryFn: ({ signal }) => api.members(organizationId, signal),
    staleTime: 60_000,
    retry: worthRetrying,
  })

/** `from` RFC 3339; null: since ever. */
export const statisticsQuery = (organizationId: string, from: string | null) =>
  queryOptions({
    queryKey: ['statistics', organizationId, from],
    queryFn: ({ signal }) => api.statistics(organizationId, from, signal),
    retry: worthRetrying,
  })

export const trendQuery = (organizationId: string, from: string, bucket: TrendBucket) =>
  queryOptions({
    queryKey: ['trend', organizationId, from, bucket],
    queryFn: ({ signal }) => api.trend(organizationId, from, bucket, signal),
    retry: worthRetrying,
  })
