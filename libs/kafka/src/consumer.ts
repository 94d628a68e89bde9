/**
 * Applies each record of some topics once it can be applied, in order per partition.
 *
 * 1. An offset moves on only after its record's effect, its dead letter or the decision to drop it.
 * 2. What a dependency's absence stops is waited for, with back-off, from the same record on; nothing is dropped.
 * 3. A record whose handling throws anything else is tried three times by itself, then dead-lettered as UNEXPECTED; the others go on.
 * 4. What was replayed for another consumer is dropped.
 */
import { HEADERS } from '@tocsin/contracts'
import { messageOf, RetryableError } from '@tocsin/errors'
import { committedOffset } from './committed-offset.ts'
import { deadLetter } from './dead-letter.ts'
import { type Disposition, deadLettered, dropped } from './disposition.ts'
import { internalsOf, type Kafka } from './kafka.ts'
import type { TopicPartition, Turn, TurnContext } from './partition-owner.ts'
import { readPartitions } from './partition-reader.ts'
import type { Producer } from './producer.ts'
import { headerOf, type KafkaRecord } from './record.ts'

/** Where a reader with offsets of its own (PostgreSQL) begins. */
export interface OwnOffsets {
  /** Next offset to be read; undefined: from the log's beginning. Rejects with RetryableError when the store is away, TerminalError to halt the partition. */
  load(place: TopicPartition): Promise<bigint | undefined>
}

/** Records of one partition in offset order, after `read` took them. */
export interface Batch<T> extends TopicPartition {
  readonly items: readonly Item<T>[]
  /** The offset that the reader stands at, before this batch. */
  readonly from: bigint
  /** The offset that it stands at afterwards. Not last + 1 of items where records were dropped or dead-lettered. */
  readonly to: bigint
}
export interface Item<T> {
  readonly record: KafkaRecord
  readonly value: T
}

/**
 * What the handler says of a whole batch: one disposition for all, one for each item, or `moved` = another instance has gone on:
 * the batch is given up and the offset loaded again.
 */
export type Handled = Disposition | readonly Disposition[] | 'moved'

export type Reading<T> = { readonly kind: 'take'; readonly value: T } | Disposition

export interface ConsumerOptions<T> {
  readonly kafka: Kafka
  /** Writes dead letters. */
  readonly producer: Producer
  /** Without prefix. */
  readonly groupId: string
  /** Name in dead letters (`dead-consumer`) and in `replay-for`; default groupId. */
  readonly name?: string
  readonly topics: readonly string[]
  /**
   * First look at a record, pure: parse and validate. Returns the value, or the disposition of a record that will not be handled.
   * With offsets of the reader's own, dead letters must be decided here: they are written and acknowledged before `handleBatch` stores `to`.
   */
  readonly read: (record: KafkaRecord) => Reading<T>
  /**
   * The effect of a batch (<= `maxBatch` records of one partition). With `offsets`, store `to` in the same transaction as the effect, also when
   * `items` is empty, and say that a dependency is away by throwing RetryableError (nothing of the batch is then done).
   * Any other error: the records are tried one by one (3).
   */
  readonly handleBatch: (batch: Batch<T>) => Promise<Handled>
  /** Own offsets; default: committed to Kafka after the effect. */
  readonly offsets?: OwnOffsets
  /** Most records in a batch; default 500. */
  readonly maxBatch?: number
  /** Partitions handled at the same time; default 4. */
  readonly concurrency?: number
}

export interface RunningConsumer {
  /** Present troubles for readiness, for instance `alerts/3:halted`, `alerts/3:retrying`; empty when all is well. */
  degraded(): readonly string[]
  /** Resolves when the first assignment is known. */
  readonly joined: Promise<void>
  /** Finishes the batch in hand and leaves the group. */
  stop(): Promise<void>
}

const DEFAULT_MAX_BATCH = 500
const DEFAULT_CONCURRENCY = 4
/** Tries of a record whose handling throws (design §5.6). */
const MOST_TRIES = 3

