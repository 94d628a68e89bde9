import { Readable } from 'node:stream'
import { type KeyRing, notFound, openPage, sealPage } from '@tocsin/access'
import { type HistoryPage, OPERATIONS_TABLE, type Permission } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { publicKeysOf } from '@tocsin/history'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool } from '@tocsin/postgres'
import type { FastifyRequest } from 'fastify'
import { exportHistory } from '../history/export.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { addHistory, type HistoryFilter, listHistory } from '../repositories/history.ts'
import { listHeads } from '../repositories/history-chain.ts'
import { HAS_ALERT } from '../sql/alert-sql.ts'
import { type Authorized, authorizeCaller } from './authentication.ts'
import { originOf } from './headers.ts'

const DEFAULT_LIMIT = 50

export interface HistoryRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly ring: KeyRing
}

interface PageAsked {
  readonly organizationId?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

export function historyRoutes(app: HttpServer, { pool, cipher, ring }: HistoryRoutes): void {
  const pageOf = async (
    { organizationId, permissions }: Authorized,
    { limit = DEFAULT_LIMIT, cursor }: PageAsked,
    filter: HistoryFilter,
  ): Promise<HistoryPage> => {
    const before = cursor === undefined ? null : placeOf(ring, cursor, organizationId)
    const request = { filter, before, limit: limit + 1, sensitive: permissions.has('sensitive:read') }
    await cipher.load([organizationId])
    const found = await inOrganization(
      pool,
      organizationId,
      (query) => listHistory(query, cipher, organizationId, request),
      'snapshot',
    )
    const shown = found.slice(0, limit)
    const last = shown.at(-1)
    const more = found.length > limit && last !== undefined
    return {
      items: shown.map(({ item }) => item),
      nextCursor: more ? sealPage(ring, { history: String(last.position), organizationId }) : null,
    }
  }

  route(app, OPERATIONS_TABLE.listAlertHistory, async ({ params, query: asked, request }) => {
    const caller = authorized(request, asked, 'alerts:read', 'alert')
    const { organizationId } = caller
    const [alert] = await inOrganization(pool, organizationId, (query) => query(HAS_ALERT, [organizationId, params.id]))
    if (alert === undefined) throw notFound('alert')
    return pageOf(caller, asked, { aboutKind: 'alert', aboutId: params.id.toLowerCase() })
  })

  route(app, OPERATIONS_TABLE.listHistory, async ({ query: asked, request }) =>
    pageOf(authorized(request, asked, 'history:read'), asked, asked),
  )

  route(app, OPERATIONS_TABLE.exportHistory, async ({ query: asked, request, reply }) => {
    authorized(request, asked, 'sensitive:read')
    const { organizationId, actor } = authorized(request, asked, 'history:read')
    await cipher.load([organizationId])
    await inOrganization(pool, organizationId, (query) =>
      addHistory(query, cipher, {
        organizationId,
        at: new Date().toISOString(),
        actor,
        ...originOf(request),
        action: 'history.exported',
        about: { kind: 'history', id: organizationId },
        details: {},
      }),
    )
    reply.type('application/x-ndjson')
    return Readable.from(exportHistory(pool, cipher, organizationId))
  })

  route(app, OPERATIONS_TABLE.listHistoryHeads, async ({ query: asked, request }) => {
    const { organizationId } = authorized(request, asked, 'history:read')
    const { limit = DEFAULT_LIMIT, cursor } = asked
    const before = cursor === undefined ? null : placeOf(ring, cursor, organizationId)
    const found = await inOrganization(pool, organizationId, (query) => listHeads(query, organizationId, before, limit + 1))
    const heads = found.slice(0, limit)
    const last = heads.at(-1)
    const more = found.length > limit && last !== undefined
    return {
      heads,
      nextCursor: more ? sealPage(ring, { history: String(last.sequence), organizationId }) : null,
      ...publicKeysOf(ring.history),
    }
  })
}

const authorized = (request: FastifyRequest, asked: PageAsked, permission: Permission, what = 'organization'): Authorized =>
  authorizeCaller(request, { organizationId: asked.organizationId, permission, what })

/** A page cursor of another organization is refused like a forged one. */
function placeOf(ring: KeyRing, cursor: string, organizationId: string): string {
  const { organizationId: owner, history } = openPage(ring, cursor)
  if (owner !== organizationId || history === undefined)
    throw new HttpProblem(400, 'INVALID_CURSOR', 'The cursor is not one of ours. Leave it out to begin at the start.')
  return history
}
