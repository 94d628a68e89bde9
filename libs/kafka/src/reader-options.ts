import type { Kafka } from './kafka.ts'
import type { PartitionOwner, TopicPartition } from './partition-owner.ts'
import type { SlotState } from './partition-slot.ts'

export interface ReaderOptions {
  readonly kafka: Kafka
  /** Without prefix. */
  readonly groupId: string
  /** Without prefix. */
  readonly topics: readonly string[]
  readonly owner: PartitionOwner
  /** Partitions handled at the same time; default 1. */
  readonly concurrency?: number
  /** Fetches what comes next while records are processed; turns may then end after the group was left. Default: one after the other. */
  readonly readAhead?: boolean
  /** Only these partitions of each topic (for a group of one member). */
  readonly only?: readonly number[]
  /** A group with a name of its own that ends with this reader. */
  readonly throwAway?: boolean
}

export interface PartitionReader {
  /** Resolves when the first assignment is known. */
  readonly joined: Promise<void>
  /** For instance `alerts/3:halted`, `alerts/3:retrying`; empty when all is well. */
  degraded(): readonly string[]
  /** Partitions held, with what they are at. */
  holding(): readonly (TopicPartition & {
    readonly state: SlotState
    readonly position: bigint
    readonly reason: string | undefined
  })[]
  /** Commits outside of a turn. False when the partition is not held (any more). RetryableError when it could not be said to the broker. */
  commit(place: TopicPartition, next: bigint, metadata?: string): Promise<boolean>
  /** Lets the turn in hand finish and leaves the group. `lost` is not called. */
  stop(): Promise<void>
}
