import { issueToken, type KeyRing } from '@tocsin/access'
import { type Me, OPERATIONS_TABLE } from '@tocsin/contracts'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool } from '@tocsin/postgres'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { rememberEverywhere } from '../remember-everywhere.ts'
import { changeAccess } from '../repositories/access.ts'
import { REFUSE_TOKENS } from '../sql/member-sql.ts'
import { type Caller, subjectOf } from './authentication.ts'
import { originOf } from './headers.ts'

const DAY_SECONDS = 86_400

export interface MeRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly ring: KeyRing
}

export function meRoutes(app: HttpServer, { pool, cipher, ring }: MeRoutes): void {
  route(app, OPERATIONS_TABLE.getMe, async ({ request }) => meOf(subjectOf(request)))

  route(
    app,
    OPERATIONS_TABLE.createToken,
    async ({ body: { days }, request }) => {
      const { subject, access } = subjectOf(request)
      const expiresAt = new Date(Date.now() + days * DAY_SECONDS * 1_000).toISOString()
      // First what tells of it: a token that nobody knows of must not exist.
      await rememberEverywhere({ pool, cipher }, access.memberships, {
        actor: subject,
        ...originOf(request),
        action: 'token.issued',
        about: { kind: 'member', id: subject },
        details: { expiresAt },
      })
      return { token: await issueToken(ring, { subject, ttlSeconds: days * DAY_SECONDS }), expiresAt }
    },
    201,
  )

  route(app, OPERATIONS_TABLE.revokeTokens, async ({ request }) => {
    const caller = subjectOf(request)
    const { subject, access } = caller
    await inOrganization(pool, null, (query) => changeAccess(query, subject, null, () => query(REFUSE_TOKENS, [subject])))
    await rememberEverywhere({ pool, cipher }, access.memberships, {
      actor: subject,
      ...originOf(request),
      action: 'token.revoked',
      about: { kind: 'member', id: subject },
      details: {},
    })
    return meOf(caller)
  })
}

const meOf = ({ subject, access }: Extract<Caller, { kind: 'subject' }>): Me => ({
  subject,
  operator: access.operator,
  organizations: access.organizations,
})
