import CircuitBreaker from 'opossum'
import { type Accepted, countsAgainstDestination, DeliveryFault } from './channels/channel.ts'

export interface BreakerSettings {
  readonly timeoutMs: number
  readonly errorThresholdPercentage: number
  readonly volumeThreshold: number
  readonly rollingCountMs: number
  readonly resetMs: number
  readonly idleMs: number
}

export type BreakerState = 'closed' | 'open' | 'halfOpen'
type Action = (signal: AbortSignal) => Promise<Accepted>

interface Kept {
  readonly breaker: CircuitBreaker<[Action, AbortController], Accepted>
  usedAt: number
}

/** Why nothing was tried: the breaker is open. Not an attempt. */
export const BREAKER_OPEN = 'breaker_open'

/**
 * One opossum breaker for each destination, made at its first use. What is aborted: opossum gives up waiting after `timeoutMs` but lets
 * the call run on, so the call's own signal is aborted then. Breakers hold a timer each; idle ones are shut down.
 */
export class Breakers {
  readonly #settings: BreakerSettings
  readonly #kept = new Map<string, Kept>()
  readonly #onState: (destination: string, state: BreakerState) => void
  readonly #now: () => number

  constructor(settings: BreakerSettings, onState: (destination: string, state: BreakerState) => void, now = Date.now) {
    this.#settings = settings
    this.#onState = onState
    this.#now = now
  }

  /** Rejects with a DeliveryFault; its code is BREAKER_OPEN where the action was not called, `timeout` where its time was over. */
  async fire(destination: string, action: Action): Promise<Accepted> {
    const kept = this.#of(destination)
    kept.usedAt = this.#now()
    const controller = new AbortController()
    try {
      return await kept.breaker.fire(action, controller)
    } catch (error) {
      if (error instanceof DeliveryFault) throw error
      const code = (error as { code?: unknown }).code
      if (code === 'EOPENBREAKER') throw new DeliveryFault('retry', BREAKER_OPEN, this.#settings.resetMs)
      if (code === 'ETIMEDOUT') throw new DeliveryFault('retry', 'timeout')
      // Not a fault of the destination: a mistake of ours in rendering or sending. Tried again, and visible by its code.
      throw new DeliveryFault('retry', 'unexpected')
    } finally {
      controller.abort()
    }
  }

  /** Shuts down breakers that nobody used for a while; a closed one that comes back starts with an empty window. */
  dropIdle(): void {
    const before = this.#now() - this.#settings.idleMs
    for (const [destination, { breaker, usedAt }] of this.#kept) {
      if (usedAt > before) continue
      breaker.shutdown()
      this.#kept.delete(destination)
      if (!breaker.closed) this.#onState(destination, 'closed')
    }
  }

  get size(): number {
    return this.#kept.size
  }

  /** Breakers that are not closed. */
  get open(): number {
    return [...this.#kept.values()].filter(({ breaker }) => !breaker.closed).length
  }

  close(): void {
    for (const { breaker } of this.#kept.values()) breaker.shutdown()
    this.#kept.clear()
  }

  #of(destination: string): Kept {
    const known = this.#kept.get(destination)
    if (known !== undefined) return known
    const settings = this.#settings
    const breaker = new CircuitBreaker<[Action, AbortController], Accepted>((action, controller) => action(controller.signal), {
      name: 'destination',
      timeout: settings.timeoutMs,
      errorThresholdPercentage: settings.errorThresholdPercentage,
      volumeThreshold: settings.volumeThreshold,
      rollingCountTimeout: settings.rollingCountMs,
      resetTimeout: settings.resetMs,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      errorFilter: (error: unknown) => !countsAgainstDestination(error),
    })
    breaker.on('open', () => this.#onState(destination, 'open'))
    breaker.on('halfOpen', () => this.#onState(destination, 'halfOpen'))
    breaker.on('close', () => this.#onState(destination, 'closed'))
    const kept = { breaker, usedAt: this.#now() }
    this.#kept.set(destination, kept)
    return kept
  }
}
