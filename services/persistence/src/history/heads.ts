import type { Keys, TokenKey } from '@tocsin/access'
import { signPlace } from '@tocsin/history'
import { type Pool, queryOf, transaction } from '@tocsin/postgres'
import { addHead, databaseClock, readChainEnd } from '../repositories/history-chain.ts'
import { addToOutbox, headRecord } from '../repositories/outbox.ts'
import { DUE_FOR_HEAD, TRY_CHAIN_LOCK } from '../sql/history-chain-sql.ts'

const MAX_ORGANIZATIONS = 100

/**
 * Signs the end of each chain that has grown since its last head, if that one is older than `intervalSeconds`, and puts it into the
 * outbox for topic `history.heads`. Resolves with how many were signed.
 */
export async function signDueHeads(
  pool: Pool,
  { ring, intervalSeconds }: { readonly ring: Keys<TokenKey>; readonly intervalSeconds: number },
): Promise<number> {
  const due = await queryOf(pool)<{ id: string }>(DUE_FOR_HEAD, [intervalSeconds, MAX_ORGANIZATIONS])
  let signed = 0
  for (const { id } of due) if (await signHead(pool, ring, id)) signed += 1
  return signed
}

/** False: another instance is at it, or was. */
const signHead = (pool: Pool, ring: Keys<TokenKey>, organizationId: string): Promise<boolean> =>
  transaction(pool, async (query) => {
    const [lock] = await query<{ held: boolean }>(TRY_CHAIN_LOCK, [organizationId])
    if (lock?.held !== true) return false
    const end = await readChainEnd(query, organizationId)
    const head = signPlace(ring, { purpose: 'head', organizationId, ...end, at: await databaseClock(query) })
    if (!(await addHead(query, head))) return false
    await addToOutbox(query, [headRecord(head)])
    return true
  })