export function runConsumer<T>(options: ConsumerOptions<T>): RunningConsumer {
  const kafka = internalsOf(options.kafka)
  const name = options.name ?? options.groupId
  const maxBatch = options.maxBatch ?? DEFAULT_MAX_BATCH
  const ownOffsets = options.offsets !== undefined

  const count = (record: KafkaRecord, disposition: string) =>
    kafka.metrics.records.inc({ consumer: name, topic: record.topic, disposition })

  const setAside = async (record: KafkaRecord, why: Disposition & { kind: 'deadLettered' }, attempts = 1) => {
    await deadLetter(options.producer, record, { consumer: name, code: why.code, reason: why.reason, attempts })
    const place = { topic: record.topic, partition: record.partition, offset: String(record.offset) }
    kafka.log.warn({ ...place, consumer: name, deadCode: why.code, reason: why.reason }, 'a record was dead-lettered')
    count(record, 'dead-lettered')
  }

  const readOne = (record: KafkaRecord): Reading<T> => {
    const replayFor = headerOf(record, HEADERS.replayFor)
    if (replayFor !== undefined && replayFor !== name) return dropped('replayed for another consumer') // (4)
    try {
      return options.read(record)
    } catch (error) {
      return deadLettered('UNEXPECTED', messageOf(error))
    }
  }

  /** Handles `items`, which stand for the offsets from `from` up to `to`. */
  const handle = async (place: TopicPartition, items: readonly Item<T>[], from: bigint, to: bigint): Promise<Turn> => {
    if (items.length === 0 && !ownOffsets) return { kind: 'go', next: to }
    let handled: Handled
    try {
      handled = await options.handleBatch({ ...place, items, from, to })
    } catch (error) {
      if (error instanceof RetryableError) return { kind: 'retry', next: from, error } // (2)
      return handleSingly(place, items, from, to, error)
    }
    if (handled === 'moved') return { kind: 'reload' }
    for (const [index, item] of items.entries()) {
      const disposition: Disposition | undefined = isDisposition(handled) ? handled : handled[index]
      switch (disposition?.kind) {
        case 'done':
          count(item.record, 'done')
          break
        case 'dropped':
          count(item.record, `dropped: ${disposition.reason}`)
          break
        case 'deadLettered':
          await setAside(item.record, disposition)
          break
        case 'retry':
          return { kind: 'retry', next: index === 0 ? from : item.record.offset, error: disposition.error }
        case 'halt':
          return { kind: 'halt', next: index === 0 ? from : item.record.offset, reason: disposition.reason }
        default:
          throw new TypeError(`handleBatch of ${name} said nothing of item ${index} of ${items.length}`)
      }
    }
    return { kind: 'go', next: to }
  }

  /** After an unexpected error with the items together: one by one, so that it meets only the record that it comes from (3). */
  const handleSingly = async (
    place: TopicPartition,
    items: readonly Item<T>[],
    from: bigint,
    to: bigint,
    first: unknown,
  ): Promise<Turn> => {
    if (items.length > 1) {
      kafka.log.warn({ ...place, from: String(from), reason: messageOf(first) }, 'a batch failed and is tried record by record')
      let next = from
      for (const [index, item] of items.entries()) {
        const turn = await handle(place, [item], next, items[index + 1]?.record.offset ?? to)
        if (turn.kind !== 'go') return turn
        next = turn.next
      }
      return { kind: 'go', next: to }
    }
    const item = items[0]
    if (item === undefined) return { kind: 'retry', next: from, error: first }
    let last = first
    for (let tries = 1; tries < MOST_TRIES; tries++) {
      try {
        const handled = await options.handleBatch({ ...place, items, from, to })
        if (handled === 'moved') return { kind: 'reload' }
        const disposition = isDisposition(handled) ? handled : handled[0]
        if (disposition?.kind === 'retry') return { kind: 'retry', next: from, error: disposition.error }
        count(item.record, disposition?.kind ?? 'done')
        return { kind: 'go', next: to }
      } catch (error) {
        if (error instanceof RetryableError) return { kind: 'retry', next: from, error }
        last = error
      }
    }
    kafka.log.error({ ...place, offset: String(item.record.offset), err: last }, 'handling a record failed unexpectedly')
    await setAside(item.record, { kind: 'deadLettered', code: 'UNEXPECTED', reason: messageOf(last) }, MOST_TRIES)
    return handle(place, [], from, to)
  }

  const handleChunk = async (place: TopicPartition, records: readonly KafkaRecord[], from: bigint): Promise<Turn> => {
    const items: Item<T>[] = []
    let to = from
    let stop: Turn | undefined
    for (const record of records) {
      const reading = readOne(record)
      if (reading.kind === 'take') items.push({ record, value: reading.value })
      else if (reading.kind === 'deadLettered') await setAside(record, reading)
      else if (reading.kind === 'dropped') count(record, `dropped: ${reading.reason}`)
      else if (reading.kind === 'done') count(record, 'done')
      else if (reading.kind === 'retry') stop = { kind: 'retry', next: record.offset, error: reading.error }
      else stop = { kind: 'halt', next: record.offset, reason: reading.reason }
      if (stop !== undefined) break
      to = record.offset + 1n
    }
    const turn = to > from ? await handle(place, items, from, to) : ({ kind: 'go', next: to } as const)
    return turn.kind === 'go' && stop !== undefined ? stop : turn
  }

  const records = async (place: TopicPartition, all: readonly KafkaRecord[], context: TurnContext): Promise<Turn> => {
    let next = context.from
    let turn: Turn = { kind: 'go', next }
    for (let start = 0; start < all.length && turn.kind === 'go' && context.mine() && !context.stopping(); start += maxBatch) {
      try {
        turn = await handleChunk({ topic: place.topic, partition: place.partition }, all.slice(start, start + maxBatch), next)
      } catch (error) {
        turn = { kind: 'retry', next, error } // a dead letter that could not be written (2), or a fault of the handler's answer
      }
      if (turn.kind !== 'reload') next = turn.next
    }
    if (!ownOffsets && next !== context.from && context.mine()) await context.commit(next) // (1)
    return turn
  }

  const reader = readPartitions({
    kafka,
    groupId: options.groupId,
    topics: options.topics,
    concurrency: options.concurrency ?? DEFAULT_CONCURRENCY,
    owner: {
      begin: async (place) =>
        options.offsets === undefined
          ? (await committedOffset(kafka, options.groupId, place))?.next
          : options.offsets.load(place),
      records,
      lost: () => {},
    },
  })
  return { degraded: () => reader.degraded(), joined: reader.joined, stop: () => reader.stop() }
}

const isDisposition = (handled: Disposition | readonly Disposition[]): handled is Disposition => !Array.isArray(handled)
