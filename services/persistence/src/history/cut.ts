import type { Keys, TokenKey } from '@tocsin/access'
import type { HistoryCheckpoint } from '@tocsin/contracts'
import { signPlace } from '@tocsin/history'
import { type Pool, queryOf, transaction } from '@tocsin/postgres'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { addHistory } from '../repositories/history.ts'
import { addCheckpoint, databaseClock } from '../repositories/history-chain.ts'
import { CHAIN_LOCK, CUT_HISTORY, LAST_TO_CUT } from '../sql/history-chain-sql.ts'

/** Entries deleted in one transaction. */
const CUT_ENTRIES = 1_000

export interface HistoryCut {
  readonly organizationId: string
  /** RFC 3339: entries from this time on stay. */
  readonly olderThan: string
  /** What must stay, for instance alerts under legal hold: the cut ends before the first entry about one of these ids. */
  readonly kept: readonly string[]
}

/**
 * Retention of the history. Signs a checkpoint at the last entry of a beginning that is old throughout, says so in the history, and
 * deletes what lies up to it in small batches; the checkpoint stays, and `tocsin verify` goes on from it. Called again after a crash, it
 * deletes what is left. Resolves with the checkpoint of this call (null: nothing was old enough) and the number of deleted entries.
 */
export async function cutHistory(
  deps: { readonly pool: Pool; readonly cipher: FieldCipher; readonly ring: Keys<TokenKey> },
  cut: HistoryCut,
): Promise<{ readonly checkpoint: HistoryCheckpoint | null; readonly deleted: number }> {
  const { organizationId } = cut
  await deps.cipher.load([organizationId])
  const checkpoint = await writeCheckpoint(deps, cut)
  let deleted = 0
  for (let full = true; full; ) {
    const [row] = await queryOf(deps.pool)<{ gone: number }>(CUT_HISTORY, [organizationId, CUT_ENTRIES])
    const gone = row?.gone ?? 0
    deleted += gone
    full = gone === CUT_ENTRIES
  }
  return { checkpoint, deleted }
}

const writeCheckpoint = (
  { pool, cipher, ring }: Parameters<typeof cutHistory>[0],
  { organizationId, olderThan, kept }: HistoryCut,
): Promise<HistoryCheckpoint | null> =>
  transaction(pool, async (query) => {
    await query(CHAIN_LOCK, [organizationId])
    const [last] = await query<{ sequence: bigint; hash: string }>(LAST_TO_CUT, [organizationId, olderThan, kept])
    if (last === undefined) return null
    const [sequence, at] = [Number(last.sequence), await databaseClock(query)]
    const checkpoint = signPlace(ring, { purpose: 'checkpoint', organizationId, sequence, hash: last.hash, at })
    await addCheckpoint(query, checkpoint)
    await addHistory(query, cipher, {
      organizationId,
      at,
      actor: 'system',
      channel: 'system',
      action: 'history.cut',
      about: { kind: 'retention', id: organizationId },
      details: { sequence, hash: last.hash, olderThan },
    })
    return checkpoint
  })
