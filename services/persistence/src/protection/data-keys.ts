import { type Pool, queryOf, transaction } from '@tocsin/postgres'
import type { PersistenceMetrics } from '../metrics.ts'
import { COUNT_KEYS_TO_REWRAP, DESTROYED_LATELY, LOCK_KEYS_TO_REWRAP, SET_WRAPPED } from '../sql/protection-sql.ts'
import type { FieldCipher } from './field-cipher.ts'

/** In one transaction, which ends within milliseconds: the pass can be ended at any point and goes on where it was. */
const BATCH = 100
/** Longer than an instance can be away from PostgreSQL without losing its connections. */
const LATELY_SECONDS = 600

/** One batch of data keys is wrapped by the active master key. `pool`: of tocsin_worker. */
export async function rewrapDataKeys(options: {
  readonly pool: Pool
  readonly cipher: FieldCipher
  /** Id of the master key that wraps. */
  readonly active: () => string
  readonly metrics: PersistenceMetrics
}): Promise<'more' | 'done'> {
  const { pool, cipher, metrics } = options
  const active = options.active()
  const rows = await transaction(pool, async (query) => {
    const found = await query<{ organization_id: string; master_key: string; wrapped: Buffer }>(LOCK_KEYS_TO_REWRAP, [
      active,
      BATCH,
    ])
    for (const { organization_id, master_key, wrapped } of found) {
      const again = cipher.rewrap(organization_id, master_key, wrapped)
      await query(SET_WRAPPED, [organization_id, again.masterId, again.wrapped])
    }
    return found.length
  })
  const [left] = await queryOf(pool)<{ left: bigint }>(COUNT_KEYS_TO_REWRAP, [active])
  metrics.keysToRewrap.set(Number(left?.left ?? 0n))
  return rows === BATCH ? 'more' : 'done'
}

/** Takes keys that were destroyed, here or by another instance, out of memory. `pool`: of tocsin_worker. */
export async function forgetDestroyedKeys(pool: Pool, ciphers: readonly FieldCipher[]): Promise<'done'> {
  const rows = await queryOf(pool)<{ organization_id: string }>(DESTROYED_LATELY, [LATELY_SECONDS])
  for (const { organization_id } of rows) for (const cipher of ciphers) cipher.forget(organization_id)
  return 'done'
}
