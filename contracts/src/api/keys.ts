import { type Static, Type } from 'typebox'
import { KEY_SCOPES } from '../permissions.ts'
import { type ApiOperation, Failures, InOrganization, Nullable, Time, Uuid, WriteHeaders } from './operation.ts'

export const ApiKey = Type.Object(
  {
    id: Uuid,
    name: Type.String(),
    scopes: Type.Array(Type.Enum([...KEY_SCOPES])),
    source: Nullable(Type.String({ description: 'The only source name that it may send as' })),
    createdAt: Time,
    createdBy: Type.String(),
    expiresAt: Nullable(Type.String({ format: 'date-time', description: 'Set when it was replaced: until then both are live' })),
    lastUsedAt: Nullable(Type.String({ format: 'date-time', description: 'To the minute; null: not known to have been used' })),
  },
  { $id: 'ApiKey' },
)
export type ApiKey = Static<typeof ApiKey>

/** `key` is shown this once. */
export const ApiKeyCreated = Type.Object({ ...ApiKey.properties, key: Type.String() }, { $id: 'ApiKeyCreated' })
export type ApiKeyCreated = Static<typeof ApiKeyCreated>

export const CreateApiKey = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 255, description: 'What it is for' }),
    scopes: Type.Array(Type.Enum([...KEY_SCOPES]), { minItems: 1, maxItems: KEY_SCOPES.length, uniqueItems: true }),
    source: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'The only source name that it may send as' })),
  },
  { $id: 'CreateApiKey', additionalProperties: false },
)

const RotateApiKeyQuery = Type.Object(
  {
    ...InOrganization.properties,
    graceSeconds: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 2_592_000, description: 'How long the old one stays live; default 86400' }),
    ),
  },
  { $id: 'RotateApiKeyQuery', additionalProperties: false },
)
const KeyParams = Type.Object({ id: Uuid })

export const KEY_OPERATIONS = {
  listKeys: {
    service: 'persistence',
    method: 'GET',
    url: '/api/keys',
    summary: 'Live API keys of an organization, without the keys themselves',
    permission: 'keys:read',
    schema: {
      querystring: InOrganization,
      response: { 200: Type.Object({ items: Type.Array(ApiKey) }, { $id: 'ApiKeyList' }), ...Failures },
    },
  },
  createKey: {
    service: 'persistence',
    method: 'POST',
    url: '/api/keys',
    summary: 'A new API key, shown once (admin)',
    permission: 'keys:write',
    schema: {
      querystring: InOrganization,
      headers: WriteHeaders,
      body: CreateApiKey,
      response: { 201: ApiKeyCreated, ...Failures },
    },
  },
  rotateKey: {
    service: 'persistence',
    method: 'POST',
    url: '/api/keys/:id/rotate',
    summary: 'Another key with the same scopes, shown once; the old one ends after a grace period (admin)',
    permission: 'keys:write',
    schema: {
      params: KeyParams,
      querystring: RotateApiKeyQuery,
      headers: WriteHeaders,
      response: { 201: ApiKeyCreated, ...Failures },
    },
  },
  revokeKey: {
    service: 'persistence',
    method: 'DELETE',
    url: '/api/keys/:id',
    summary: 'End a key at once (admin)',
    permission: 'keys:write',
    schema: { params: KeyParams, querystring: InOrganization, headers: WriteHeaders, response: { 200: ApiKey, ...Failures } },
  },
} as const satisfies Record<string, ApiOperation>
