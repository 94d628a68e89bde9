/** Owner of partitions: brings each back to where its newest snapshot stands, runs its worker, and drops it when it is taken away. */
import { randomUUID } from 'node:crypto'
import { type ControlRecord, type RuleRecord, TOPICS } from '@tocsin/contracts'
import { checkSettings, EventScanner } from '@tocsin/engine'
import { messageOf, RetryableError } from '@tocsin/errors'
import {
  type Kafka,
  type KafkaRecord,
  type PartitionOwner,
  type PartitionReader,
  type Producer,
  readPartitions,
  type TopicPartition,
  type Turn,
  type TurnContext,
} from '@tocsin/kafka'
import type { Logger } from '@tocsin/telemetry'
import type { Engine, EngineMaker } from './engine-port.ts'
import { HitsTeller } from './exception-hits.ts'
import type { DetectorMetrics } from './metrics.ts'
import { type PartitionMemory, PartitionWorker } from './partition-worker.ts'
import { Recovery } from './recovery.ts'
import { type BookRecord, bookOf, readRuleBook } from './rule-book.ts'
import { SnapshotKeeper, SnapshotTurns } from './snapshot-keeper.ts'
import type { SnapshotPace } from './snapshot-schedule.ts'
import { SnapshotStore } from './snapshot-store.ts'
import { SnapshotWatch } from './snapshot-watch.ts'

export interface DetectorOptions {
  readonly kafka: Kafka
  /** Writes alerts and dead letters. */
  readonly producer: Producer
  /** Writes snapshots and hits; an own one, so that no alert waits behind a piece of 900 kB. Default: the same. */
  readonly snapshotProducer?: Producer
  readonly engines: EngineMaker
  /** Throws when a rule cannot be run: its control record is then set aside. */
  readonly compile: (rule: RuleRecord) => unknown
  readonly pace: SnapshotPace
  readonly metrics: DetectorMetrics
  readonly log: Logger
}

const GROUP = 'detector'
/** Partitions are given together: one reading of the compacted topics serves all that are taken within this time. */
const BOOK_SHARED_MS = 2_000
/** How long a clean stop may spend on snapshots. */
const CLOSE_LIMIT_MS = 8_000
/** Partitions whose records may wait for the broker at the same time; the engines themselves run one after the other. */
const CONCURRENCY = 8

export class Detector implements PartitionOwner {
  readonly #options: DetectorOptions
  readonly #store: SnapshotStore
  readonly #recovery: Recovery
  readonly #turns = new SnapshotTurns()
  readonly #workers = new Map<number, PartitionWorker>()
  readonly #memories = new Map<number, PartitionMemory>()
  readonly #member = randomUUID()
  readonly #reader: PartitionReader
  /** One for all partitions: an event is read and processed in one go. */
  readonly #scanner = new EventScanner()
  /** Of the age of snapshots, for metrics. */
  readonly watch: SnapshotWatch
  readonly #exceptions: HitsTeller
  #book: { readonly at: number; readonly content: Promise<readonly BookRecord[]> } | undefined

