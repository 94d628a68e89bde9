import { OPERATIONS_TABLE } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import type { Pool } from '@tocsin/postgres'
import type { FieldCipher } from '../protection/field-cipher.ts'
import type { Refusals } from '../refusals.ts'
import { rememberEverywhere } from '../remember-everywhere.ts'
import { findAccess } from '../repositories/access.ts'
import { callerOf } from './authentication.ts'

const CALLER = 'gateway'

export interface SignInRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly refusals: Refusals
}

export function signInRoutes(app: HttpServer, { pool, cipher, refusals }: SignInRoutes): void {
  route(
    app,
    OPERATIONS_TABLE.recordSignIn,
    async ({ body: { subject, method, outcome, ip }, request }) => {
      const caller = callerOf(request)
      if (caller.kind !== 'service' || caller.name !== CALLER)
        throw new HttpProblem(403, 'FORBIDDEN', 'Only the gateway, where people sign in, tells of it.')
      const { memberships } = await findAccess(pool, subject)
      const who = { actor: subject, channel: 'dashboard', ip, about: { kind: 'sign-in', id: subject } } as const
      if (outcome === 'succeeded')
        await rememberEverywhere({ pool, cipher }, memberships, { ...who, action: 'sign-in.succeeded', details: { method } })
      else
        for (const { organizationId } of memberships)
          await refusals.note({ ...who, organizationId, action: 'sign-in.failed', details: { method, reason: outcome } })
      return { organizations: memberships.length }
    },
    201,
  )
}
