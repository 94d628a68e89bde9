/**
 * A bounded memory of alerts' halves, least recently used out first.
 *
 * 1. `untouchedSince(partition)` is the append time from which every record of the partition is still held here: an alert that
 *    was created later and has no status here was touched by nobody, so persistence need not be asked.
 */
import type { Halves } from './halves.ts'

interface Held {
  readonly halves: Halves
  readonly partition: number
  readonly appendTime: number
}

export class AlertCache {
  readonly #held = new Map<string, Held>()
  readonly #since = new Map<number, number>()
  readonly #maxAlerts: number

  constructor(maxAlerts: number) {
    this.#maxAlerts = maxAlerts
  }

  get size(): number {
    return this.#held.size
  }

  get(organizationId: string, alertId: string): Halves | undefined {
    return this.#held.get(`${organizationId}/${alertId}`)?.halves
  }

  put(organizationId: string, alertId: string, held: Held): void {
    const key = `${organizationId}/${alertId}`
    this.#held.delete(key)
    this.#held.set(key, held)
    if (this.#held.size <= this.#maxAlerts) return
    const [oldest, lost] = this.#held.entries().next().value as [string, Held]
    this.#held.delete(oldest)
    this.#since.set(lost.partition, Math.max(this.untouchedSince(lost.partition), lost.appendTime)) // 1
  }

  /** The partition was read from its beginning, or (`appendTime`) from the oldest record that retention has left. */
  begin(partition: number, appendTime: number): void {
    if (!this.#since.has(partition)) this.#since.set(partition, appendTime)
  }

  untouchedSince(partition: number): number {
    return this.#since.get(partition) ?? Number.NEGATIVE_INFINITY
  }
}
