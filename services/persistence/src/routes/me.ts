import { issueToken, type KeyRing } from '@tocsin/access'
import { type AccessRecord, type Me, OPERATIONS_TABLE } from '@tocsin/contracts'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool } from '@tocsin/postgres'
import type { FastifyRequest } from 'fastify'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { changeAccess } from '../repositories/access.ts'
import { addHistory } from '../repositories/history.ts'
import { REFUSE_TOKENS } from '../sql/member-sql.ts'
import { type Caller, subjectOf } from './authentication.ts'
import { channelOf } from './headers.ts'

const DAY_SECONDS = 86_400

export interface MeRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly ring: KeyRing
}

export function meRoutes(app: HttpServer, { pool, cipher, ring }: MeRoutes): void {
  route(app, OPERATIONS_TABLE.getMe, async ({ request }) => meOf(subjectOf(request)))

  /** One entry in each organization that the person belongs to: all of them are concerned. */
  const remember = async (
    {
      request,
      subject,
      access: { memberships },
    }: { request: FastifyRequest; subject: string; access: Pick<AccessRecord, 'memberships'> },
    action: string,
    details: object,
  ) => {
    await cipher.load(memberships.map(({ organizationId }) => organizationId))
    for (const { organizationId } of memberships)
      await inOrganization(pool, organizationId, (query) =>
        addHistory(query, cipher, {
          organizationId,
          at: new Date().toISOString(),
          actor: subject,
          channel: channelOf(request),
          action,
          about: { kind: 'member', id: subject },
          details: { ...details },
        }),
      )
  }

  route(
    app,
    OPERATIONS_TABLE.createToken,
    async ({ body: { days }, request }) => {
      const { subject, access } = subjectOf(request)
      const expiresAt = new Date(Date.now() + days * DAY_SECONDS * 1_000).toISOString()
      // First what tells of it: a token that nobody knows of must not exist.
      await remember({ request, subject, access }, 'token.issued', { expiresAt })
      return { token: await issueToken(ring, { subject, ttlSeconds: days * DAY_SECONDS }), expiresAt }
    },
    201,
  )

  route(app, OPERATIONS_TABLE.revokeTokens, async ({ request }) => {
    const caller = subjectOf(request)
    const { subject, access } = caller
    await inOrganization(pool, null, (query) => changeAccess(query, subject, null, () => query(REFUSE_TOKENS, [subject])))
    await remember({ request, subject, access }, 'token.revoked', {})
    return meOf(caller)
  })
}

const meOf = ({ subject, access }: Extract<Caller, { kind: 'subject' }>): Me => ({
  subject,
  operator: access.operator,
  organizations: access.organizations,
})
