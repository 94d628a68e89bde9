import { type Static, Type } from 'typebox'
import { Alert, AlertWithEvidence } from '../alert.ts'
import { ALERT_STATUSES, ALERT_TYPES, SEVERITIES } from '../vocabulary.ts'
import { AlertParams, type ApiOperation, Failures, InOrganization, oneOrMore, Uuid } from './operation.ts'

export const AlertQuery = Type.Object(
  {
    organizationId: Type.Optional(Uuid),
    status: oneOrMore(ALERT_STATUSES),
    severity: oneOrMore(SEVERITIES),
    type: oneOrMore(ALERT_TYPES),
    source: Type.Optional(Type.String({ maxLength: 50 })),
    from: Type.Optional(Type.String({ format: 'date-time', description: 'createdAt at or after' })),
    to: Type.Optional(Type.String({ format: 'date-time', description: 'createdAt before' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50 })),
    cursor: Type.Optional(Type.String({ maxLength: 512 })),
  },
  { $id: 'AlertQuery', additionalProperties: false },
)
export type AlertQuery = Static<typeof AlertQuery>

export const AlertPage = Type.Object(
  {
    items: Type.Array(Alert),
    nextCursor: Type.Union([Type.String(), Type.Null()]),
    streamCursor: Type.String({
      description: 'Position of `alerts` that this answer contains: subscribe from it and nothing is lost',
    }),
  },
  { $id: 'AlertPage' },
)
export type AlertPage = Static<typeof AlertPage>

export const ALERT_OPERATIONS = {
  listAlerts: {
    service: 'persistence',
    method: 'GET',
    url: '/api/alerts',
    summary: 'Alerts of an organization, newest first',
    permission: 'alerts:read',
    schema: { querystring: AlertQuery, response: { 200: AlertPage, ...Failures } },
  },
  getAlert: {
    service: 'persistence',
    method: 'GET',
    url: '/api/alerts/:id',
    summary: 'One alert with its evidence',
    permission: 'alerts:read',
    schema: { params: AlertParams, querystring: InOrganization, response: { 200: AlertWithEvidence, ...Failures } },
  },
} as const satisfies Record<string, ApiOperation>
