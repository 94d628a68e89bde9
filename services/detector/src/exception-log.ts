/** Tells in the log how often exceptions have kept events out of rules: no metric may name an organization (design §8), and there may be thousands. */
import type { ExceptionHits } from '@tocsin/engine'
import type { Logger } from '@tocsin/telemetry'

const TELL_EVERY_MS = 600_000

export class ExceptionLog {
  readonly #hits: () => readonly ExceptionHits[]
  readonly #log: Pick<Logger, 'info'>
  readonly #timer: NodeJS.Timeout
  /** What was last told of each organization. */
  #told: ReadonlyMap<string, string> = new Map()

  /** @param hits of the partitions held */
  constructor(hits: () => readonly ExceptionHits[], log: Pick<Logger, 'info'>) {
    this.#hits = hits
    this.#log = log
    this.#timer = setInterval(() => this.tell(), TELL_EVERY_MS).unref()
  }

  /** A line for each organization with hits that were not told yet; totals since each exception was first set. */
  tell(): void {
    const told = new Map<string, string>()
    for (const { organizationId, hits } of this.#hits()) {
      const counts = Object.fromEntries(hits.filter(([, count]) => count > 0))
      const text = JSON.stringify(counts)
      told.set(organizationId, text)
      if (text !== '{}' && text !== this.#told.get(organizationId))
        this.#log.info({ organizationId, hits: counts }, 'exceptions have kept events out of rules')
    }
    this.#told = told
  }

  /** Tells what is left, while the partitions are still held. */
  stop(): void {
    clearInterval(this.#timer)
    this.tell()
  }
}
