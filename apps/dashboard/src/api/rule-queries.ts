import { queryOptions } from '@tanstack/react-query'
import { worthRetrying } from './queries.ts'
import { exceptionsApi, rulesApi } from './rules.ts'

const POLL_MS = 1_000

export const rulesQuery = (organizationId: string) =>
  queryOptions({
    queryKey: ['rules', organizationId],
    queryFn: ({ signal }) => rulesApi.list(organizationId, signal),
    retry: worthRetrying,
  })

/** With its ETag. What is being edited is not replaced under the editor's hands: nothing fetches it anew by itself. */
export const ruleQuery = (organizationId: string, ruleId: string) =>
  queryOptions({
    queryKey: ['rule', organizationId, ruleId],
    queryFn: ({ signal }) => rulesApi.one(organizationId, ruleId, signal),
    gcTime: 0,
    retry: worthRetrying,
  })

/** `etag`: of the rule, so that each change brings the versions anew. */
export const versionsQuery = (organizationId: string, ruleId: string, etag: string) =>
  queryOptions({
    queryKey: ['versions', organizationId, ruleId, etag],
    queryFn: ({ signal }) => rulesApi.versions(organizationId, ruleId, signal),
    retry: worthRetrying,
  })

export const diffQuery = (organizationId: string, ruleId: string, from: number, to: number) =>
  queryOptions({
    queryKey: ['diff', organizationId, ruleId, from, to],
    queryFn: ({ signal }) => rulesApi.diff(organizationId, ruleId, from, to, signal),
    // Versions never change.
    staleTime: Number.POSITIVE_INFINITY,
    retry: worthRetrying,
  })

/** Asked for again until it has ended. */
export const backtestQuery = (organizationId: string, id: string) =>
  queryOptions({
    queryKey: ['backtest', organizationId, id],
    queryFn: ({ signal }) => rulesApi.backtest(organizationId, id, signal),
    refetchInterval: ({ state: { data } }) => (data === undefined || data.state === 'running' ? POLL_MS : false),
    retry: worthRetrying,
  })

export const exceptionsQuery = (organizationId: string) =>
  queryOptions({
    queryKey: ['exceptions', organizationId],
    queryFn: ({ signal }) => exceptionsApi.list(organizationId, signal),
    retry: worthRetrying,
  })

export const proposalQuery = (organizationId: string, alertId: string) =>
  queryOptions({
    queryKey: ['exception proposal', organizationId, alertId],
    queryFn: ({ signal }) => exceptionsApi.propose(organizationId, alertId, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: worthRetrying,
  })
