import type { KafkaRecord } from './record.ts'

export interface TopicPartition {
  /** Without prefix. */
  readonly topic: string
  readonly partition: number
}
export const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`

/** What is to happen after `records`; `next` is the offset to go on with. */
export type Turn =
  | { readonly kind: 'go'; readonly next: bigint }
  /** Wait with back-off, then go on at `next`. */
  | { readonly kind: 'retry'; readonly next: bigint; readonly error: unknown }
  /** Stay paused until the process is restarted. */
  | { readonly kind: 'halt'; readonly next: bigint; readonly reason: string }
  /** Drop what is held (`lost`), and begin again. */
  | { readonly kind: 'reload' }

export interface TurnContext {
  /** False once the partition was taken away: nothing more may be done for it. */
  mine(): boolean
  /** True once the reader is to stop: the turn should end soon, with what it has done. */
  stopping(): boolean
  /** The position before this turn: below the first record where the log was compacted. */
  readonly from: bigint
  /** Next offset to be written to the partition, as of this fetch. */
  readonly end: bigint
  /** Commits to Kafka with the rights of this batch. When that fails the work goes on: it may then be done again after a restart. */
  commit(next: bigint): Promise<void>
}

/** Who holds state for partitions and takes their records. */
export interface PartitionOwner {
  /**
   * Prepares what the partition needs and says where to begin; undefined: at the log's beginning. Rejecting with TerminalError halts the
   * partition, anything else is tried again with back-off. `signal` aborts when the partition is lost meanwhile.
   */
  begin(place: TopicPartition, signal: AbortSignal): Promise<bigint | undefined>
  records(place: TopicPartition, records: readonly KafkaRecord[], context: TurnContext): Promise<Turn>
  /** Synchronous: drops whatever is held for the partition. */
  lost(place: TopicPartition): void
}
