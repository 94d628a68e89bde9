import { type Static, Type } from 'typebox'
import { INSTALLATION_PERMISSIONS } from '../permissions.ts'
import { type ApiOperation, Failures, Nullable, Time, Uuid } from './operation.ts'

export const Grant = Type.Object(
  {
    id: Uuid,
    subject: Type.String(),
    permission: Type.Enum([...INSTALLATION_PERMISSIONS]),
    reason: Type.String(),
    grantedBy: Type.String(),
    grantedAt: Time,
    endedBy: Nullable(Type.String()),
    endedAt: Nullable(Time),
  },
  { $id: 'Grant' },
)
export type Grant = Static<typeof Grant>
const GrantList = Type.Object({ items: Type.Array(Grant) }, { $id: 'GrantList' })

export const SetGrants = Type.Object(
  {
    permissions: Type.Array(Type.Enum([...INSTALLATION_PERMISSIONS]), {
      uniqueItems: true,
      maxItems: INSTALLATION_PERMISSIONS.length,
      description: 'All that the subject has from now on; those that are left out end at once',
    }),
    reason: Type.String({ minLength: 1, maxLength: 2_000 }),
  },
  { $id: 'SetGrants', additionalProperties: false },
)

export const GRANT_OPERATIONS = {
  listGrants: {
    service: 'persistence',
    method: 'GET',
    url: '/api/grants',
    summary: 'Who may do what in every organization, now and before, newest first (operator)',
    permission: 'operator',
    schema: { response: { 200: GrantList, ...Failures } },
  },
  setGrants: {
    service: 'persistence',
    method: 'PUT',
    url: '/api/grants/:subject',
    summary: 'What a subject may do with alerts of every organization; an empty list ends it (operator)',
    permission: 'operator',
    schema: {
      params: Type.Object({ subject: Type.String({ minLength: 1, maxLength: 255 }) }),
      body: SetGrants,
      response: { 200: GrantList, ...Failures },
    },
  },
} as const satisfies Record<string, ApiOperation>
