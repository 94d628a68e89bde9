import { alertFor, type KeyRing, notFound, openPage, sealCursor, sealPage } from '@tocsin/access'
import { type AlertQuery, OPERATIONS_TABLE, type Permission, TOPICS } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool, type Query, sqlStateOf } from '@tocsin/postgres'
import type { FastifyRequest } from 'fastify'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { type AlertFilter, getAlert, type ListPlace, listAlerts } from '../repositories/alerts.ts'
import { STREAM_POSITION } from '../sql/stream-sql.ts'
import { authorizeCaller, callerOf } from './authentication.ts'
import { etagOf } from './preconditions.ts'

const DEFAULT_LIMIT = 50

export interface AlertRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly ring: KeyRing
}

export function alertRoutes(app: HttpServer, { pool, cipher, ring }: AlertRoutes): void {
  route(app, OPERATIONS_TABLE.listAlerts, async ({ query: asked, request }) => {
    const { organizationId, permissions } = authorizeCaller(request, {
      organizationId: asked.organizationId,
      permission: 'alerts:read',
      what: 'organization',
    })
    const after = asked.cursor === undefined ? null : placeOf(ring, asked.cursor, organizationId)
    const limit = asked.limit ?? DEFAULT_LIMIT
    await cipher.load([organizationId])
    // One snapshot: the position is exactly that of the rows.
    return inOrganization(
      pool,
      organizationId,
      async (query) => {
        const found = await listAlerts(query, cipher, organizationId, filterOf(asked), after, limit + 1)
        const position = await streamPosition(query, organizationId)
        const items = found.slice(0, limit)
        const last = items.at(-1)
        const more = found.length > limit && last !== undefined
        return {
          items: items.map((alert) => alertFor(permissions, alert)),
          nextCursor: more ? sealPage(ring, { organizationId, createdAt: last.createdAt, id: last.id }) : null,
          streamCursor: sealCursor(ring, { organizationId, partition: position.partition, offset: position.next }),
        }
      },
      'snapshot',
    ).catch(refuseBadValue)
  })

  route(app, OPERATIONS_TABLE.getAlert, async ({ params, query: asked, request, reply }) => {
    const { organizationId, permissions } = readableOrganization(request, asked.organizationId)
    await cipher.load([organizationId])
    const alert = await inOrganization(
      pool,
      organizationId,
      (query) => getAlert(query, cipher, organizationId, params.id),
      'snapshot',
    )
    if (alert === null) throw notFound('alert')
    reply.header('etag', etagOf(alert))
    return permissions === null ? alert : alertFor(permissions, alert)
  })
}

/** Services read one alert, whole (permissions null), of an organization that they name: the gateway joins halves with it. */
function readableOrganization(
  request: FastifyRequest,
  asked: string | undefined,
): { readonly organizationId: string; readonly permissions: ReadonlySet<Permission> | null } {
  if (callerOf(request).kind !== 'service')
    return authorizeCaller(request, { organizationId: asked, permission: 'alerts:read', what: 'alert' })
  if (asked === undefined)
    throw new HttpProblem(400, 'ORGANIZATION_REQUIRED', 'A service names the organization: ?organizationId=…')
  return { organizationId: asked, permissions: null }
}

/** SQLSTATE class 22: a value that fits the schema and that PostgreSQL has no place for, for instance a date of the year 0. */
function refuseBadValue(error: unknown): never {
  if (sqlStateOf(error).startsWith('22'))
    throw new HttpProblem(400, 'INVALID_REQUEST', 'A filter has a value out of range.', { cause: error })
  throw error
}

const listOf = (value: string | readonly string[] | undefined): readonly string[] | null =>
  value === undefined ? null : typeof value === 'string' ? [value] : value

const filterOf = (query: AlertQuery): AlertFilter => ({
  statuses: listOf(query.status),
  severities: listOf(query.severity),
  types: listOf(query.type),
  source: query.source ?? null,
  from: query.from ?? null,
  to: query.to ?? null,
})

/** A page cursor of another organization is refused like a forged one. */
function placeOf(ring: KeyRing, cursor: string, organizationId: string): ListPlace {
  const { organizationId: owner, createdAt, id } = openPage(ring, cursor)
  if (owner !== organizationId || createdAt === undefined || id === undefined)
    throw new HttpProblem(400, 'INVALID_CURSOR', 'The cursor is not one of ours. Leave it out to begin at the start.')
  return { createdAt, id }
}

async function streamPosition(query: Query, organizationId: string): Promise<{ partition: number; next: bigint }> {
  const [position] = await query<{ partition: number; next: bigint }>(STREAM_POSITION, [organizationId, TOPICS.alerts.name])
  if (position === undefined) throw notFound('organization')
  return position
}
