import { type Static, Type } from 'typebox'
import { Alert, AlertWithEvidence } from './alert.ts'
import { OrganizationSettings, Recipients } from './control.ts'
import { FieldError, Problem } from './problem.ts'
import { ALERT_STATUSES, ALERT_TYPES, DISMISS_REASONS, SEVERITIES } from './vocabulary.ts'

const Uuid = Type.String({ format: 'uuid' })
const Time = Type.String({ format: 'date-time' })
/** One value or several: `?status=active&status=acknowledged`. */
const oneOrMore = <T extends string>(values: readonly T[]) =>
  Type.Optional(Type.Union([Type.Enum([...values]), Type.Array(Type.Enum([...values]))]))

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

export const ResolveBody = Type.Object({ notes: Type.String({ minLength: 1, maxLength: 10_000 }) }, { $id: 'ResolveBody' })
export const DismissBody = Type.Object(
  { reason: Type.Enum([...DISMISS_REASONS]), notes: Type.Optional(Type.String({ maxLength: 10_000 })) },
  { $id: 'DismissBody' },
)

export const CreateOrganization = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 255 }),
    slug: Type.Optional(Type.String({ pattern: '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$' })),
    settings: Type.Optional(OrganizationSettings),
    recipients: Type.Optional(Type.Partial(Recipients)),
  },
  { $id: 'CreateOrganization', additionalProperties: false },
)
export type CreateOrganization = Static<typeof CreateOrganization>

/** `ingestKey` and `token` are shown once. `warnings` holds, for instance, that nobody would be told. */
export const OrganizationCreated = Type.Object(
  {
    organizationId: Uuid,
    slug: Type.String(),
    ingestKey: Type.String(),
    token: Type.String(),
    warnings: Type.Array(Type.String()),
  },
  { $id: 'OrganizationCreated' },
)
export type OrganizationCreated = Static<typeof OrganizationCreated>

export const OrganizationHealth = Type.Object(
  {
    status: Type.Enum(['OK', 'WARNING', 'CRITICAL']),
    problems: Type.Array(Type.Object({ code: Type.String(), message: Type.String() })),
  },
  { $id: 'OrganizationHealth' },
)
export type OrganizationHealth = Static<typeof OrganizationHealth>

export const Organization = Type.Object(
  {
    organizationId: Uuid,
    slug: Type.String(),
    name: Type.String(),
    version: Type.Integer(),
    settings: OrganizationSettings,
    recipients: Recipients,
    health: OrganizationHealth,
  },
  { $id: 'Organization' },
)
export type Organization = Static<typeof Organization>

export const UpdateOrganization = Type.Object(
  { settings: Type.Optional(OrganizationSettings), recipients: Type.Optional(Type.Partial(Recipients)) },
  { $id: 'UpdateOrganization', additionalProperties: false },
)
export type UpdateOrganization = Static<typeof UpdateOrganization>

export const Me = Type.Object(
  {
    subject: Type.String(),
    operator: Type.Boolean(),
    organizations: Type.Array(
      Type.Object({ organizationId: Uuid, slug: Type.String(), name: Type.String(), role: Type.String() }),
    ),
  },
  { $id: 'Me' },
)
export type Me = Static<typeof Me>

/** One row of the notifier's ledger, or the named reason why nobody was told. */
export const NotificationEntry = Type.Object(
  {
    id: Uuid,
    alertId: Uuid,
    at: Time,
    channel: Type.Union([Type.String(), Type.Null()]),
    destination: Type.Union([Type.String(), Type.Null()]),
    event: Type.String({ description: 'created, risen, closed …: the change that was planned' }),
    status: Type.Enum(['planned', 'waiting', 'sending', 'sent', 'failed', 'cancelled', 'superseded', 'skipped']),
    reason: Type.Union([Type.String(), Type.Null()], { description: 'why skipped, cancelled or failed' }),
    dueAt: Type.Union([Time, Type.Null()]),
    sentAt: Type.Union([Time, Type.Null()]),
    attempts: Type.Integer(),
    providerId: Type.Union([Type.String(), Type.Null()]),
    latencyMs: Type.Union([Type.Number(), Type.Null()]),
    late: Type.Boolean(),
  },
  { $id: 'NotificationEntry' },
)
export type NotificationEntry = Static<typeof NotificationEntry>

export const IngestResult = Type.Object({
  index: Type.Integer(),
  id: Type.Union([Type.String(), Type.Null()]),
  status: Type.Enum(['accepted', 'duplicate', 'rejected']),
  ids: Type.Optional(
    Type.Array(Type.String(), { description: 'All ids, where one item is several events (sshd: message repeated)' }),
  ),
  errors: Type.Optional(Type.Array(FieldError)),
})
export type IngestResult = Static<typeof IngestResult>
export const IngestAnswer = Type.Object({ results: Type.Array(IngestResult) }, { $id: 'IngestAnswer' })
export type IngestAnswer = Static<typeof IngestAnswer>

