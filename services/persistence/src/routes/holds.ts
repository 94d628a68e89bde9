import { notFound } from '@tocsin/access'
import { type Hold, OPERATIONS_TABLE } from '@tocsin/contracts'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool, type Query } from '@tocsin/postgres'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { addHistory } from '../repositories/history.ts'
import { addHold, listHolds, releaseHold } from '../repositories/holds.ts'
import { readOrganization } from '../repositories/organizations.ts'
import { authorizeCaller } from './authentication.ts'
import { originOf } from './headers.ts'
import { write } from './write.ts'

export interface HoldRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
}

interface Asked {
  readonly query: { readonly organizationId?: string | undefined }
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** Who asks, where, and when (RFC 3339). */
interface Asker {
  readonly organizationId: string
  readonly actor: string
  readonly at: string
}

export function holdRoutes(app: HttpServer, { pool, cipher }: HoldRoutes): void {
  const changing = async (
    { request, reply, query: { organizationId: asked } }: Asked,
    action: 'hold.placed' | 'hold.released',
    work: (query: Query, asker: Asker) => Promise<Hold>,
  ): Promise<Hold> => {
    const { organizationId, actor } = authorizeCaller(request, { organizationId: asked, permission: 'holds:write', what: 'hold' })
    return write({ pool, cipher, request, reply, organizationId, actor }, async (query) => {
      // A deletion of the organization at the same time comes before, or finds the hold.
      if ((await readOrganization(query, organizationId, true)) === null) throw notFound('hold')
      const asker = { organizationId, actor, at: new Date().toISOString() }
      const hold = await work(query, asker)
      const { id, scope, reason } = hold
      const entry = { action, ...originOf(request), about: { kind: 'hold', id }, details: { scope, reason } } as const
      await addHistory(query, cipher, { ...asker, ...entry })
      return hold
    })
  }

  route(app, OPERATIONS_TABLE.listHolds, async ({ query: asked, request }) => {
    const { organizationId } = authorizeCaller(request, {
      organizationId: asked.organizationId,
      permission: 'history:read',
      what: 'hold',
    })
    await cipher.load([organizationId])
    return { items: await inOrganization(pool, organizationId, (query) => listHolds(query, cipher, organizationId)) }
  })
  route(
    app,
    OPERATIONS_TABLE.placeHold,
    (asked) =>
      changing(asked, 'hold.placed', (query, asker) => addHold(query, cipher, { ...asker, ...asked.body, by: asker.actor })),
    201,
  )
  route(app, OPERATIONS_TABLE.releaseHold, (asked) =>
    changing(asked, 'hold.released', async (query, asker) => {
      const hold = await releaseHold(query, cipher, { ...asker, id: asked.params.id, by: asker.actor })
      if (hold === null) throw notFound('hold')
      return hold
    }),
  )
}
