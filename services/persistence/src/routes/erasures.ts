import { notFound } from '@tocsin/access'
import { OPERATIONS_TABLE, type Permission } from '@tocsin/contracts'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool, type Query } from '@tocsin/postgres'
import type { FastifyRequest } from 'fastify'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { addErasure, getErasure, listErasures } from '../repositories/erasures.ts'
import { addHistory } from '../repositories/history.ts'
import { authorizeCaller } from './authentication.ts'
import { originOf } from './headers.ts'
import { write } from './write.ts'

export interface ErasureRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
}

export function erasureRoutes(app: HttpServer, { pool, cipher }: ErasureRoutes): void {
  const authorized = (request: FastifyRequest, organizationId: string | undefined, permission: Permission) =>
    authorizeCaller(request, { organizationId, permission, what: 'erasure' })
  const reading = async <T>(
    request: FastifyRequest,
    asked: string | undefined,
    read: (query: Query, organizationId: string) => Promise<T>,
  ): Promise<T> => {
    const { organizationId } = authorized(request, asked, 'history:read')
    await cipher.load([organizationId])
    return inOrganization(pool, organizationId, (query) => read(query, organizationId))
  }

  route(app, OPERATIONS_TABLE.listErasures, async ({ query: asked, request }) => ({
    items: await reading(request, asked.organizationId, (query, id) => listErasures(query, cipher, id)),
  }))
  route(app, OPERATIONS_TABLE.getErasure, ({ params, query: asked, request }) =>
    reading(request, asked.organizationId, async (query, organizationId) => {
      const erasure = await getErasure(query, cipher, organizationId, params.id)
      if (erasure === null) throw notFound('erasure')
      return erasure
    }),
  )
  route(
    app,
    OPERATIONS_TABLE.eraseSubject,
    async ({ query: asked, body, request, reply }) => {
      const { organizationId, actor } = authorized(request, asked.organizationId, 'erasure:write')
      return write({ pool, cipher, request, reply, organizationId, actor }, async (query) => {
        const at = new Date().toISOString()
        const erasure = await addErasure(query, cipher, { ...body, organizationId, by: actor, at })
        const { id, pseudonym, reason } = erasure
        await addHistory(query, cipher, {
          organizationId,
          at,
          actor,
          ...originOf(request),
          action: 'erasure.requested',
          about: { kind: 'erasure', id },
          details: { pseudonym, reason },
        })
        return erasure
      })
    },
    202,
  )
}
