/**
 * Alerts of every organization, for whoever an operator gave that (docs/decisions/0031).
 *
 * 1. One organization at a time, each in transactions bound to it alone by row-level security: no statement reads two.
 * 2. What is shown or done in an organization is an entry of its history, in the same transaction.
 * 3. What is shown is masked: a grant is never `sensitive:read`.
 * 4. The grant is read anew for each request, so one that has ended ends at once.
 */
import { alertFor, INSTALLATION_GRANTS, type KeyRing, openPage, sealPage } from '@tocsin/access'
import { type Alert, type BulkOfAllAnswer, OPERATIONS_TABLE, type Permission } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool, type Query } from '@tocsin/postgres'
import type { FastifyRequest } from 'fastify'
import type { AnswerCache } from '../answer-cache.ts'
import type { PersistenceMetrics } from '../metrics.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { asSubject } from '../repositories/access.ts'
import type { AlertFilter, ListPlace } from '../repositories/alert-list.ts'
import { readGrants } from '../repositories/grants.ts'
import { addHistory } from '../repositories/history.ts'
import { ORGANIZATIONS_AMONG, ORGANIZATIONS_FROM } from '../sql/grant-sql.ts'
import { ACT_PERMISSIONS, commandOf } from './act-command.ts'
import { actOnMany, wantedOf } from './act-on-many.ts'
import { alertListOf, filterOf, refuseBadValue } from './alert-filter.ts'
import { subjectOf } from './authentication.ts'
import { originOf } from './headers.ts'

const DEFAULT_LIMIT = 50
/** Looked at for one page, whether they have a fitting alert or not. */
const ORGANIZATIONS_OF_PAGE = 100

export interface AlertsOfAllRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly cache: AnswerCache
  readonly ring: KeyRing
  readonly metrics: PersistenceMetrics
}

/** Where a page begins: in this organization after this place, or at its start. */
interface Start {
  readonly organizationId: string
  readonly after: ListPlace | null
}

