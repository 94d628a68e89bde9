/**
 * Chains the history and signs its heads (security.md §5, docs/history.md).
 *
 * 1. An act and its entry are one transaction; the seal comes after it, within SEAL_EVERY_MS while PostgreSQL answers, so that no act
 *    waits for another one's hash.
 * 2. One instance at a time lengthens a chain: a transaction's lock for each organization, and the key (organization, sequence) behind
 *    it. Seal and removal from what waits are one statement, so a chain has neither hole nor twin, wherever an instance dies.
 * 3. A head is signed and put into the outbox in one transaction; at a clean stop each chain that has grown gets one.
 */
import type { Keys, TokenKey } from '@tocsin/access'
import { messageOf } from '@tocsin/errors'
import { type Pool, queryOf, transaction } from '@tocsin/postgres'
import type { Logger } from '@tocsin/telemetry'
import type { PersistenceMetrics } from '../metrics.ts'
import { startPeriodic } from '../periodic.ts'
import { sealNext } from '../repositories/history-chain.ts'
import { TRY_CHAIN_LOCK, UNSEALED_ORGANIZATIONS, UNSEALED_STATE } from '../sql/history-chain-sql.ts'
import { signDueHeads } from './heads.ts'

const SEAL_EVERY_MS = 500
/** Entries of one transaction. */
const MAX_ENTRIES = 500
const MAX_ORGANIZATIONS = 100
/** Ten times what sealing needs on a busy machine: somebody must look. */
const LATE_SECONDS = 30

export interface SealerOptions {
  /** Of role tocsin_worker. */
  readonly pool: Pool
  /** Of KEYS_FILE: `history`. */
  readonly ring: Keys<TokenKey>
  readonly headsIntervalSeconds: number
  readonly log: Logger
  readonly metrics: PersistenceMetrics
}

export interface Sealer {
  /** True while an entry has waited for its seal for longer than 30 s, or sealing fails again and again. */
  late(): boolean
  stop(): Promise<void>
}

export function startSealer(options: SealerOptions): Sealer {
  const { pool, ring, log, metrics } = options
  let oldestSeconds = 0
  const rounds = startPeriodic({
    what: 'sealing of the history',
    everyMs: SEAL_EVERY_MS,
    log,
    work: async () => {
      const sealed = await sealWaiting(options)
      await signDueHeads(pool, { ring, intervalSeconds: options.headsIntervalSeconds })
      const [state] = await queryOf(pool)<{ oldest_seconds: number }>(UNSEALED_STATE)
      oldestSeconds = state?.oldest_seconds ?? 0
      metrics.unsealedOldestSeconds.set(oldestSeconds)
      return sealed > 0 ? 'more' : 'done'
    },
  })
  return {
    late: () => oldestSeconds > LATE_SECONDS || rounds.failing(),
    stop: async () => {
      await rounds.stop()
      if (rounds.failing()) return
      // (3) What cannot be done now is done by the next start.
      await sealWaiting(options)
        .then(() => signDueHeads(pool, { ring, intervalSeconds: 0 }))
        .catch((error: unknown) => log.warn({ reason: messageOf(error) }, 'the last head was not signed at the stop'))
    },
  }
}

/** One batch of each organization that waits; resolves with the number of entries. */
export async function sealWaiting({ pool, metrics }: Pick<SealerOptions, 'pool' | 'metrics'>): Promise<number> {
  const waiting = await queryOf(pool)<{ organization_id: string }>(UNSEALED_ORGANIZATIONS, [MAX_ORGANIZATIONS])
  let sealed = 0
  for (const { organization_id: organizationId } of waiting)
    sealed += await transaction(pool, async (query) => {
      const [lock] = await query<{ held: boolean }>(TRY_CHAIN_LOCK, [organizationId]) // (2)
      return lock?.held === true ? sealNext(query, organizationId, MAX_ENTRIES) : 0
    })
  metrics.sealed.inc(sealed)
  return sealed
}
