/**
 * One act on many alerts.
 *
 * 1. In batches, each in a transaction of its own, so that locks are short; each alert has its own history entry and record.
 * 2. With `Idempotency-Key` the alerts that the filter fits are fixed by the first transaction, and each batch is done once: who was cut
 *    off sends the request again, and it goes on where it stood.
 */
import { notFound } from '@tocsin/access'
import { type BulkAnswer, HEADERS, MAX_BULK_ALERTS, OPERATIONS_TABLE } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool, type Query } from '@tocsin/postgres'
import { type ActOutcome, actOnAlert } from '../act-on-alert.ts'

import type { PersistenceMetrics } from '../metrics.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { type AlertFilter, AlertList } from '../repositories/alert-list.ts'
import { readOrganization } from '../repositories/organizations.ts'
import { COUNT_IDS } from '../sql/alert-sql.ts'
import { ACT_PERMISSIONS, commandOf } from './act-command.ts'
import { filterOf, nothingToSearch, refuseBadValue } from './alert-filter.ts'
import { refuseStranger } from './assignee.ts'
import { authorizeCaller } from './authentication.ts'
import { channelOf, headerText } from './headers.ts'
import { write } from './write.ts'

const BATCH = 100

export interface BulkRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly metrics: PersistenceMetrics
}

export function bulkRoutes(app: HttpServer, { pool, cipher, metrics }: BulkRoutes): void {
  route(app, OPERATIONS_TABLE.actOnAlerts, async ({ query: asked, body, request, reply }) => {
    const { organizationId, actor, permissions } = authorizeCaller(request, {
      organizationId: asked.organizationId,
      permission: ACT_PERMISSIONS[body.do.act],
      what: 'organization',
    })
    if ((body.ids === undefined) === (body.filter === undefined))
      throw new HttpProblem(400, 'INVALID_REQUEST', 'Name the alerts by ids or by a filter, one of both.')
    const context = { pool, cipher, request, reply, organizationId, actor }
    const wanted: Wanted = body.ids === undefined ? { filter: filterOf(body.filter ?? {}, permissions) } : { ids: body.ids }
    if (body.dryRun === true) {
      const matched = await inOrganization(pool, organizationId, (query) => count(query, organizationId, wanted)).catch(
        refuseBadValue,
      )
      return { matched, done: 0, items: [] } satisfies BulkAnswer
    }
    const command = commandOf(body.do)
    const plan = await write({ ...context, step: 'plan' }, async (query) => {
      if (command.action === 'assign') await refuseStranger(query, organizationId, command.assignee)
      const matched = await count(query, organizationId, wanted)
      if (matched > MAX_BULK_ALERTS)
        throw new HttpProblem(
          422,
          'TOO_MANY',
          `${matched} alerts fit, and ${MAX_BULK_ALERTS} at most are acted on at once. Narrow the filter.`,
          {
            extra: { matched },
          },
        )
      return { matched, ids: await idsOf(query, cipher, organizationId, wanted) }
    }).catch(refuseBadValue)
    const items: BulkAnswer['items'] = []
    for (let at = 0; at < plan.ids.length; at += BATCH)
      items.push(
        ...(await write({ ...context, step: String(at) }, async (query) => {
          const organization = await readOrganization(query, organizationId)
          if (organization === null) throw notFound('organization')
          const by = { subject: actor, channel: channelOf(request), now: Date.now() }
          const traceparent = headerText(request, HEADERS.traceparent)
          const results: BulkAnswer['items'] = []
          for (const id of plan.ids.slice(at, at + BATCH)) {
            const result = await actOnAlert(query, cipher, { organization, id, command, actor: by, traceparent })
            metrics.actions.inc({ action: command.action, outcome: result.outcome })
            results.push(itemOf(id, result))
          }
          return results
        })),
      )
    return {
      matched: plan.matched,
      done: items.filter(({ outcome }) => outcome === 'done').length,
      items,
    } satisfies BulkAnswer
  })
}

type Wanted = { readonly ids: readonly string[] } | { readonly filter: AlertFilter }

async function count(query: Query, organizationId: string, wanted: Wanted): Promise<number> {
  if ('filter' in wanted) return (await listOf(query, organizationId, wanted.filter)).total()
  const [row] = await query<{ matched: bigint }>(COUNT_IDS, [organizationId, wanted.ids])
  return Number(row?.matched ?? 0n)
}

/** In one order for all, so that two who act on the same alerts never wait for each other in a circle. */
async function idsOf(query: Query, cipher: FieldCipher, organizationId: string, wanted: Wanted): Promise<string[]> {
  if ('ids' in wanted) return [...new Set(wanted.ids.map((id) => id.toLowerCase()))].sort()
  const list = await listOf(query, organizationId, wanted.filter)
  const page = await list.page(cipher, { sort: 'created', order: 'desc' }, null, MAX_BULK_ALERTS)
  return page.map(({ alert }) => alert.id).sort()
}

async function listOf(query: Query, organizationId: string, filter: AlertFilter): Promise<AlertList> {
  const list = await AlertList.begin(query, organizationId, filter)
  if (list === null) throw nothingToSearch()
  return list
}

function itemOf(id: string, result: ActOutcome): BulkAnswer['items'][number] {
  if (result.outcome === 'missing') return { id, outcome: 'missing' }
  const { status: present, version } = result.alert
  if (result.outcome === 'done') return { id, outcome: 'done', present, version }
  return { id, outcome: 'refused', reason: result.outcome === 'refused' ? result.reason : 'overtaken', present, version }
}
