/**
 * One act on many alerts.
 *
 * 1. In batches, each in a transaction of its own, so that locks are short; each alert has its own history entry and record.
 * 2. With `Idempotency-Key` the alerts that the filter fits are fixed by the first transaction, and each batch is done once: who was cut
 *    off sends the request again, and it goes on where it stood.
 */
import { notFound, type Standing } from '@tocsin/access'
import { type BulkAnswer, HEADERS, MAX_BULK_ALERTS } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { inOrganization, type Query } from '@tocsin/postgres'
import { type ActOutcome, actOnAlert } from '../act-on-alert.ts'
import type { Command } from '../core/status-change.ts'
import type { PersistenceMetrics } from '../metrics.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import type { AlertFilter } from '../repositories/alert-list.ts'
import { readOrganization } from '../repositories/organizations.ts'
import { COUNT_IDS } from '../sql/alert-sql.ts'
import { type AskedFilters, alertListOf, filterOf, refuseBadValue } from './alert-filter.ts'
import { refuseStranger } from './assignee.ts'
import { channelOf, headerText } from './headers.ts'
import { type WriteContext, write } from './write.ts'

const BATCH = 100

export type Wanted = { readonly ids: readonly string[] } | { readonly filter: AlertFilter }

/** Throws HttpProblem 400 unless the alerts are named by ids or by a filter, one of both; 403 for a filter that is not the caller's. */
export function wantedOf(
  ids: readonly string[] | undefined,
  filter: AskedFilters | undefined,
  permissions: Standing['permissions'],
): Wanted {
  if ((ids === undefined) === (filter === undefined))
    throw new HttpProblem(400, 'INVALID_REQUEST', 'Name the alerts by ids or by a filter, one of both.')
  return ids === undefined ? { filter: filterOf(filter ?? {}, permissions) } : { ids }
}

/** In the one organization of `context`. Throws HttpProblem 422 TOO_MANY, 404 where there is no such organization. */
export async function actOnMany(
  context: WriteContext & { readonly metrics: PersistenceMetrics },
  { wanted, command, dryRun }: { readonly wanted: Wanted; readonly command: Command; readonly dryRun: boolean },
): Promise<BulkAnswer> {
  const { pool, cipher, request, organizationId, actor, metrics } = context
  if (dryRun) {
    const matched = await inOrganization(pool, organizationId, (query) => count(query, organizationId, wanted)).catch(
      refuseBadValue,
    )
    return { matched, done: 0, items: [] }
  }
  const plan = await write({ ...context, step: 'plan' }, async (query) => {
    if (command.action === 'assign') await refuseStranger(query, organizationId, command.assignee)
    const matched = await count(query, organizationId, wanted)
    if (matched > MAX_BULK_ALERTS)
      throw new HttpProblem(
        422,
        'TOO_MANY',
        `${matched} alerts fit, and ${MAX_BULK_ALERTS} at most are acted on at once. Narrow the filter.`,
        { extra: { matched } },
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
  return { matched: plan.matched, done: items.filter(({ outcome }) => outcome === 'done').length, items }
}

async function count(query: Query, organizationId: string, wanted: Wanted): Promise<number> {
  if ('filter' in wanted) return alertListOf(query, organizationId, wanted.filter).total()
  const [row] = await query<{ matched: bigint }>(COUNT_IDS, [organizationId, wanted.ids])
  return Number(row?.matched ?? 0n)
}

/** In one order for all, so that two who act on the same alerts never wait for each other in a circle. */
async function idsOf(query: Query, cipher: FieldCipher, organizationId: string, wanted: Wanted): Promise<string[]> {
  if ('ids' in wanted) return [...new Set(wanted.ids.map((id) => id.toLowerCase()))].sort()
  const list = alertListOf(query, organizationId, wanted.filter)
  const page = await list.page(cipher, { sort: 'created', order: 'desc' }, null, MAX_BULK_ALERTS)
  return page.map(({ alert }) => alert.id).sort()
}

function itemOf(id: string, result: ActOutcome): BulkAnswer['items'][number] {
  if (result.outcome === 'missing') return { id, outcome: 'missing' }
  const { status: present, version } = result.alert
  if (result.outcome === 'done') return { id, outcome: 'done', present, version }
  return { id, outcome: 'refused', reason: result.outcome === 'refused' ? result.reason : 'overtaken', present, version }
}
