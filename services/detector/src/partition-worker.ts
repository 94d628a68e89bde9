/**
 * One partition of `audit.events`: its engine, what the engine says, and its snapshots.
 *
 * 1. State moves on with the records, in order, and by nothing else.
 * 2. A turn ends only when every alert change and dead letter of its records is acknowledged; while the broker is away it waits. Snapshots begin
 *    between turns. So what a snapshot's offset promises has been published.
 * 3. An offset is committed when, and only when, the manifest of the snapshot at that offset is acknowledged.
 * 4. When the engine throws, its state is not trusted any more: the partition begins again from its snapshot, which is the state as before the
 *    record. After three tries the record is set aside.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { HEADERS, SCHEMA_VERSIONS, TOPICS } from '@tocsin/contracts'
import type { AlertChange } from '@tocsin/engine'
import { messageOf, RetryableError, TerminalError } from '@tocsin/errors'
import {
  backoffMs,
  deadLetterOf,
  headerOf,
  type KafkaRecord,
  type OutgoingRecord,
  type Producer,
  type Turn,
  type TurnContext,
} from '@tocsin/kafka'
import type { Logger } from '@tocsin/telemetry'
import type { Engine } from './engine-port.ts'
import type { DetectorMetrics } from './metrics.ts'
import { type Reading, type ReadingOptions, readEventRecord } from './read-event-record.ts'
import type { SnapshotKeeper } from './snapshot-keeper.ts'

/** Name in dead letters and in `replay-for`. */
export const CONSUMER = 'detector'
/** Longest stretch of records in one go, milliseconds; then the process looks at its sockets. */
const SLICE_MS = 20
const RECORDS_BETWEEN_LOOKS_AT_THE_CLOCK = 32
const MOST_WAITING_TO_BE_SENT = 500
/** Short against the time that a stop may take. */
const LONGEST_PUBLISH_PAUSE_MS = 2_000
/** Tries of a record at which the engine throws (design §5.6). */
const MOST_TRIES = 3

/** What outlives a worker when its partition begins again in the same process. */
export interface PartitionMemory {
  /** Outputs of records below it are acknowledged; they are not sent again. */
  published: bigint
  /** How often the engine threw at a record, by offset. */
  readonly failures: Map<bigint, number>
}

export interface WorkerOptions {
  readonly partition: number
  readonly engine: Engine
  readonly snapshots: SnapshotKeeper
  readonly memory: PartitionMemory
  readonly producer: Producer
  readonly reading: Pick<ReadingOptions, 'canRun' | 'scanner'>
  readonly metrics: DetectorMetrics
  readonly log: Logger
}

export class PartitionWorker {
  readonly #options: WorkerOptions
  #closing = false
  #lost = false
  /** The turn in hand. */
  #turn: Promise<unknown> = Promise.resolve()
  /** Outputs of processed records that are not acknowledged; a turn that was given up leaves some. */
  #outputs: OutgoingRecord[] = []
  readonly #reading: ReadingOptions

  constructor(options: WorkerOptions) {
    this.#options = options
    const onDeclined = () => options.metrics.parsedEvents.inc()
    this.#reading = { ...options.reading, name: CONSUMER, onDeclined }
  }

  /** Log time of the newest complete snapshot. */
  get coveredUntil(): number {
    return this.#options.snapshots.coveredUntil
  }

  get engine(): Engine {
    return this.#options.engine
  }

  turn(records: readonly KafkaRecord[], context: TurnContext): Promise<Turn> {
    const turn = this.#process(records, context)
    this.#turn = turn.catch(() => {})
    return turn
  }

  /** Synchronous: nothing more is done for this partition. */
  drop(): void {
    this.#lost = true
    this.#options.snapshots.abandon()
  }

