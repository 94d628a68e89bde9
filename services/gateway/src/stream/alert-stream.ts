/**
 * Reads all of `alerts` and keeps its last changes, joined, for sockets.
 *
 * 1. Nothing is committed: each instance reads the same and may be restarted at any time.
 * 2. `position` of an organization is the first offset whose change may not be in the ring yet.
 * 3. A record of an unknown type pauses its partition (design §5.7): nothing after it is told, and readiness says so. A newer
 *    release reads it on. An invalid record is counted and passed over; persistence writes its dead letter.
 */
import { HEADERS, TOPICS } from '@tocsin/contracts'
import { type Following, followTopic, headerOf, type Kafka, type KafkaRecord } from '@tocsin/kafka'
import type { Logger } from '@tocsin/telemetry'
import type { StreamView } from '../socket/session.ts'
import { AlertCache } from './alert-cache.ts'
import { decodeAlertRecord } from './alert-record.ts'
import { Joiner, type Lookup } from './joiner.ts'
import { Ring, type RingRead } from './ring.ts'

export interface AlertStreamOptions {
  readonly kafka: Kafka
  readonly log: Logger
  readonly maxBytes: number
  readonly maxAgeMs: number
  readonly maxCachedAlerts: number
  readonly lookup: (organizationId: string, alertId: string) => Promise<Lookup>
  /** An organization has a change more in the ring. */
  readonly onChange: (organizationId: string) => void
  readonly onRecord: (what: 'taken' | 'invalid' | 'unknownType' | 'paused') => void
  readonly onPaused: (partition: number) => void
  readonly clock?: () => number
}

export class AlertStream implements StreamView {
  /** Resolves when what lay in the topic at the start is in the ring. */
  readonly filled: Promise<void>
  readonly #following: Following
  readonly #ring: Ring
  readonly #cache: AlertCache
  readonly #joiner: Joiner
  readonly #next = new Map<number, bigint>()
  readonly #paused = new Set<number>()
  readonly #since: number
  readonly #options: AlertStreamOptions
  readonly #clock: () => number

  constructor(options: AlertStreamOptions) {
    this.#options = options
    this.#clock = options.clock ?? Date.now
    this.#since = this.#clock() - options.maxAgeMs
    this.#ring = new Ring(options)
    this.#cache = new AlertCache(options.maxCachedAlerts)
    this.#joiner = new Joiner({
      cache: this.#cache,
      lookup: options.lookup,
      emit: (change) => {
        this.#ring.append(change, this.#clock())
        options.onChange(change.organizationId)
      },
      forget: (organizationId, alertId) => this.#ring.mask(organizationId, alertId),
    })
    this.#following = followTopic({
      kafka: options.kafka,
      topic: TOPICS.alerts.name,
      since: this.#since,
      onRecord: (record) => this.#take(record),
    })
    this.filled = this.#following.caughtUp.then(() => this.#joiner.whenIdle())
  }

  get ringBytes(): number {
    return this.#ring.bytes
  }

  get cachedAlerts(): number {
    return this.#cache.size
  }

  isUp(): boolean {
    return this.#following.isUp()
  }

  /** Troubles of reading, for readiness. */
  degraded(): readonly string[] {
    return this.#following.degraded()
  }

  isPaused(partition: number): boolean {
    return this.#paused.has(partition)
  }

  read(subscription: { readonly organizationId: string; readonly partition: number }, offset: bigint, limit: number): RingRead {
    return this.#ring.read(subscription.organizationId, subscription.partition, offset, limit)
  }

  floor(organizationId: string, partition: number): bigint {
    // Nothing was read of this partition since the start: what lies before its end is not here.
    if (!this.#next.has(partition)) this.#ring.begin(partition, this.#following.position(partition) ?? 0n)
    return this.#ring.floor(organizationId, partition)
  }

  position(organizationId: string, partition: number): bigint {
    return this.#joiner.firstWaiting(organizationId) ?? this.#next.get(partition) ?? this.#following.position(partition) ?? 0n
  }

  async catchUp(): Promise<void> {
    await this.#following.catchUp()
    await this.#joiner.whenIdle()
  }

  /** Lets go of what is too old, also while nothing new comes. */
  evict(): void {
    this.#ring.evict(this.#clock())
  }

  stop(): Promise<void> {
    return this.#following.stop()
  }

  #take(record: KafkaRecord): void {
    const { partition, offset, appendTime } = record
    if (this.#paused.has(partition)) {
      this.#options.onRecord('paused')
      return
    }
    if (!this.#next.has(partition)) {
      this.#ring.begin(partition, offset)
      this.#cache.begin(partition, offset === 0n ? Number.NEGATIVE_INFINITY : Math.min(appendTime, this.#since))
    }
    const decoded = decodeAlertRecord(headerOf(record, HEADERS.type), record.value)
    if (decoded.kind === 'unknownType') {
      this.#pause(record, decoded.type)
      return
    }
    if (decoded.kind === 'invalid') {
      this.#options.log.warn(
        { partition, offset: String(offset), reason: decoded.reason },
        'invalid record in alerts passed over',
      )
      this.#options.onRecord('invalid')
    } else {
      this.#options.onRecord('taken')
      this.#joiner.accept({ partition, offset, appendTime }, decoded.record)
    }
    this.#next.set(partition, offset + 1n)
  }

  #pause(record: KafkaRecord, type: string): void {
    const { partition, offset } = record
    this.#paused.add(partition) // 3
    this.#options.log.error({ partition, offset: String(offset), type }, 'unknown record type in alerts: partition paused')
    this.#options.onRecord('unknownType')
    this.#options.onPaused(partition)
  }
}
