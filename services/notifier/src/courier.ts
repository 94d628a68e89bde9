/**
 * Sends what is due, for as long as it runs.
 *
 * 1. Timers and deliveries are looked for once a second and whenever something was planned here; so one that another instance left
 *    behind runs within its lease and a second.
 * 2. A send that PostgreSQL could not take note of is remembered and recorded as soon as it can: nothing is claimed before, or what was
 *    told just now would be told again.
 * 3. A stop takes no new work and waits for what is in flight; its attempts are over after the send timeout.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '@tocsin/errors'
import type { Pool } from '@tocsin/postgres'
import type { Logger } from '@tocsin/telemetry'
import { type Claimed, claim, type Outcome, type Recorded, readForSending, record } from './ledger/deliveries.ts'
import { runDueTimers } from './ledger/timers.ts'
import type { Organizations } from './organizations.ts'
import { type SendDeps, sendDelivery } from './send-delivery.ts'

/** How often the ledger is asked when nothing wakes us (ms). */
const LOOK_EVERY_MS = 1_000
/** Pause between tries to record an outcome while PostgreSQL is away (ms). */
const RECORD_AGAIN_MS = 250
const DROP_IDLE_EVERY_MS = 60_000

export interface CourierOptions extends SendDeps {
  readonly pool: Pool
  readonly organizations: Pick<Organizations, 'of'>
  readonly withConsole: boolean
  /** Most sends at once. */
  readonly concurrency: number
  readonly log: Logger
  readonly onOutcome: (
    delivery: Claimed,
    outcome: Outcome,
    recorded: Recorded,
    alert: { readonly createdAt: string; readonly severity: string } | null,
  ) => void
  /** Whether PostgreSQL answers. */
  readonly onDatabase: (up: boolean) => void
}

export class Courier {
  readonly #options: CourierOptions
  readonly #inFlight = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #unrecorded = 0
  #awake: () => void = () => undefined
  #woken = false
  #running: Promise<void> | null = null
  #droppedAt = 0

  constructor(options: CourierOptions) {
    this.#options = options
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Something may be due now. */
  wake(): void {
    this.#woken = true
    this.#awake()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.wake()
    await this.#running
    await Promise.allSettled(this.#inFlight) // 3
    this.#options.breakers.close()
  }

  async #run(): Promise<void> {
    const { log, onDatabase } = this.#options
    let failures = 0
    while (!this.#stopping.signal.aborted) {
      this.#woken = false
      try {
        const busy = await this.#round()
        if (failures > 0) log.info({ failures }, 'the ledger answers again')
        failures = 0
        onDatabase(true)
        if (busy) continue
      } catch (error) {
        // What went wrong before a claim changed nothing, and after it the lease brings the delivery back.
        onDatabase(false)
        failures += 1
        if (failures === 1 || failures % 30 === 0) log.warn({ failures, reason: messageOf(error) }, 'the ledger does not answer')
      }
      await this.#rest()
    }
  }

  /** Resolves with whether to look again at once. */
  async #round(): Promise<boolean> {
    const { pool, organizations, withConsole, concurrency, breakers } = this.#options
    if (Date.now() - this.#droppedAt > DROP_IDLE_EVERY_MS) {
      this.#droppedAt = Date.now()
      breakers.dropIdle()
    }
    const { more } = await runDueTimers(pool, organizations, { withConsole })
    const free = concurrency - this.#inFlight.size
    if (this.#unrecorded > 0 || free <= 0) return false // 2
    const claimed = await claim(pool, free)
    for (const delivery of claimed) this.#track(this.#handle(delivery))
    return more || (claimed.length > 0 && claimed.length === free)
  }

  async #rest(): Promise<void> {
    if (this.#woken || this.#stopping.signal.aborted) return
    const woken = new Promise<void>((resolve) => {
      this.#awake = resolve
    })
    const timer = new AbortController()
    await Promise.race([woken, delay(LOOK_EVERY_MS, undefined, { signal: timer.signal }).catch(() => undefined)]) // 1
    timer.abort()
  }

  #track(work: Promise<void>): void {
    const tracked: Promise<void> = work
      .catch((error: unknown) => {
        this.#options.log.warn({ reason: messageOf(error) }, 'a delivery was left to its lease')
      })
      .finally(() => {
        this.#inFlight.delete(tracked)
        this.wake()
      })
    this.#inFlight.add(tracked)
  }

  async #handle(delivery: Claimed): Promise<void> {
    const known = await readForSending(this.#options.pool, delivery)
    const outcome = await sendDelivery(this.#options, delivery, known)
    const recorded = await this.#record(delivery, outcome)
    if (recorded === null) return
    this.#options.onOutcome(delivery, outcome, recorded, known.alert)
  }

  /** Null: given up, because the service stops while PostgreSQL is away. */
  async #record(delivery: Claimed, outcome: Outcome): Promise<Recorded | null> {
    const { pool, log, onDatabase } = this.#options
    for (let failures = 0; ; ) {
      try {
        const recorded = await record(pool, delivery, outcome)
        if (failures > 0) this.#unrecorded -= 1
        return recorded
      } catch (error) {
        failures += 1
        onDatabase(false)
        if (failures === 1) {
          this.#unrecorded += 1
          log.warn(
            { deliveryId: delivery.id, outcome: outcome.kind, reason: messageOf(error) },
            'an outcome could not be recorded yet',
          )
        }
        if (this.#stopping.signal.aborted && failures > 1) {
          this.#unrecorded -= 1
          return null
        }
        await delay(RECORD_AGAIN_MS)
      }
    }
  }
}