  /** Before the group is left: finishes the turn in hand and writes a snapshot, so that the next owner has nothing to do again. */
  async close(): Promise<void> {
    this.#closing = true
    await this.#turn
    if (!this.#lost && this.#outputs.length === 0) await this.#options.snapshots.writeLast(this.#options.engine)
  }

  async #process(records: readonly KafkaRecord[], context: TurnContext): Promise<Turn> {
    const { engine, snapshots, memory, metrics, partition, log } = this.#options
    if (this.#closing || this.#lost)
      return { kind: 'retry', next: context.from, error: new RetryableError('the detector is stopping') }
    let last: KafkaRecord | undefined
    let processed = 0
    let events = 0
    let toldOf = 0
    /** Told by the stretch: a record costs less than telling of it. */
    const reached = (): bigint => {
      const next = last === undefined ? context.from : last.offset + 1n
      snapshots.advance(next, processed - toldOf)
      metrics.processed('event', events)
      toldOf = processed
      events = 0
      return next
    }
    let sliceBegun = performance.now()
    for (const record of records) {
      if (processed % RECORDS_BETWEEN_LOOKS_AT_THE_CLOCK === 0 && performance.now() - sliceBegun > SLICE_MS) {
        await new Promise(setImmediate)
        if (this.#lost) return { kind: 'go', next: reached() }
        sliceBegun = performance.now()
      }
      const failures = memory.failures.size === 0 ? 0 : (memory.failures.get(record.offset) ?? 0)
      const reading: Reading =
        failures < MOST_TRIES
          ? readEventRecord(record, this.#reading)
          : { kind: 'dead', code: 'UNEXPECTED', reason: 'the engine threw at it each time it was tried, see the log' }
      if (reading.kind === 'unknown') {
        const next = reached()
        const failed = await this.#publish(context, next)
        return failed ?? { kind: 'halt', next, reason: reading.reason }
      }
      let changes: AlertChange[]
      try {
        changes = engine.process(
          reading.kind === 'process' ? reading.record : { kind: 'other', appendTime: record.appendTime, offset: record.offset },
        )
      } catch (error) {
        memory.failures.set(record.offset, failures + 1)
        metrics.engineFailures.inc()
        log.error(
          { partition, offset: String(record.offset), tries: failures + 1, err: error },
          'the engine threw, its state is rebuilt',
        )
        await this.#publish(context, reached())
        return { kind: 'reload' } // (4)
      }
      if ((changes.length > 0 || reading.kind === 'dead') && record.offset >= memory.published) {
        if (reading.kind === 'dead') this.#setAside(record, reading, failures)
        for (const change of changes) {
          this.#outputs.push(alertRecord(change, partition, record))
          metrics.changes(change.type, 1)
        }
      }
      processed += 1
      last = record
      const kind = reading.kind === 'process' ? reading.record.kind : reading.kind
      if (kind === 'event') events += 1
      else metrics.processed(kind, 1)
      if (this.#outputs.length >= MOST_WAITING_TO_BE_SENT) {
        const failed = await this.#publish(context, reached())
        if (failed !== undefined) return failed
        sliceBegun = performance.now()
      }
    }
    const next = reached()
    const failed = await this.#publish(context, next)
    if (failed !== undefined) return failed
    if (!this.#lost && !this.#closing) snapshots.beginIfDue(engine) // (2)
    return { kind: 'go', next }
  }

  /** Resolves when all outputs of the records before `upTo` are acknowledged, else with what the turn is to end with. */
  async #publish(context: TurnContext, upTo: bigint): Promise<Turn | undefined> {
    const { producer, memory, log, partition } = this.#options
    for (let failures = 0; this.#outputs.length > 0; ) {
      try {
        await producer.send(this.#outputs)
        this.#outputs = []
      } catch (error) {
        // An alert larger than its topic allows: going on would lose it in silence, and waiting cannot mend it.
        if (error instanceof TerminalError)
          return { kind: 'halt', next: upTo, reason: `an alert cannot be written: ${error.message}` }
        failures += 1
        if (failures === 1 || failures % 10 === 0)
          log.warn({ partition, failures, reason: messageOf(error) }, 'alerts wait for the broker')
        // Outputs are kept: a snapshot is not taken while there are any, and the next owner makes the same ones.
        if (!context.mine() || this.#closing || this.#lost) return { kind: 'retry', next: upTo, error }
        await delay(Math.min(backoffMs(failures), LONGEST_PUBLISH_PAUSE_MS))
      }
    }
    if (upTo > memory.published) memory.published = upTo
    return undefined
  }

  #setAside(record: KafkaRecord, reading: Extract<Reading, { kind: 'dead' }>, failures: number): void {
    const { code, reason } = reading
    const { partition, log, metrics } = this.#options
    this.#outputs.push(deadLetterOf(record, { consumer: CONSUMER, code, reason, attempts: Math.max(1, failures) }))
    metrics.deadLetters.inc({ code })
    const fields = { partition, offset: String(record.offset), deadCode: code, reason }
    if (code === 'UNEXPECTED') log.error(fields, 'a record was dead-lettered')
    else log.warn(fields, 'a record was dead-lettered')
  }
}

/** The same bytes for the same record, whoever processes it and whenever (design §5.2). */
function alertRecord({ type, alert }: AlertChange, partition: number, cause: KafkaRecord): OutgoingRecord {
  const traceparent = headerOf(cause, HEADERS.traceparent)
  return {
    topic: TOPICS.alerts.name,
    partition,
    key: alert.organizationId,
    value: JSON.stringify(alert),
    headers: {
      [HEADERS.type]: type,
      [HEADERS.schema]: `Alert/${SCHEMA_VERSIONS.Alert}`,
      [HEADERS.contentType]: 'application/json',
      ...(traceparent === undefined ? {} : { [HEADERS.traceparent]: traceparent }),
    },
  }
}
