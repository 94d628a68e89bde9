import { isReservedSubject, notFound } from '@tocsin/access'
import { type Member, OPERATIONS_TABLE, type Role } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool } from '@tocsin/postgres'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { decideMembership } from '../core/membership.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { changeAccess } from '../repositories/access.ts'
import { addHistory } from '../repositories/history.ts'
import { listMembers, readMembership } from '../repositories/members.ts'
import { readOrganization } from '../repositories/organizations.ts'
import { REFUSE_TOKENS, REMOVE_MEMBER, SET_MEMBER } from '../sql/member-sql.ts'
import { authorizeCaller } from './authentication.ts'
import { originOf } from './headers.ts'
import { write } from './write.ts'

export interface MemberRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
}

/** What was asked of one member. */
interface Asked {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly organizationId: string | undefined
  readonly subject: string
}

export function memberRoutes(app: HttpServer, { pool, cipher }: MemberRoutes): void {
  route(app, OPERATIONS_TABLE.listMembers, async ({ query: asked, request }) => {
    const { organizationId } = authorizeCaller(request, {
      organizationId: asked.organizationId,
      permission: 'members:read',
      what: 'organization',
    })
    return { items: await inOrganization(pool, organizationId, (query) => listMembers(query, organizationId), 'snapshot') }
  })

  /** `next` null: is no member any more. */
  const change = async ({ request, reply, subject, ...asked }: Asked, next: Role | null): Promise<Member> => {
    const { organizationId, actor } = authorizeCaller(request, {
      organizationId: asked.organizationId,
      permission: 'members:write',
      what: 'member',
    })
    if (isReservedSubject(subject))
      throw new HttpProblem(422, 'RESERVED_SUBJECT', `${subject} is a name of the system: a member has another one.`)
    return write({ pool, cipher, request, reply, organizationId, actor }, async (query): Promise<Member> => {
      // Two changes at once: the second waits here, so that the last two admins cannot remove each other.
      if ((await readOrganization(query, organizationId, true)) === null) throw notFound('member')
      const present = await readMembership(query, organizationId, subject)
      const decided = decideMembership(present, next)
      if (decided === 'noMember') throw notFound('member')
      if (decided === 'lastAdmin')
        throw new HttpProblem(409, 'LAST_ADMIN', `${subject} is the only admin. Make somebody else admin first.`)
      const role = next ?? present.role
      if (role === null) throw notFound('member')
      if (decided === 'unchanged') return { subject, role }
      await changeAccess(query, subject, organizationId, () =>
        next === null ? query(REMOVE_MEMBER, [organizationId, subject]) : query(SET_MEMBER, [subject, organizationId, next]),
      )
      await addHistory(query, cipher, {
        organizationId,
        at: new Date().toISOString(),
        actor,
        ...originOf(request),
        action: `member.${decided}`,
        about: { kind: 'member', id: subject },
        details: { from: present.role, to: next },
      })
      return { subject, role }
    })
  }

  route(app, OPERATIONS_TABLE.setMember, ({ params, query, body, request, reply }) =>
    change({ request, reply, subject: params.subject, organizationId: query.organizationId }, body.role),
  )
  route(app, OPERATIONS_TABLE.removeMember, ({ params, query, request, reply }) =>
    change({ request, reply, subject: params.subject, organizationId: query.organizationId }, null),
  )

  route(app, OPERATIONS_TABLE.signOutMember, async ({ params: { subject }, query: asked, request, reply }) => {
    const { organizationId, actor } = authorizeCaller(request, {
      organizationId: asked.organizationId,
      permission: 'members:write',
      what: 'member',
    })
    return write({ pool, cipher, request, reply, organizationId, actor }, async (query) => {
      const { role } = await readMembership(query, organizationId, subject)
      if (role === null) throw notFound('member')
      await changeAccess(query, subject, organizationId, () => query(REFUSE_TOKENS, [subject]))
      await addHistory(query, cipher, {
        organizationId,
        at: new Date().toISOString(),
        actor,
        ...originOf(request),
        action: 'member.signed-out',
        about: { kind: 'member', id: subject },
        details: {},
      })
      return { subject, role }
    })
  })
}
