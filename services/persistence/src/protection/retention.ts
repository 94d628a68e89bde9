/**
 * Deletes what has been kept for long enough.
 *
 * 1. Only alerts that have ended go: resolved or dismissed by somebody, and their episode closed. One that nobody has ended stays,
 *    however old it is: to forget it in silence would be the worst of answers.
 * 2. What a legal hold covers stays; the hold is looked at in the statement that locks the rows.
 * 3. A tombstone stays, so that neither a replay nor a late revision brings the alert back (applier.ts).
 * 4. Row, tombstone, history and the record that tells others are one small transaction: a round can be broken off at any point.
 */
import type { Keys, TokenKey } from '@tocsin/access'
import { type OrganizationSettings, SEVERITIES, type Severity } from '@tocsin/contracts'
import { type Pool, type Query, queryOf, transaction } from '@tocsin/postgres'
import { cutHistory } from '../history/cut.ts'
import { addHistory } from '../repositories/history.ts'
import { databaseClock, readCheckpoint } from '../repositories/history-chain.ts'
import { addToOutbox, erasedRecord } from '../repositories/outbox.ts'
import { FORGET_RAISED } from '../sql/raised-sql.ts'
import {
  BURY,
  DELETE_ALERTS,
  ENDED_AMONG,
  HOLDS_ON_HISTORY,
  LOCK_ENDED,
  NEXT_ORGANIZATIONS,
  OLD_HISTORY_AMONG,
} from '../sql/retention-sql.ts'
import type { FieldCipher } from './field-cipher.ts'

const DEFAULT_ALERT_DAYS = 400
/** Seven years. */
const DEFAULT_HISTORY_DAYS = 2_557
/** Alerts in one transaction. */
const BATCH = 200
const ORGANIZATIONS = 200
const DAY_MS = 86_400_000

export interface RetentionOptions {
  /** Of role tocsin_worker. */
  readonly pool: Pool
  readonly cipher: FieldCipher
  /** Signs the checkpoints at which the history is cut. */
  readonly historyKeys: Keys<TokenKey>
  /** Called after alerts of the organization were deleted. */
  readonly onDeleted: (organizationId: string) => Promise<void>
}

interface Keeper {
  readonly id: string
  readonly partition: number
  readonly settings: OrganizationSettings
}

/** One round over all organizations; what is left of a large one comes in the same round, batch by batch. */
export async function applyRetention(options: RetentionOptions): Promise<'done'> {
  const query = queryOf(options.pool)
  for (let after: string | null = null; ; ) {
    const keepers: Keeper[] = await query<Keeper>(NEXT_ORGANIZATIONS, [after, ORGANIZATIONS])
    const byId = new Map(keepers.map((keeper) => [keeper.id, keeper]))
    /** Undefined: deleted since it was looked up. */
    const living = async (id: string) => ((await options.cipher.loadLiving([id])).size === 0 ? byId.get(id) : undefined)
    for (const { organization_id: id, ...ended } of await endedAmong(query, keepers)) {
      const keeper = await living(id)
      for (let deleted = BATCH; keeper !== undefined && deleted === BATCH; ) {
        deleted = await deleteEnded(options, keeper, ended)
        if (deleted > 0) await options.onDeleted(id)
      }
    }
    for (const { organization_id: id } of await oldHistoryAmong(query, keepers)) {
      const keeper = await living(id)
      if (keeper !== undefined) await cutOldHistory(options, keeper)
    }
    const last = keepers.at(-1)
    if (last === undefined || keepers.length < ORGANIZATIONS) return 'done'
    after = last.id
  }
}

/** Alerts of a severity that have ended and were last changed more than so many days ago. */
interface Ended {
  readonly severity: Severity
  readonly days: number
}

/** Which organizations have such alerts: one question for all of them, since nearly all have none. */
function endedAmong(query: Query, keepers: readonly Keeper[]): Promise<(Ended & { readonly organization_id: string })[]> {
  const asked = keepers.flatMap(({ id, settings }) =>
    SEVERITIES.map((severity) => ({ id, severity, days: settings.retentionDays?.[severity] ?? DEFAULT_ALERT_DAYS })),
  )
  return query(ENDED_AMONG, [asked.map(({ id }) => id), asked.map(({ severity }) => severity), asked.map(({ days }) => days)])
}

const historyDaysOf = ({ settings }: Keeper): number => settings.historyRetentionDays ?? DEFAULT_HISTORY_DAYS

const oldHistoryAmong = (query: Query, keepers: readonly Keeper[]): Promise<{ readonly organization_id: string }[]> =>
  query(OLD_HISTORY_AMONG, [keepers.map(({ id }) => id), keepers.map(historyDaysOf)])

/** Resolves with the number of deleted alerts. */
async function deleteEnded(
  { pool, cipher }: RetentionOptions,
  { id: organizationId, partition }: Keeper,
  { severity, days }: Ended,
): Promise<number> {
  await cipher.load([organizationId])
  return transaction(pool, async (query) => {
    const asked = [organizationId, severity, days, BATCH]
    const rows = await query<{ id: string; created_at: Date; updated_at: Date; now: Date }>(LOCK_ENDED, asked) // (1) (2)
    const [first] = rows
    if (first === undefined) return 0
    const ids = rows.map(({ id }) => id)
    const at = first.now.toISOString()
    await query(BURY, [organizationId, ids, rows.map((row) => row.created_at), rows.map((row) => row.updated_at)]) // (3)
    await query(DELETE_ALERTS, [ids])
    await query(FORGET_RAISED, [organizationId, ids])
    await addHistory(query, cipher, {
      organizationId,
      at,
      actor: 'system',
      channel: 'system',
      action: 'alerts.deleted',
      about: { kind: 'retention', id: organizationId },
      details: { severity, days, alertIds: ids },
    })
    const records = ids.map((id) => erasedRecord({ id, organizationId, at, reason: 'retention' }, partition))
    await addToOutbox(query, records) // (4)
    return rows.length
  })
}

/** At most once a day, as each cut leaves a signed checkpoint. A hold on more than single alerts keeps the history whole. */
async function cutOldHistory({ pool, cipher, historyKeys }: RetentionOptions, keeper: Keeper): Promise<void> {
  const { id: organizationId } = keeper
  const query = queryOf(pool)
  const now = Date.parse(await databaseClock(query))
  const before = await readCheckpoint(query, organizationId)
  if (before !== null && now - Date.parse(before.at) < DAY_MS) return
  const [holds] = await query<{ alert_ids: string[]; wide: boolean }>(HOLDS_ON_HISTORY, [organizationId])
  if (holds?.wide === true) return
  const olderThan = new Date(now - historyDaysOf(keeper) * DAY_MS).toISOString()
  await cutHistory({ pool, cipher, ring: historyKeys }, { organizationId, olderThan, kept: holds?.alert_ids ?? [] })
}
