import { type Static, Type } from 'typebox'
import { type ApiOperation, Failures, Uuid } from './operation.ts'

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

export const ACCESS_OPERATIONS = {
  getMe: {
    service: 'persistence',
    method: 'GET',
    url: '/api/me',
    summary: 'Who the token is, and where it may go',
    permission: 'self',
    schema: { response: { 200: Me, ...Failures } },
  },
} as const satisfies Record<string, ApiOperation>
