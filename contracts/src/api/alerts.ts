import { type Static, Type } from 'typebox'
import { Alert, AlertWithEvidence } from '../alert.ts'
import { ALERT_STATUSES, ALERT_TYPES, SEVERITIES } from '../vocabulary.ts'
import { AlertParams, type ApiOperation, Failures, InOrganization, oneOrMore, Uuid } from './operation.ts'

/** By what a list of alerts can be sorted. Severity by rank; equal severities and counts by creation. */
export const ALERT_SORTS = ['created', 'updated', 'severity', 'count'] as const
export type AlertSort = (typeof ALERT_SORTS)[number]
export const SORT_ORDERS = ['desc', 'asc'] as const
export type SortOrder = (typeof SORT_ORDERS)[number]

/** Which alerts: of lists, exports and whatever else works on many. All that are given must hold. */
export const ALERT_FILTERS = {
  status: oneOrMore(ALERT_STATUSES),
  severity: oneOrMore(SEVERITIES),
  type: oneOrMore(ALERT_TYPES),
  source: Type.Optional(Type.String({ maxLength: 50 })),
  acknowledged: Type.Optional(Type.Boolean()),
  resolved: Type.Optional(Type.Boolean()),
  from: Type.Optional(Type.String({ format: 'date-time', description: 'createdAt at or after' })),
  to: Type.Optional(Type.String({ format: 'date-time', description: 'createdAt before' })),
  rule: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Id of the rule' })),
  assignee: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  tag: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "One of the rule's tags or of people's labels" })),
  subject: Type.Optional(
    Type.String({ minLength: 1, maxLength: 1_024, description: 'Exactly one of the values in `group`; needs sensitive:read' }),
  ),
  q: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description:
        'Words, each the beginning of one in title, description, group, rule, source or tags; at most 8 count; needs sensitive:read',
    }),
  ),
  merged: Type.Optional(Type.Boolean({ description: 'Also those that were merged into others; else they are left out' })),
} as const

export const AlertQuery = Type.Object(
  {
    organizationId: Type.Optional(Uuid),
    ...ALERT_FILTERS,
    sort: Type.Optional(Type.Enum([...ALERT_SORTS], { description: 'created where absent' })),
    order: Type.Optional(Type.Enum([...SORT_ORDERS], { description: 'desc where absent' })),
    total: Type.Optional(Type.Boolean({ description: 'Also count all that fit the filters' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50 })),
    cursor: Type.Optional(Type.String({ maxLength: 512 })),
  },
  { $id: 'AlertQuery', additionalProperties: false },
)
export type AlertQuery = Static<typeof AlertQuery>

export const AlertPage = Type.Object(
  {
    items: Type.Array(Alert),
    nextCursor: Type.Union([Type.String({ description: 'Of this sort and order only' }), Type.Null()]),
    streamCursor: Type.String({
      description: 'Position of `alerts` that this answer contains: subscribe from it and nothing is lost',
    }),
    total: Type.Optional(Type.Integer({ minimum: 0, description: 'All that fit the filters, exactly; with total=true' })),
  },
  { $id: 'AlertPage' },
)
export type AlertPage = Static<typeof AlertPage>

export const ALERT_OPERATIONS = {
  listAlerts: {
    service: 'persistence',
    method: 'GET',
    url: '/api/alerts',
    summary: 'Alerts of an organization, newest first unless sorted otherwise',
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
