import { notFound } from '@tocsin/access'
import { OPERATIONS_TABLE, type Permission } from '@tocsin/contracts'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool, type Query } from '@tocsin/postgres'
import type { FastifyRequest } from 'fastify'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { addErasure, getErasure, listErasures } from '../repositories/erasures.ts'
import { addHistory } from '../repositories/history.ts'
import { authorizeCaller } from './authentication.ts'

export interface ErasureRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
}

export function erasureRoutes(app: HttpServer, { pool, cipher }: ErasureRoutes): void {
  const within = async <T>(
    request: FastifyRequest,
    asked: string | undefined,
    permission: Permission,
    work: (query: Query, asker: { readonly organizationId: string; readonly actor: string }) => Promise<T>,
  ): Promise<T> => {
    const asker = authorizeCaller(request, { organizationId: asked, permission, what: 'erasure' })
    await cipher.load([asker.organizationId])
    return inOrganization(pool, asker.organizationId, (query) => work(query, asker))
  }

  route(app, OPERATIONS_TABLE.listErasures, async ({ query: asked, request }) => ({
    items: await within(request, asked.organizationId, 'history:read', (query, { organizationId }) =>
      listErasures(query, cipher, organizationId),
    ),
  }))
  route(app, OPERATIONS_TABLE.getErasure, ({ params, query: asked, request }) =>
    within(request, asked.organizationId, 'history:read', async (query, { organizationId }) => {
      const erasure = await getErasure(query, cipher, organizationId, params.id)
      if (erasure === null) throw notFound('erasure')
      return erasure
    }),
  )
  route(
    app,
    OPERATIONS_TABLE.eraseSubject,
    ({ query: asked, body, request }) =>
      within(request, asked.organizationId, 'erasure:write', async (query, { organizationId, actor }) => {
        const at = new Date().toISOString()
        const erasure = await addErasure(query, cipher, { ...body, organizationId, by: actor, at })
        const { id, pseudonym, reason } = erasure
        await addHistory(query, cipher, {
          organizationId,
          at,
          actor,
          channel: 'api',
          action: 'erasure.requested',
          about: { kind: 'erasure', id },
          details: { pseudonym, reason },
        })
        return erasure
      }),
    202,
  )
}
