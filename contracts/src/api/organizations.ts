import { type Static, Type } from 'typebox'
import { ACT_CHANNELS } from '../alert.ts'
import { OrganizationLimits, OrganizationSettings, Recipients } from '../control.ts'
import { type ApiOperation, Failures, Nullable, OrganizationParams, Time, Uuid, WriteHeaders } from './operation.ts'

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
    limits: OrganizationLimits,
    health: OrganizationHealth,
  },
  { $id: 'Organization' },
)
export type Organization = Static<typeof Organization>

export const UpdateOrganization = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    settings: Type.Optional(OrganizationSettings),
    recipients: Type.Optional(Type.Partial(Recipients)),
  },
  { $id: 'UpdateOrganization', additionalProperties: false },
)
export type UpdateOrganization = Static<typeof UpdateOrganization>

/** What an operator sees of an organization that it is no member of. */
const OrganizationEntry = Type.Object({
  organizationId: Uuid,
  slug: Type.String(),
  name: Type.String(),
  partition: Type.Integer(),
  limits: OrganizationLimits,
  createdAt: Time,
})
export const OrganizationList = Type.Object(
  {
    items: Type.Array(OrganizationEntry),
    nextAfter: Nullable(Type.String({ description: 'Give it as `after`; null: the end' })),
  },
  { $id: 'OrganizationList' },
)
export type OrganizationList = Static<typeof OrganizationList>

const OrganizationListQuery = Type.Object(
  {
    after: Type.Optional(Type.String({ maxLength: 63, description: 'Slug of the last one before' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: 'default 100' })),
  },
  { $id: 'OrganizationListQuery', additionalProperties: false },
)

export const DeleteOrganization = Type.Object(
  {
    confirm: Type.String({ maxLength: 63, description: 'Its slug, so that nobody deletes another one than meant' }),
    reason: Type.String({
      minLength: 1,
      maxLength: 2_000,
      description: 'Kept in clear when the organization is gone: name no persons',
    }),
  },
  { $id: 'DeleteOrganization', additionalProperties: false },
)
export type DeleteOrganization = Static<typeof DeleteOrganization>

export const OrganizationDeletion = Type.Object(
  {
    organizationId: Uuid,
    slug: Type.String({ description: 'Never given to another organization' }),
    reason: Type.String(),
    deletedBy: Type.String(),
    channel: Type.Enum([...ACT_CHANNELS]),
    deletedAt: Time,
    removed: Type.Integer({ minimum: 0, description: 'Rows that went so far' }),
    finishedAt: Nullable(Time),
    lastHead: Nullable(
      Type.Object(
        { sequence: Type.Integer(), hash: Type.String() },
        { description: 'Where its history ended; the signed head is on topic history.heads. null: not sealed to its end yet' },
      ),
    ),
  },
  { $id: 'OrganizationDeletion' },
)
export type OrganizationDeletion = Static<typeof OrganizationDeletion>

export const ORGANIZATION_OPERATIONS = {
  listOrganizations: {
    service: 'persistence',
    method: 'GET',
    url: '/api/organizations',
    summary: 'Every organization of the installation, by slug (operator)',
    permission: 'operator',
    schema: { querystring: OrganizationListQuery, response: { 200: OrganizationList, ...Failures } },
  },
  createOrganization: {
    service: 'persistence',
    method: 'POST',
    url: '/api/organizations',
    summary: 'A new organization, its ingest key and an admin token (operator)',
    permission: 'operator',
    schema: { body: CreateOrganization, response: { 201: OrganizationCreated, ...Failures } },
  },
  getOrganization: {
    service: 'persistence',
    method: 'GET',
    url: '/api/organizations/:organizationId',
    summary: 'Settings and health of an organization',
    permission: 'organization:read',
    schema: { params: OrganizationParams, response: { 200: Organization, ...Failures } },
  },
  updateOrganization: {
    service: 'persistence',
    method: 'PATCH',
    url: '/api/organizations/:organizationId',
    summary: 'Change name, settings or recipients (admin)',
    permission: 'settings:write',
    schema: {
      params: OrganizationParams,
      headers: WriteHeaders,
      body: UpdateOrganization,
      response: { 200: Organization, ...Failures },
    },
  },
  deleteOrganization: {
    service: 'persistence',
    method: 'POST',
    url: '/api/organizations/:organizationId/delete',
    summary:
      'End an organization for ever: its data key is destroyed, its people and keys are out at once, its rows go after; 409 under legal hold (operator)',
    permission: 'operator',
    schema: {
      params: OrganizationParams,
      body: DeleteOrganization,
      response: { 202: OrganizationDeletion, ...Failures },
    },
  },
  listDeletions: {
    service: 'persistence',
    method: 'GET',
    url: '/api/organizations/deletions',
    summary: 'Organizations that were deleted, by whom and why, newest first (operator)',
    permission: 'operator',
    schema: {
      response: {
        200: Type.Object({ items: Type.Array(OrganizationDeletion) }, { $id: 'OrganizationDeletionList' }),
        ...Failures,
      },
    },
  },
  setLimits: {
    service: 'persistence',
    method: 'PUT',
    url: '/api/organizations/:organizationId/limits',
    summary: 'Replace what an organization is allowed; absent: as the installation is configured (operator)',
    permission: 'operator',
    schema: {
      params: OrganizationParams,
      headers: WriteHeaders,
      body: OrganizationLimits,
      response: { 200: OrganizationLimits, ...Failures },
    },
  },
} as const satisfies Record<string, ApiOperation>