export function alertsOfAllRoutes(app: HttpServer, deps: AlertsOfAllRoutes): void {
  const { pool, cipher, cache, ring } = deps
  /** Of the caller's own transaction, in which it sees which organizations there are. Throws HttpProblem 403 without the grant (4). */
  const granted = async <T>(request: FastifyRequest, permission: Permission, read: (query: Query) => Promise<T>) => {
    const { subject } = subjectOf(request)
    return asSubject(
      pool,
      subject,
      async (query) => {
        const grants = await readGrants(query, subject)
        const permissions = new Set(grants.flatMap((grant) => INSTALLATION_GRANTS[grant.permission]))
        if (!permissions.has(permission))
          throw new HttpProblem(403, 'FORBIDDEN', `This needs ${permission} in every organization, which an operator may grant.`)
        return { subject, permissions, found: await read(query) }
      },
      'snapshot',
    )
  }

  /** At most `limit` alerts of one organization, and the entry that says so (1) (2). */
  const show = (
    request: FastifyRequest,
    actor: string,
    { organizationId, after }: Start,
    { filter, limit }: { readonly filter: AlertFilter; readonly limit: number },
  ) =>
    inOrganization(pool, organizationId, async (query) => {
      const page = await alertListOf(query, organizationId, filter).page(cipher, { sort: 'created', order: 'desc' }, after, limit)
      if (page.length > 0)
        await addHistory(query, cipher, {
          organizationId,
          at: new Date().toISOString(),
          actor,
          ...originOf(request),
          action: 'alerts.viewed',
          about: { kind: 'organization', id: organizationId },
          details: { by: 'alerts:view:all', alertIds: page.map(({ alert }) => alert.id) },
        })
      return page
    }).catch(refuseBadValue)

  route(app, OPERATIONS_TABLE.listAlertsOfAll, async ({ query: asked, request }) => {
    const { cursor, limit = DEFAULT_LIMIT, ...filters } = asked
    const start = cursor === undefined ? null : startOf(ring, cursor)
    const { subject, permissions, found } = await granted(request, 'alerts:read', (query) =>
      query<{ id: string }>(ORGANIZATIONS_FROM, [start?.organizationId ?? null, ORGANIZATIONS_OF_PAGE + 1]),
    )
    const filter = filterOf(filters, permissions)
    const items: Alert[] = []
    for (const { id } of found.slice(0, ORGANIZATIONS_OF_PAGE)) {
      if ((await cipher.loadLiving([id])).size > 0) continue
      const from = { organizationId: id, after: id === start?.organizationId ? start.after : null }
      const page = await show(request, subject, from, { filter, limit: limit - items.length })
      items.push(...page.map(({ alert }) => alertFor(permissions, alert))) // (3)
      const last = page.at(-1)
      if (items.length === limit && last !== undefined)
        return { items, nextCursor: sealPage(ring, { of: 'all', organizationId: id, ...last.place }) }
    }
    const next = found[ORGANIZATIONS_OF_PAGE]
    return { items, nextCursor: next === undefined ? null : sealPage(ring, { of: 'all', organizationId: next.id }) }
  })

  route(app, OPERATIONS_TABLE.actOnAlertsOfAll, async ({ body, request, reply }) => {
    const command = commandOf(body.do)
    const ids = body.organizations.map(({ organizationId }) => organizationId.toLowerCase())
    if (new Set(ids).size < ids.length) throw new HttpProblem(400, 'INVALID_REQUEST', 'Name each organization once.')
    const { subject, permissions, found } = await granted(request, ACT_PERMISSIONS[body.do.act], (query) =>
      query<{ id: string }>(ORGANIZATIONS_AMONG, [ids]),
    )
    const there = new Set(found.map(({ id }) => id))
    const targets = body.organizations.map(({ organizationId, ids: alertIds }) => ({
      organizationId: organizationId.toLowerCase(),
      wanted: wantedOf(alertIds, alertIds === undefined ? body.filter : undefined, permissions),
    }))
    const organizations: BulkOfAllAnswer['organizations'] = []
    for (const { organizationId, wanted } of targets) {
      const answer = there.has(organizationId)
        ? await actOnMany(
            { ...deps, request, reply, organizationId, actor: subject },
            { wanted, command, dryRun: body.dryRun === true },
          )
            .then((done) => ({ outcome: 'done' as const, ...done }))
            .catch(refusalOf)
        : MISSING
      organizations.push({ organizationId, ...answer })
    }
    await cache.changed(there)
    const sum = (of: 'matched' | 'done') => organizations.reduce((total, each) => total + each[of], 0)
    return { matched: sum('matched'), done: sum('done'), organizations }
  })
}

type Outcome = Omit<BulkOfAllAnswer['organizations'][number], 'organizationId'>
const MISSING: Outcome = { outcome: 'missing', matched: 0, done: 0, items: [] }

/** What concerns one organization leaves the others as they are. */
function refusalOf(error: unknown): Outcome {
  if (error instanceof HttpProblem && error.problemCode === 'NOT_FOUND') return MISSING
  if (error instanceof HttpProblem && error.problemCode === 'TOO_MANY')
    return { outcome: 'tooMany', matched: Number(error.extra['matched'] ?? 0), done: 0, items: [] }
  throw error
}

/** A cursor of another list is refused like a forged one. */
function startOf(ring: KeyRing, cursor: string): Start {
  const { of, organizationId, value, id, createdAt } = openPage(ring, cursor)
  if (of !== 'all' || organizationId === undefined)
    throw new HttpProblem(400, 'INVALID_CURSOR', 'The cursor is not one of ours. Leave it out to begin at the start.')
  const after = value === undefined || id === undefined || createdAt === undefined ? null : { value, id, createdAt }
  return { organizationId, after }
}
