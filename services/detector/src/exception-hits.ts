/**
 * Tells topic `exception.hits` how often exceptions have kept events out of rules: once a minute, a record for each organization of which
 * the figures have changed. Detection counts them anyway, so that no event costs more, and nothing waits for the telling; what was not told is told a minute
 * later.
 */
import { HEADERS, type ExceptionHits as HitsRecord, SCHEMA_VERSIONS, TOPICS } from '@tocsin/contracts'
import type { ExceptionHits } from '@tocsin/engine'
import { messageOf } from '@tocsin/errors'
import type { OutgoingRecord, Producer } from '@tocsin/kafka'
import type { Logger } from '@tocsin/telemetry'

const TELL_EVERY_MS = 60_000

export interface HitsTellerOptions {
  /** Of the partitions held: totals since each exception was first set. */
  readonly hits: () => readonly ExceptionHits[]
  readonly producer: Pick<Producer, 'send'>
  readonly log: Pick<Logger, 'warn'>
}

export class HitsTeller {
  readonly #options: HitsTellerOptions
  readonly #timer: NodeJS.Timeout
  /** What was last told of each organization. */
  #told: ReadonlyMap<string, string> = new Map()

  constructor(options: HitsTellerOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.tell(), TELL_EVERY_MS).unref()
  }

  /** Never rejects. */
  async tell(): Promise<void> {
    const { hits, producer, log } = this.#options
    const present = new Map(hits().map((each) => [each.organizationId, textOf(each)]))
    const fresh = [...present].filter(([organizationId, value]) => value !== this.#told.get(organizationId))
    try {
      if (fresh.length > 0) await producer.send(fresh.map(([organizationId, value]) => recordOf(organizationId, value)))
      this.#told = present
    } catch (error) {
      log.warn({ organizations: fresh.length, reason: messageOf(error) }, 'hits of exceptions were not told')
    }
  }

  /** Tells what is left, while the partitions are still held. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.tell()
  }
}

const textOf = ({ organizationId, hits }: ExceptionHits): string =>
  JSON.stringify({ organizationId, hits: hits.map(([id, count]) => ({ id, count })) } satisfies HitsRecord)

const recordOf = (organizationId: string, value: string): OutgoingRecord => ({
  topic: TOPICS.exceptionHits.name,
  partition: 0,
  key: organizationId,
  value,
  headers: {
    [HEADERS.type]: 'hits',
    [HEADERS.schema]: `ExceptionHits/${SCHEMA_VERSIONS.ExceptionHits}`,
    [HEADERS.contentType]: 'application/json',
  },
})
