import type { Kafka } from './kafka.ts'
import type { KafkaRecord } from './record.ts'

export interface FollowOptions {
  readonly kafka: Kafka
  /** Without prefix. */
  readonly topic: string
  /** In offset order within a partition. Synchronous, must not throw (a throw is logged, counted, and the record left out). */
  readonly onRecord: (record: KafkaRecord) => void
  /** Only these partitions; default all. */
  readonly partitions?: readonly number[]
  /** Begin with records appended at or after this time (ms since 1970); default the log's beginning. */
  readonly since?: number
}
/** A reader of all partitions with a throw-away group that never commits: for compacted topics, and for the gateway's ring. */
export interface Following {
  /** Resolves when everything has been read that lay in the topic at the start. Waits while Kafka is away. */
  readonly caughtUp: Promise<void>
  /** Reads to the present end. RetryableError after `limitMs` (default 2,000). */
  catchUp(limitMs?: number): Promise<void>
  /** Next offset to be read, by partition. */
  position(partition: number): bigint | undefined
  /** Is the broker answering? */
  isUp(): boolean
  stop(): Promise<void>
}
export function followTopic(options: FollowOptions): Following {
  throw new Error(`not yet: ${options.topic}`)
}
/** Reads what lies in a topic now, to its end, and resolves. RetryableError when Kafka is away. */
export async function readToEnd(options: FollowOptions & { readonly signal?: AbortSignal }): Promise<void> {
  throw new Error(`not yet: ${options.topic}`)
}
