import { type Static, Type } from 'typebox'
import { type ApiOperation, Failures, Time, Uuid } from './operation.ts'

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

export const CreateToken = Type.Object(
  { days: Type.Integer({ minimum: 1, maximum: 90, description: 'Then it ends' }) },
  { $id: 'CreateToken', additionalProperties: false },
)
/** `token` is shown this once. */
export const TokenCreated = Type.Object({ token: Type.String(), expiresAt: Time }, { $id: 'TokenCreated' })
export type TokenCreated = Static<typeof TokenCreated>

export const Bootstrap = Type.Object(
  {
    organization: Type.String({ minLength: 1, maxLength: 255, description: 'Name of the first organization' }),
    admin: Type.String({ minLength: 1, maxLength: 255, description: 'Subject of its first admin' }),
    operator: Type.String({ minLength: 1, maxLength: 255, description: 'Subject of the first operator; may be the admin' }),
  },
  { $id: 'Bootstrap', additionalProperties: false },
)
export const Bootstrapped = Type.Object(
  { organizationId: Uuid, slug: Type.String(), ingestKey: Type.String({ description: 'Shown this once' }) },
  { $id: 'Bootstrapped' },
)
export type Bootstrapped = Static<typeof Bootstrapped>

export const ACCESS_OPERATIONS = {
  bootstrap: {
    service: 'persistence',
    method: 'POST',
    url: '/api/bootstrap',
    summary: 'First operator, organization and admin (tocsin bootstrap, by the key ring); 409 once there is an operator',
    permission: 'service',
    schema: { body: Bootstrap, response: { 201: Bootstrapped, ...Failures } },
  },
  getMe: {
    service: 'persistence',
    method: 'GET',
    url: '/api/me',
    summary: 'Who the token is, and where it may go',
    permission: 'self',
    schema: { response: { 200: Me, ...Failures } },
  },
  createToken: {
    service: 'persistence',
    method: 'POST',
    url: '/api/me/tokens',
    summary: 'A token of your own for programs, shown once: it may do what you may',
    permission: 'self',
    schema: { body: CreateToken, response: { 201: TokenCreated, ...Failures } },
  },
  revokeTokens: {
    service: 'persistence',
    method: 'DELETE',
    url: '/api/me/tokens',
    summary: 'Refuse every token and session that you have now, this one included',
    permission: 'self',
    schema: { response: { 200: Me, ...Failures } },
  },
} as const satisfies Record<string, ApiOperation>
