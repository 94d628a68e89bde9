import { type Static, Type } from 'typebox'
import { HistoryHead, HistoryKeys } from '../history.ts'
import { AlertParams, type ApiOperation, Failures, InOrganization, Nullable, Time, Uuid } from './operation.ts'

const Page = {
  organizationId: Type.Optional(Uuid),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50 })),
  cursor: Type.Optional(Type.String({ maxLength: 512 })),
}
export const HistoryPageQuery = Type.Object(Page, { $id: 'HistoryPageQuery', additionalProperties: false })

export const HistoryQuery = Type.Object(
  {
    ...Page,
    actor: Type.Optional(Type.String({ maxLength: 255 })),
    action: Type.Optional(Type.String({ maxLength: 255, description: 'For instance alert.acknowledged, key.revoked' })),
    aboutKind: Type.Optional(Type.String({ maxLength: 64, description: 'alert, organization, member, key, rule, …' })),
    aboutId: Type.Optional(Type.String({ maxLength: 255 })),
    from: Type.Optional(Type.String({ format: 'date-time', description: 'at or after' })),
    to: Type.Optional(Type.String({ format: 'date-time', description: 'before' })),
  },
  { $id: 'HistoryQuery', additionalProperties: false },
)
export type HistoryQuery = Static<typeof HistoryQuery>

export const HistoryItem = Type.Object(
  {
    id: Uuid,
    at: Time,
    actor: Type.String(),
    channel: Type.String(),
    action: Type.String(),
    about: Type.Object({ kind: Type.String(), id: Type.String(), version: Nullable(Type.Integer()) }),
    details: Nullable(Type.Record(Type.String(), Type.Unknown())),
    detailsState: Type.Enum(['open', 'masked', 'erased', 'unreadable'], {
      description: 'masked: the caller may not read sensitive texts; erased: nobody can any more',
    }),
    sealed: Type.Boolean({ description: 'Part of the chain; within seconds of the act' }),
    sequence: Nullable(Type.Integer()),
    hash: Nullable(Type.String()),
  },
  { $id: 'HistoryItem' },
)
export type HistoryItem = Static<typeof HistoryItem>

export const HistoryPage = Type.Object(
  { items: Type.Array(HistoryItem), nextCursor: Nullable(Type.String()) },
  { $id: 'HistoryPage' },
)
export type HistoryPage = Static<typeof HistoryPage>

export const HistoryHeads = Type.Object(
  { heads: Type.Array(HistoryHead), nextCursor: Nullable(Type.String()), keys: HistoryKeys.properties.keys },
  { $id: 'HistoryHeads' },
)
export type HistoryHeads = Static<typeof HistoryHeads>

export const HISTORY_OPERATIONS = {
  listAlertHistory: {
    service: 'persistence',
    method: 'GET',
    url: '/api/alerts/:id/history',
    summary: 'What was done with an alert, newest first',
    permission: 'alerts:read',
    schema: { params: AlertParams, querystring: HistoryPageQuery, response: { 200: HistoryPage, ...Failures } },
  },
  listHistory: {
    service: 'persistence',
    method: 'GET',
    url: '/api/history',
    summary: 'Every act of an organization, newest first',
    permission: 'history:read',
    schema: { querystring: HistoryQuery, response: { 200: HistoryPage, ...Failures } },
  },
  exportHistory: {
    service: 'persistence',
    method: 'GET',
    url: '/api/history/export',
    summary: 'The whole chain for `tocsin verify`, as NDJSON: HistoryExportStart, HistoryExportEntry…, HistoryExportEnd',
    permission: 'history:read',
    schema: {
      querystring: InOrganization,
      response: { 200: Type.String({ contentMediaType: 'application/x-ndjson' }), ...Failures },
    },
  },
  listHistoryHeads: {
    service: 'persistence',
    method: 'GET',
    url: '/api/history/heads',
    summary: 'Signed heads of the chain, newest first, and the public keys that verify them',
    permission: 'history:read',
    schema: { querystring: HistoryPageQuery, response: { 200: HistoryHeads, ...Failures } },
  },
} as const satisfies Record<string, ApiOperation>
