import { type KeyRing, notFound, openPage, sealCursor, sealPage } from '@tocsin/access'
import { type AlertQuery, HEADERS, OPERATIONS_TABLE, TOPICS } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool, type Query, sqlStateOf } from '@tocsin/postgres'
import type { FastifyRequest } from 'fastify'
import { decide, type StatusCommand } from '../core/status-change.ts'
import { isRefusal } from '../core/transitions.ts'
import type { PersistenceMetrics } from '../metrics.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { type AlertFilter, getAlert, type ListPlace, listAlerts, lockAlert, writeStatus } from '../repositories/alerts.ts'
import { addToOutbox, statusRecord } from '../repositories/outbox.ts'
import { GET_PARTITION } from '../sql/organization-sql.ts'
import { STREAM_POSITION } from '../sql/stream-sql.ts'
import { authorizeCaller, callerOf } from './authentication.ts'

const DEFAULT_LIMIT = 50

export interface AlertRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly ring: KeyRing
  readonly metrics: PersistenceMetrics
}

export function alertRoutes(app: HttpServer, { pool, cipher, ring, metrics }: AlertRoutes): void {
  route(app, OPERATIONS_TABLE.listAlerts, async ({ query: asked, request }) => {
    const { organizationId } = authorizeCaller(request, {
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
          items,
          nextCursor: more ? sealPage(ring, { organizationId, createdAt: last.createdAt, id: last.id }) : null,
          streamCursor: sealCursor(ring, { organizationId, partition: position.partition, offset: position.next }),
        }
      },
      'snapshot',
    ).catch(refuseBadValue)
  })

  route(app, OPERATIONS_TABLE.getAlert, async ({ params, query: asked, request }) => {
    const organizationId = readableOrganization(request, asked.organizationId)
    await cipher.load([organizationId])
    const alert = await inOrganization(
      pool,
      organizationId,
      (query) => getAlert(query, cipher, organizationId, params.id),
      'snapshot',
    )
    if (alert === null) throw notFound('alert')
    return alert
  })

  const act = async (request: FastifyRequest, id: string, asked: string | undefined, command: StatusCommand) => {
    const { organizationId, actor } = authorizeCaller(request, {
      organizationId: asked,
      permission: `alerts:${command.action}`,
      what: 'alert',
    })
    await cipher.load([organizationId])
    const traceparent = headerText(request, HEADERS.traceparent)
    return inOrganization(pool, organizationId, async (query) => {
      // Two at once: the second waits here, and then sees what the first did.
      const alert = await lockAlert(query, cipher, organizationId, id)
      if (alert === null) throw notFound('alert')
      const step = decide(alert, command, actor, Date.now())
      if (isRefusal(step)) {
        metrics.actions.inc({ action: command.action, outcome: 'refused' })
        throw new HttpProblem(409, 'WRONG_STATE', `The alert is ${alert.status}: it cannot be ${PAST[command.action]}.`, {
          extra: { present: alert.status, reason: step.refused },
        })
      }
      const next = await writeStatus(query, cipher, alert, step)
      const [place] = await query<{ partition: number }>(GET_PARTITION, [organizationId])
      if (place === undefined) throw notFound('alert')
      await addToOutbox(query, [statusRecord(step.change, step.type, place.partition, traceparent)])
      metrics.actions.inc({ action: command.action, outcome: 'done' })
      return next
    })
  }

  route(app, OPERATIONS_TABLE.acknowledgeAlert, ({ params, query, request }) =>
    act(request, params.id, query.organizationId, { action: 'acknowledge' }),
  )
  route(app, OPERATIONS_TABLE.resolveAlert, ({ params, query, body, request }) =>
    act(request, params.id, query.organizationId, { action: 'resolve', notes: body.notes }),
  )
  route(app, OPERATIONS_TABLE.dismissAlert, ({ params, query, body, request }) =>
    act(request, params.id, query.organizationId, { action: 'dismiss', reason: body.reason, notes: body.notes }),
  )
}

const PAST: Readonly<Record<StatusCommand['action'], string>> = {
  acknowledge: 'acknowledged',
  resolve: 'resolved',
  dismiss: 'dismissed',
}

/** Services read one alert of an organization that they name (the gateway joins halves with it). */
function readableOrganization(request: FastifyRequest, asked: string | undefined): string {
  if (callerOf(request).kind !== 'service')
    return authorizeCaller(request, { organizationId: asked, permission: 'alerts:read', what: 'alert' }).organizationId
  if (asked === undefined)
    throw new HttpProblem(400, 'ORGANIZATION_REQUIRED', 'A service names the organization: ?organizationId=…')
  return asked
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

const headerText = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}
