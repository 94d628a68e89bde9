import type { KeyRing } from '@tocsin/access'
import type { Pool } from '@tocsin/postgres'
import type { Logger } from '@tocsin/telemetry'
import type { PersistenceMetrics } from '../metrics.ts'
import { type Periodic, startPeriodic } from '../periodic.ts'
import { forgetDestroyedKeys, rewrapDataKeys } from './data-keys.ts'
import { eraseNext } from './erasure.ts'
import type { FieldCipher } from './field-cipher.ts'
import { removeDeleted } from './removal.ts'
import { resealReadable } from './resealing.ts'
import { applyRetention } from './retention.ts'

/** A destroyed key is in no instance's memory longer than this. */
const FORGET_EVERY_MS = 2_000
const REWRAP_EVERY_MS = 5_000
const ERASE_EVERY_MS = 2_000
const REMOVE_EVERY_MS = 2_000
/** Once it is through there is nothing to do: no release since 0.1 writes what is readable. */
const RESEAL_EVERY_MS = 600_000
/** A day more or less of four hundred does not matter. */
const RETENTION_EVERY_MS = 600_000

export interface Upkeep {
  /** What fails again and again, for readiness. */
  degraded(): readonly string[]
  stop(): Promise<void>
}

/** What has to be done to stored data without anybody asking for it. All instances share it; each round is a small transaction. */
export function startUpkeep(options: {
  /** Of role tocsin_worker. */
  readonly pool: Pool
  readonly workerCipher: FieldCipher
  readonly apiCipher: FieldCipher
  readonly ring: KeyRing
  /** Called after alerts of an organization were deleted, or a person was taken out of them. */
  readonly onChanged: (organizationId: string) => Promise<void>
  readonly metrics: PersistenceMetrics
  readonly log: Logger
}): Upkeep {
  const { pool, workerCipher, apiCipher, ring, onChanged, metrics, log } = options
  const start = (what: string, everyMs: number, work: () => Promise<'more' | 'done'>) => ({
    what,
    periodic: startPeriodic({ what, everyMs, log, work }),
  })
  const works: readonly { readonly what: string; readonly periodic: Periodic }[] = [
    start('destroyed keys', FORGET_EVERY_MS, () => forgetDestroyedKeys(pool, [workerCipher, apiCipher])),
    start('wrapping of data keys', REWRAP_EVERY_MS, () =>
      rewrapDataKeys({ pool, cipher: workerCipher, active: () => ring.fields.active, metrics }),
    ),
    start('retention', RETENTION_EVERY_MS, () =>
      applyRetention({ pool, cipher: workerCipher, historyKeys: ring.history, onDeleted: onChanged }),
    ),
    start('erasure', ERASE_EVERY_MS, () => eraseNext({ pool, cipher: workerCipher, onChanged })),
    start('sealing of what 0.1 left readable', RESEAL_EVERY_MS, () => resealReadable({ pool, cipher: workerCipher })),
    start('removal of deleted organizations', REMOVE_EVERY_MS, () => removeDeleted({ pool, historyKeys: ring.history })),
  ]
  return {
    degraded: () => works.filter(({ periodic }) => periodic.failing()).map(({ what }) => what),
    stop: async () => {
      await Promise.all(works.map(({ periodic }) => periodic.stop()))
    },
  }
}
