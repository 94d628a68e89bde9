import type { Disposition } from './disposition.ts'
import type { Kafka } from './kafka.ts'
import type { Producer } from './producer.ts'
import type { KafkaRecord } from './record.ts'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Where a reader with offsets of its own (PostgreSQL) begins. */
export interface OwnOffsets {
  /** Next offset to be read, by partition; undefined: from the log's beginning. Rejects with RetryableError when the store is away. */
  load(place: TopicPartition): Promise<bigint | undefined>
}

/** Records of one partition in offset order, after `read` took them. */
export interface Batch<T> extends TopicPartition {
  readonly items: readonly { readonly record: KafkaRecord; readonly value: T }[]
  /** The offset that the reader stands at, before this batch. */
  readonly from: bigint
  /** The offset that it stands at afterwards. Not last + 1 of items where records were dropped or dead-lettered. */
  readonly to: bigint
}

/** What the handler says of a whole batch: one disposition for all, one for each item, or `moved` = another instance has gone on: drop and reload the offset. */
export type Handled = Disposition | readonly Disposition[] | 'moved'

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
  readonly read: (record: KafkaRecord) => { readonly kind: 'take'; readonly value: T } | Disposition
  /**
   * The effect of a batch (<= `maxBatch` records of one partition). With `offsets`, store `to` in the same transaction as the effect, also when `items`
   * is empty. Throwing RetryableError pauses the partition; any other error: the records are tried one by one, each 3 times, then dead-lettered as UNEXPECTED.
   */
  readonly handleBatch: (batch: Batch<T>) => Promise<Handled>
  /** Own offsets; default: committed to Kafka after the effect. */
  readonly offsets?: OwnOffsets
  /** Most records in a batch; default 500. */
  readonly maxBatch?: number
}

export interface RunningConsumer {
  /** Present troubles for readiness, for instance `alerts/3:halted`, `alerts/3:retrying`; empty when all is well. */
  degraded(): readonly string[]
  /** Resolves when the first assignment is being read. */
  readonly joined: Promise<void>
  /** Finishes the batch in hand and leaves the group. */
  stop(): Promise<void>
}

export function runConsumer<T>(options: ConsumerOptions<T>): RunningConsumer {
  throw new Error(`not yet: ${options.groupId}`)
}
