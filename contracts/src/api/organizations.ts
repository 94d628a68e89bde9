import { type Static, Type } from 'typebox'
import { OrganizationSettings, Recipients } from '../control.ts'
import { type ApiOperation, Failures, OrganizationParams, Uuid } from './operation.ts'

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

export const ORGANIZATION_OPERATIONS = {
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
    summary: 'Change settings or recipients (admin)',
    permission: 'settings:write',
    schema: { params: OrganizationParams, body: UpdateOrganization, response: { 200: Organization, ...Failures } },
  },
} as const satisfies Record<string, ApiOperation>