export const IngestQuery = Type.Object(
  {
    format: Type.Optional(Type.String({ maxLength: 32, description: 'tocsin, sshd, cloudtrail, cloudevents; else recognized' })),
    year: Type.Optional(Type.Integer({ minimum: 1970, maximum: 9999, description: 'sshd: the year of RFC 3164 stamps' })),
    zone: Type.Optional(Type.String({ maxLength: 64, description: 'sshd: IANA zone of RFC 3164 stamps; default UTC' })),
  },
  { $id: 'IngestQuery', additionalProperties: false },
)

const AlertParams = Type.Object({ id: Uuid })
const OrganizationParams = Type.Object({ organizationId: Uuid })
const InOrganization = Type.Object({ organizationId: Type.Optional(Uuid) }, { additionalProperties: false })
const Failures = { '4xx': Problem, '5xx': Problem }

/** One row per operation: the services route by it, and OpenAPI is generated from it. `:id` as in Fastify. */
export const OPERATIONS_TABLE = {
  listAlerts: {
    service: 'persistence',
    method: 'GET',
    url: '/api/alerts',
    summary: 'Alerts of an organization, newest first',
    schema: { querystring: AlertQuery, response: { 200: AlertPage, ...Failures } },
  },
  getAlert: {
    service: 'persistence',
    method: 'GET',
    url: '/api/alerts/:id',
    summary: 'One alert with its evidence',
    schema: { params: AlertParams, querystring: InOrganization, response: { 200: AlertWithEvidence, ...Failures } },
  },
  acknowledgeAlert: {
    service: 'persistence',
    method: 'POST',
    url: '/api/alerts/:id/acknowledge',
    summary: 'Somebody looks at it',
    schema: { params: AlertParams, querystring: InOrganization, response: { 200: Alert, ...Failures } },
  },
  resolveAlert: {
    service: 'persistence',
    method: 'POST',
    url: '/api/alerts/:id/resolve',
    summary: 'The trouble is over',
    schema: { params: AlertParams, querystring: InOrganization, body: ResolveBody, response: { 200: Alert, ...Failures } },
  },
  dismissAlert: {
    service: 'persistence',
    method: 'POST',
    url: '/api/alerts/:id/dismiss',
    summary: 'It was no trouble',
    schema: { params: AlertParams, querystring: InOrganization, body: DismissBody, response: { 200: Alert, ...Failures } },
  },
  getMe: {
    service: 'persistence',
    method: 'GET',
    url: '/api/me',
    summary: 'Who the token is, and where it may go',
    schema: { response: { 200: Me, ...Failures } },
  },
  createOrganization: {
    service: 'persistence',
    method: 'POST',
    url: '/api/organizations',
    summary: 'A new organization, its ingest key and an admin token (operator)',
    schema: { body: CreateOrganization, response: { 201: OrganizationCreated, ...Failures } },
  },
  getOrganization: {
    service: 'persistence',
    method: 'GET',
    url: '/api/organizations/:organizationId',
    summary: 'Settings and health of an organization',
    schema: { params: OrganizationParams, response: { 200: Organization, ...Failures } },
  },
  updateOrganization: {
    service: 'persistence',
    method: 'PATCH',
    url: '/api/organizations/:organizationId',
    summary: 'Change settings or recipients (admin)',
    schema: { params: OrganizationParams, body: UpdateOrganization, response: { 200: Organization, ...Failures } },
  },
  listNotifications: {
    service: 'notifier',
    method: 'GET',
    url: '/api/alerts/:id/notifications',
    summary: 'Who was told of an alert, when, and why not',
    schema: {
      params: AlertParams,
      querystring: InOrganization,
      response: { 200: Type.Object({ items: Type.Array(NotificationEntry) }, { $id: 'NotificationList' }), ...Failures },
    },
  },
  postEvents: {
    service: 'ingest',
    method: 'POST',
    url: '/v1/events',
    summary: 'One event, an array, or NDJSON; gzip accepted; key in Authorization: Bearer or x-api-key',
    schema: { querystring: IngestQuery, response: { 202: IngestAnswer, 422: IngestAnswer, ...Failures } },
  },
} as const satisfies Record<string, ApiOperation>

export interface ApiOperation {
  readonly service: 'persistence' | 'notifier' | 'ingest'
  readonly method: 'GET' | 'POST' | 'PATCH'
  readonly url: string
  readonly summary: string
  readonly schema: {
    readonly params?: Type.TSchema
    readonly querystring?: Type.TSchema
    readonly body?: Type.TSchema
    readonly response: Readonly<Record<string | number, Type.TSchema>>
  }
}
