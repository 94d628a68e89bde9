import { inOrganization, type Pool } from '@tocsin/postgres'
import type { FieldCipher } from './protection/field-cipher.ts'
import { addHistory } from './repositories/history.ts'
import { READ_LATELY } from './sql/history-sql.ts'

const HOUR_MS = 3_600_000
/** Of this instance; what was forgotten is looked up. */
const MOST_REMEMBERED = 10_000

export interface EvidenceRead {
  readonly organizationId: string
  readonly alertId: string
  /** Subject or key. */
  readonly actor: string
}

/**
 * Who read the evidence of an alert, as an entry of the history (`evidence.read`) before it is shown: one for each actor, alert and hour, so
 * that a page that is open does not fill the history.
 */
export class EvidenceReads {
  readonly #pool: Pool
  readonly #cipher: FieldCipher
  /** Until when nothing is to be written for a reader and an alert, milliseconds since 1970. */
  readonly #written = new Map<string, number>()

  /** `pool`: of tocsin_api. */
  constructor(pool: Pool, cipher: FieldCipher) {
    this.#pool = pool
    this.#cipher = cipher
  }

  async record({ organizationId, alertId, actor }: EvidenceRead, now: number): Promise<void> {
    const key = JSON.stringify([organizationId, alertId, actor])
    if ((this.#written.get(key) ?? 0) > now) return
    await this.#cipher.load([organizationId])
    await inOrganization(this.#pool, organizationId, async (query) => {
      const since = new Date(now - HOUR_MS).toISOString()
      if ((await query(READ_LATELY, [organizationId, alertId, actor, since])).length > 0) return
      await addHistory(query, this.#cipher, {
        organizationId,
        at: new Date(now).toISOString(),
        actor,
        channel: 'api',
        action: 'evidence.read',
        about: { kind: 'alert', id: alertId },
        details: {},
      })
    })
    if (this.#written.size >= MOST_REMEMBERED) this.#written.clear()
    this.#written.set(key, now + HOUR_MS)
  }
}
