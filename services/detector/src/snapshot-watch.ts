/**
 * Raises the alarm while there is still time: a partition whose newest snapshot is older than half of what `audit.events` is kept for may find, at its
 * next recovery, that the log begins behind it (design §5.2). Age is wall clock minus log time of the snapshot: the age of the record to be read next.
 */
import { TOPICS } from '@tocsin/contracts'
import { messageOf } from '@tocsin/errors'
import { type Kafka, topicSetting } from '@tocsin/kafka'
import type { Logger } from '@tocsin/telemetry'

/** Part of the retention that a snapshot may be old. */
const SHARE = 0.5
/** Days are at stake; this also says how soon a changed retention is noticed. */
const LOOK_EVERY_MS = 30_000

export interface SnapshotWatchOptions {
  readonly kafka: Kafka
  /** Log time of the newest complete snapshot of each partition held, milliseconds since 1970. */
  readonly newest: () => ReadonlyMap<number, number>
  readonly log: Logger
}

export class SnapshotWatch {
  readonly #options: SnapshotWatchOptions
  readonly #timer: NodeJS.Timeout
  /** Infinity where nothing is ever deleted, and before it is known. */
  #limitMs = Number.POSITIVE_INFINITY
  #told: ReadonlySet<number> = new Set()

  constructor(options: SnapshotWatchOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS).unref()
    void this.#look()
  }

  /** Of the partition whose newest snapshot is the oldest; undefined while none is held. */
  oldestMs(): number | undefined {
    const newest = [...this.#options.newest().values()]
    return newest.length === 0 ? undefined : Date.now() - Math.min(...newest)
  }

  /** Partitions in danger. */
  overdue(): number[] {
    const limit = Date.now() - this.#limitMs
    return [...this.#options.newest()].filter(([, logTime]) => logTime < limit).map(([partition]) => partition)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    const { kafka, log } = this.#options
    try {
      const retentionMs = Number((await topicSetting(kafka, TOPICS.auditEvents.name, 'retention.ms')) ?? -1)
      this.#limitMs = retentionMs < 0 ? Number.POSITIVE_INFINITY : retentionMs * SHARE
    } catch (error) {
      log.debug({ reason: messageOf(error) }, 'the retention of audit.events was not read, what was read before holds')
    }
    const overdue = this.overdue()
    const limitHours = this.#limitMs / 3_600_000
    for (const partition of overdue)
      if (!this.#told.has(partition))
        log.error({ partition, limitHours }, 'the newest snapshot is older than half of the retention, records may be lost')
    this.#told = new Set(overdue)
  }
}