  constructor(options: DetectorOptions) {
    this.#options = options
    this.#store = new SnapshotStore(options.kafka, options.snapshotProducer ?? options.producer)
    const { kafka, engines, metrics, log } = options
    this.#recovery = new Recovery({ kafka, group: GROUP, store: this.#store, engines, metrics, log })
    void this.#recovery.beginAhead()
    this.watch = new SnapshotWatch({
      kafka: options.kafka,
      newest: () => new Map([...this.#workers].map(([partition, { coveredUntil }]) => [partition, coveredUntil])),
      log: options.log,
    })
    this.#exceptions = new HitsTeller({
      hits: () => this.engines().flatMap((engine) => engine.exceptionHits()),
      producer: options.snapshotProducer ?? options.producer,
      log,
    })
    this.#reader = readPartitions({
      kafka: options.kafka,
      groupId: GROUP,
      topics: [TOPICS.auditEvents.name],
      owner: this,
      concurrency: CONCURRENCY,
      readAhead: true,
    })
    void this.joined.then(() => this.#recovery.endAhead())
  }

  /** Resolves when the first assignment is known. */
  get joined(): Promise<void> {
    return this.#reader.joined
  }

  degraded(): readonly string[] {
    const overdue = this.watch.overdue().map((partition) => `${TOPICS.auditEvents.name}/${partition}:snapshot overdue`)
    return [...this.#reader.degraded(), ...overdue]
  }

  /** True when every partition held is past its recovery. */
  recovered(): boolean {
    return this.#reader.holding().every(({ state }) => state !== 'loading')
  }

  holding(): ReturnType<PartitionReader['holding']> {
    return this.#reader.holding()
  }

  engines(): readonly Engine[] {
    return [...this.#workers.values()].map(({ engine }) => engine)
  }

  async begin({ partition }: TopicPartition, signal: AbortSignal): Promise<bigint> {
    const begun = performance.now()
    const { log, metrics } = this.#options
    const { stored, restored, isAhead } = await this.#recovery.recover(partition, signal)
    const { engine, next } = restored ?? (await this.#fresh(partition, signal))
    signal.throwIfAborted()
    const snapshots = new SnapshotKeeper({
      partition,
      next,
      logTime: engine.logTime(),
      stored,
      member: this.#member,
      engineVersion: this.#options.engines.version,
      pace: this.#options.pace,
      partitions: () => this.#workers.size,
      store: this.#store,
      commit: (offset, metadata) => this.#reader.commit({ topic: TOPICS.auditEvents.name, partition }, offset, metadata),
      turns: this.#turns,
      metrics,
      log,
    })
    if (restored === undefined) await snapshots.writeFirst(engine)
    signal.throwIfAborted()
    const memory = this.#memories.get(partition) ?? { published: 0n, failures: new Map<bigint, number>() }
    this.#memories.set(partition, memory)
    const { producer } = this.#options
    const reading = { canRun: this.#canRun, scanner: this.#scanner }
    this.#workers.set(partition, new PartitionWorker({ partition, engine, snapshots, memory, producer, reading, metrics, log }))
    const tookMs = performance.now() - begun
    metrics.recovery.observe(tookMs / 1_000)
    log.info(
      { partition, offset: String(next), restored: restored !== undefined, ahead: isAhead, tookMs: Math.round(tookMs) },
      'partition recovered',
    )
    return next
  }

  records({ partition }: TopicPartition, records: readonly KafkaRecord[], context: TurnContext): Promise<Turn> {
    const worker = this.#workers.get(partition)
    if (worker === undefined) throw new RetryableError(`partition ${partition} has no worker`)
    return worker.turn(records, context)
  }

  lost({ partition }: TopicPartition): void {
    this.#workers.get(partition)?.drop()
    this.#workers.delete(partition)
  }

  /** Takes a snapshot of every partition, as far as time allows, and leaves the group. */
  async stop(): Promise<void> {
    const closing = Promise.allSettled([...this.#workers.values()].map((worker) => worker.close())).then(() =>
      this.#exceptions.stop(),
    )
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#options.log.warn(
          { limitMs: CLOSE_LIMIT_MS },
          'the stop does not wait for all snapshots; the next owner does again what came after the last ones',
        )
        resolve()
      }, CLOSE_LIMIT_MS)
    })
    await Promise.race([closing, limit])
    clearTimeout(timer)
    for (const worker of this.#workers.values()) worker.drop()
    this.#recovery.endAhead()
    this.watch.stop()
    await this.#reader.stop()
  }

  /** Throws when a rule or settings cannot be run. */
  readonly #canRun = (control: ControlRecord): void => {
    if (control.kind === 'rule') this.#options.compile(control.rule)
    else if (control.kind === 'organization') checkSettings(control.organization.settings)
  }

  /** The state before the log's first record: rules and settings as they are now, nothing seen. */
  async #fresh(partition: number, signal: AbortSignal): Promise<{ readonly engine: Engine; readonly next: bigint }> {
    const { kafka, engines, log } = this.#options
    const bounds = (await kafka.topicOffsets(TOPICS.auditEvents.name)).get(partition)
    if (bounds === undefined) throw new RetryableError(`partition ${partition} is not there (yet)`)
    const engine = engines.fresh(partition)
    for (const control of bookOf(partition, await this.#readBook(signal))) {
      try {
        this.#canRun(control)
      } catch (error) {
        log.error({ ...nameOf(control), reason: messageOf(error) }, 'a rule or settings cannot be run and are left out')
        continue
      }
      // Time 0: only the partition's own records move its log time.
      engine.process({ kind: 'control', appendTime: 0, offset: -1n, control })
    }
    return { engine, next: bounds.start }
  }

  #readBook(signal: AbortSignal): Promise<readonly BookRecord[]> {
    const { kafka, log } = this.#options
    if (this.#book === undefined || performance.now() - this.#book.at > BOOK_SHARED_MS) {
      const content = readRuleBook(kafka, signal, log)
      content.catch(() => {
        this.#book = undefined
      })
      this.#book = { at: performance.now(), content }
    }
    return this.#book.content
  }
}

function nameOf(control: ControlRecord) {
  switch (control.kind) {
    case 'rule':
      return { ruleId: control.rule.ruleId, version: control.rule.version }
    case 'organization':
      return { organizationId: control.organization.organizationId, version: control.organization.version }
    case 'organizationDeleted':
      return { organizationId: control.organizationId }
  }
}
