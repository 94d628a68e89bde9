/**
 * What members were refused, and sign-ins that failed, as entries of the history and so as audit events.
 *
 * 1. Nobody can flood the history: the first in a minute is an entry at once; those of the same actor and thing in the same organization
 *    within the minute after it are counted, and are one more entry, with their number, when it is over. An instance remembers only the
 *    present minute, and only of members: as many as they are, times the operations there are.
 * 2. A refusal is answered also where its entry cannot be written: it counts with the next.
 */
import { isRetryable, messageOf } from '@tocsin/errors'
import { inOrganization, type Pool } from '@tocsin/postgres'
import type { Logger } from '@tocsin/telemetry'
import type { FieldCipher } from './protection/field-cipher.ts'
import { addHistory, type HistoryEntry } from './repositories/history.ts'

const MINUTE_MS = 60_000
const LOOK_EVERY_MS = 10_000

/** `access.refused` or `sign-in.failed`. */
export type Refusal = Omit<HistoryEntry, 'at'>

interface Minute {
  readonly refusal: Refusal
  /** Not written yet. */
  times: number
  endsAt: number
}

export interface RefusalsOptions {
  /** Of tocsin_api. */
  readonly pool: Pool
  /** On the same pool. */
  readonly cipher: FieldCipher
  readonly log: Logger
}

export class Refusals {
  readonly #options: RefusalsOptions
  readonly #minutes = new Map<string, Minute>()
  readonly #timer: NodeJS.Timeout

  constructor(options: RefusalsOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.tell(Date.now()), LOOK_EVERY_MS).unref()
  }

  /** Never rejects (2). `now`: milliseconds since 1970. */
  async note(refusal: Refusal, now = Date.now()): Promise<void> {
    const { organizationId, actor, action, about } = refusal
    const key = JSON.stringify([organizationId, actor, action, about.id])
    const present = this.#minutes.get(key)
    if (present !== undefined) {
      present.times += 1 // (1)
      return
    }
    const minute = { refusal, times: 1, endsAt: now + MINUTE_MS }
    this.#minutes.set(key, minute)
    await this.#write(minute, now)
  }

  /** Writes what was counted in minutes that are over at `now`, and forgets those in which nothing was. Never rejects. */
  async tell(now: number): Promise<void> {
    for (const [key, minute] of this.#minutes) {
      if (now < minute.endsAt) continue
      if (minute.times === 0) this.#minutes.delete(key)
      else {
        minute.endsAt = now + MINUTE_MS
        await this.#write(minute, now)
      }
    }
  }

  /** Tells what is left. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.tell(Number.POSITIVE_INFINITY)
  }

  async #write(minute: Minute, now: number): Promise<void> {
    const { pool, cipher, log } = this.#options
    const { refusal, times } = minute
    const { organizationId, details } = refusal
    const at = new Date(Math.min(now, Date.now())).toISOString()
    minute.times = 0
    try {
      await cipher.load([organizationId])
      await inOrganization(pool, organizationId, (query) =>
        addHistory(query, cipher, { ...refusal, at, details: { ...details, times } }),
      )
    } catch (error) {
      // Of an organization that has been deleted meanwhile nothing can be written any more.
      if (isRetryable(error)) minute.times += times // (2)
      log.warn({ organizationId, reason: messageOf(error) }, 'a refusal is not in the history yet')
    }
  }
}
