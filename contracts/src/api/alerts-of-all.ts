import { type Static, Type } from 'typebox'
import { Alert } from '../alert.ts'
import { ActBody, DismissBody, ResolveBody } from './actions.ts'
import { ALERT_FILTERS } from './alerts.ts'
import { actOf, BulkAnswer, MAX_BULK_ALERTS } from './bulk.ts'
import { type ApiOperation, Failures, Nullable, Uuid, WriteHeaders } from './operation.ts'

const { q: _, subject: _subject, ...FILTERS } = ALERT_FILTERS

const AlertsOfAllQuery = Type.Object(
  {
    ...FILTERS,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
    cursor: Type.Optional(Type.String({ maxLength: 512 })),
  },
  { $id: 'AlertsOfAllQuery', additionalProperties: false },
)
const AlertsOfAll = Type.Object(
  {
    items: Type.Array(Alert),
    nextCursor: Nullable(
      Type.String({ description: 'A page may be short, or empty, before the end: it looks at 100 organizations at most' }),
    ),
  },
  { $id: 'AlertsOfAll' },
)

export const MAX_BULK_ORGANIZATIONS = 100
export const BulkOfAll = Type.Object(
  {
    do: Type.Union([
      actOf('acknowledge', ActBody.properties),
      actOf('resolve', ResolveBody.properties),
      actOf('dismiss', DismissBody.properties),
    ]),
    organizations: Type.Array(
      Type.Object(
        {
          organizationId: Uuid,
          ids: Type.Optional(Type.Array(Uuid, { minItems: 1, maxItems: MAX_BULK_ALERTS, uniqueItems: true })),
        },
        { additionalProperties: false },
      ),
      {
        minItems: 1,
        maxItems: MAX_BULK_ORGANIZATIONS,
        description: 'In which, each once; without ids the filter says which alerts',
      },
    ),
    filter: Type.Optional(
      Type.Object(FILTERS, { additionalProperties: false, description: 'It may fit 1,000 alerts of an organization at most' }),
    ),
    dryRun: Type.Optional(Type.Boolean({ description: 'Only count' })),
  },
  { $id: 'BulkOfAll', additionalProperties: false },
)
export type BulkOfAll = Static<typeof BulkOfAll>

export const BulkOfAllAnswer = Type.Object(
  {
    matched: Type.Integer({ minimum: 0 }),
    done: Type.Integer({ minimum: 0 }),
    organizations: Type.Array(
      Type.Object({
        organizationId: Uuid,
        outcome: Type.Enum(['done', 'missing', 'tooMany']),
        ...BulkAnswer.properties,
      }),
      { description: 'In their order; what was refused in one leaves the others done' },
    ),
  },
  { $id: 'BulkOfAllAnswer' },
)
export type BulkOfAllAnswer = Static<typeof BulkOfAllAnswer>

export const ALERTS_OF_ALL_OPERATIONS = {
  listAlertsOfAll: {
    service: 'persistence',
    method: 'GET',
    url: '/api/all/alerts',
    summary:
      'Alerts of every organization, masked: one organization after the other, each newest first; each one shown is an entry of its history',
    permission: 'alerts:view:all',
    schema: { querystring: AlertsOfAllQuery, response: { 200: AlertsOfAll, ...Failures } },
  },
  actOnAlertsOfAll: {
    service: 'persistence',
    method: 'POST',
    url: '/api/all/alerts/bulk',
    summary: 'One act on alerts of several organizations, each in transactions of its own; the act decides what is needed',
    permission: 'alerts:acknowledge:all',
    schema: { headers: WriteHeaders, body: BulkOfAll, response: { 200: BulkOfAllAnswer, ...Failures } },
  },
} as const satisfies Record<string, ApiOperation>
