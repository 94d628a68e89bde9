import { type Static, Type } from 'typebox'
import { type ApiOperation, Failures } from './operation.ts'

export const SIGN_IN_OUTCOMES = ['succeeded', 'link-used', 'revoked', 'too-many'] as const
export type SignInOutcome = (typeof SIGN_IN_OUTCOMES)[number]

/** A sign-in whose subject was proven, whether or not it was let in. */
export const SignIn = Type.Object(
  {
    subject: Type.String({ minLength: 1, maxLength: 255 }),
    method: Type.Enum(['link', 'oidc']),
    outcome: Type.Enum([...SIGN_IN_OUTCOMES], {
      description:
        'link-used: the link had been used before; revoked: it was made before the subject was signed out; too-many: within a minute',
    }),
    ip: Type.String({ minLength: 1, maxLength: 255, description: 'Address of the browser' }),
  },
  { $id: 'SignIn', additionalProperties: false },
)
export type SignIn = Static<typeof SignIn>

export const SIGN_IN_OPERATIONS = {
  recordSignIn: {
    service: 'persistence',
    method: 'POST',
    url: '/api/sign-ins',
    summary: 'Tells of a sign-in at the front door (the gateway): an entry in the history of each organization of the subject',
    permission: 'service',
    schema: {
      body: SignIn,
      response: {
        201: Type.Object(
          { organizations: Type.Integer({ minimum: 0, description: 'That the subject belongs to' }) },
          { $id: 'SignInRecorded' },
        ),
        ...Failures,
      },
    },
  },
} as const satisfies Record<string, ApiOperation>
