/**
 * Removes the rows of deleted organizations (delete-organization.ts).
 *
 * 1. A batch is one transaction: whoever goes on after a stop goes on there, and of two instances one is at it.
 * 2. The history goes last in time: first its chain is sealed to the end, the signed head put into the outbox, and its place kept.
 * 3. Each alert leaves with `alert.erased`, so that whoever holds a copy drops it.
 * 4. A batch of the applier that began before is waited for, and what other transactions of before still write is looked for until none of
 *    them can be left. Only then it is finished.
 */
import type { Keys, TokenKey } from '@tocsin/access'
import { TOPICS } from '@tocsin/contracts'
import { signPlace } from '@tocsin/history'
import { type Pool, type Query, queryOf, transaction } from '@tocsin/postgres'
import { addHead, readChainEnd, sealNext } from '../repositories/history-chain.ts'
import { addToOutbox, erasedRecord, headRecord } from '../repositories/outbox.ts'
import * as sql from '../sql/deletion-sql.ts'
import { WAIT_FOR_APPLIER } from '../sql/erasure-sql.ts'
import { CHAIN_LOCK } from '../sql/history-chain-sql.ts'

/** Rows in one transaction. */
const BATCH = 500
const MAX_DELETIONS = 50
/** Four times what a transaction may rest in between two statements: none that began before the deletion is left. */
const SETTLE_SECONDS = 60

export interface RemovalOptions {
  /** Of role tocsin_worker. */
  readonly pool: Pool
  /** Signs the last head of the history. */
  readonly historyKeys: Keys<TokenKey>
  /** Rows in one transaction. */
  readonly batch?: number
  /** From the deletion to the earliest end of the work. */
  readonly settleSeconds?: number
}

interface Unfinished {
  readonly organization_id: string
  readonly partition: number
}
interface Deletion {
  readonly last_sequence: bigint | null
  readonly settled: boolean
  readonly now: Date
}

/** One batch of each deletion that is not finished. `done`: nothing is left to do now. */
export async function removeDeleted(options: RemovalOptions): Promise<'more' | 'done'> {
  const unfinished = await queryOf(options.pool)<Unfinished>(sql.UNFINISHED_DELETIONS, [MAX_DELETIONS])
  let isMore = unfinished.length === MAX_DELETIONS
  for (const each of unfinished) isMore = (await removeBatch(options, each)) === 'more' || isMore
  return isMore ? 'more' : 'done'
}

async function removeBatch(options: RemovalOptions, { organization_id: id, partition }: Unfinished): Promise<'more' | 'done'> {
  const { pool, historyKeys, batch = BATCH, settleSeconds = SETTLE_SECONDS } = options
  await queryOf(pool)(WAIT_FOR_APPLIER, [TOPICS.alerts.name, partition]) // (4)
  return transaction(pool, async (query) => {
    const [deletion] = await query<Deletion>(sql.LOCK_DELETION, [id, settleSeconds]) // (1)
    if (deletion === undefined) return 'done'
    const at = deletion.now.toISOString()
    await query(CHAIN_LOCK, [id])
    if (deletion.last_sequence === null) {
      if ((await sealNext(query, id, batch)) < batch) await keepLastHead(query, historyKeys, id, at) // (2)
      return 'more'
    }
    const alerts = await query<{ id: string }>(sql.TAKE_ALERTS, [id, batch])
    const erased = alerts.map((alert) => ({ id: alert.id, organizationId: id, at, reason: 'organization' as const }))
    await addToOutbox(
      query,
      erased.map((record) => erasedRecord(record, partition)), // (3)
    )
    const [rest] = alerts.length > 0 ? [] : await query<{ removed: number }>(sql.REMOVE_DELETED, [id, batch])
    const removed = alerts.length + (rest?.removed ?? 0)
    if (removed > 0) await query(sql.COUNT_REMOVED, [id, removed])
    else if (deletion.settled) await query(sql.FINISH_DELETION, [id]) // (4)
    return removed > 0 ? 'more' : 'done'
  })
}

async function keepLastHead(query: Query, ring: Keys<TokenKey>, organizationId: string, at: string): Promise<void> {
  const end = await readChainEnd(query, organizationId)
  const head = signPlace(ring, { purpose: 'head', organizationId, ...end, at })
  if (await addHead(query, head)) await addToOutbox(query, [headRecord(head)])
  await query(sql.KEEP_LAST_HEAD, [organizationId, end.sequence, end.hash])
}
