import { alertFor, type KeyRing, notFound, openPage, sealCursor, sealPage } from '@tocsin/access'
import { OPERATIONS_TABLE, TOPICS } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool, type Query } from '@tocsin/postgres'
import type { FieldCipher } from '../protection/field-cipher.ts'
import type { ListOrder, ListPlace } from '../repositories/alert-list.ts'
import { STREAM_POSITION } from '../sql/stream-sql.ts'
import { alertListOf, filterOf, refuseBadValue } from './alert-filter.ts'
import { authorizeCaller } from './authentication.ts'

const DEFAULT_LIMIT = 50

export interface AlertListRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly ring: KeyRing
}

export function alertListRoutes(app: HttpServer, { pool, cipher, ring }: AlertListRoutes): void {
  route(app, OPERATIONS_TABLE.listAlerts, async ({ query: asked, request }) => {
    const { organizationId, permissions } = authorizeCaller(request, {
      organizationId: asked.organizationId,
      permission: 'alerts:read',
      what: 'organization',
    })
    const filter = filterOf(asked, permissions)
    const order: ListOrder = { sort: asked.sort ?? 'created', order: asked.order ?? 'desc' }
    const after = asked.cursor === undefined ? null : placeOf(ring, asked.cursor, organizationId, order)
    const limit = asked.limit ?? DEFAULT_LIMIT
    await cipher.load([organizationId])
    // One snapshot: position and total are exactly those of the rows.
    return inOrganization(
      pool,
      organizationId,
      async (query) => {
        const list = alertListOf(query, organizationId, filter)
        const [found, position] = await Promise.all([
          list.page(cipher, order, after, limit + 1),
          streamPosition(query, organizationId),
        ])
        const shown = found.slice(0, limit)
        const last = shown.at(-1)
        const more = found.length > limit && last !== undefined
        return {
          items: shown.map(({ alert }) => alertFor(permissions, alert)),
          nextCursor: more ? sealPage(ring, { organizationId, ...order, ...last.place }) : null,
          streamCursor: sealCursor(ring, { organizationId, partition: position.partition, offset: position.next }),
          ...(asked.total === true ? { total: await list.total() } : {}),
        }
      },
      'snapshot',
    ).catch(refuseBadValue)
  })
}

/** A page cursor of another organization or sort is refused like a forged one. */
function placeOf(ring: KeyRing, cursor: string, organizationId: string, { sort, order }: ListOrder): ListPlace {
  const { organizationId: owner, sort: sorted, order: ordered, value, id, createdAt } = openPage(ring, cursor)
  if (owner !== organizationId || value === undefined || id === undefined || createdAt === undefined)
    throw new HttpProblem(400, 'INVALID_CURSOR', 'The cursor is not one of ours. Leave it out to begin at the start.')
  if (sorted !== sort || ordered !== order)
    throw new HttpProblem(
      400,
      'INVALID_CURSOR',
      `The cursor is of a list sorted otherwise. Leave it out, or ask for sort and order as before.`,
    )
  return { value, id, createdAt }
}

async function streamPosition(query: Query, organizationId: string): Promise<{ partition: number; next: bigint }> {
  const [position] = await query<{ partition: number; next: bigint }>(STREAM_POSITION, [organizationId, TOPICS.alerts.name])
  if (position === undefined) throw notFound('organization')
  return position
}
