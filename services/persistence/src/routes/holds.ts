import { notFound } from '@tocsin/access'
import { type Hold, OPERATIONS_TABLE, type Permission } from '@tocsin/contracts'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool, type Query } from '@tocsin/postgres'
import type { FastifyRequest } from 'fastify'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { addHistory } from '../repositories/history.ts'
import { addHold, listHolds, releaseHold } from '../repositories/holds.ts'
import { authorizeCaller } from './authentication.ts'

export interface HoldRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
}

/** Who asks, where, and when (RFC 3339). */
interface Asker {
  readonly organizationId: string
  readonly actor: string
  readonly at: string
}

export function holdRoutes(app: HttpServer, { pool, cipher }: HoldRoutes): void {
  const within = async <T>(
    request: FastifyRequest,
    asked: string | undefined,
    permission: Permission,
    work: (query: Query, asker: Asker) => Promise<T>,
  ): Promise<T> => {
    const { organizationId, actor } = authorizeCaller(request, { organizationId: asked, permission, what: 'hold' })
    await cipher.load([organizationId])
    return inOrganization(pool, organizationId, (query) => work(query, { organizationId, actor, at: new Date().toISOString() }))
  }
  const note = (query: Query, asker: Asker, action: 'hold.placed' | 'hold.released', { id, scope, reason }: Hold) =>
    addHistory(query, cipher, { ...asker, channel: 'api', action, about: { kind: 'hold', id }, details: { scope, reason } })

  route(app, OPERATIONS_TABLE.listHolds, async ({ query: asked, request }) => ({
    items: await within(request, asked.organizationId, 'history:read', (query, { organizationId }) =>
      listHolds(query, cipher, organizationId),
    ),
  }))
  route(
    app,
    OPERATIONS_TABLE.placeHold,
    ({ query: asked, body, request }) =>
      within(request, asked.organizationId, 'holds:write', async (query, asker) => {
        const hold = await addHold(query, cipher, { ...asker, ...body, by: asker.actor })
        await note(query, asker, 'hold.placed', hold)
        return hold
      }),
    201,
  )
  route(app, OPERATIONS_TABLE.releaseHold, ({ params, query: asked, request }) =>
    within(request, asked.organizationId, 'holds:write', async (query, asker) => {
      const hold = await releaseHold(query, cipher, { ...asker, id: params.id, by: asker.actor })
      if (hold === null) throw notFound('hold')
      await note(query, asker, 'hold.released', hold)
      return hold
    }),
  )
}
