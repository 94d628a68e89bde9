import { TerminalError } from '@tocsin/errors'
import type { KafkaMetrics } from './metrics.ts'
import { keyOf, type TopicPartition } from './partition-owner.ts'

export type SlotState = 'loading' | 'reading' | 'retrying' | 'halted'

/** What a reader knows of a partition that it holds. */
export interface Slot extends TopicPartition {
  state: SlotState
  /** Next offset to be read. */
  position: bigint
  /** Position of the last seek: a first record above it is then no leftover of an earlier fetch. */
  soughtTo: bigint | undefined
  lag: bigint
  /** Of the same work, one after the other. */
  failures: number
  reason: string | undefined
  timer: NodeJS.Timeout | undefined
  readonly lost: AbortController
  /** The turn in hand. */
  turn: Promise<unknown>
}

export const newSlot = ({ topic, partition }: TopicPartition): Slot => ({
  topic,
  partition,
  state: 'loading',
  position: 0n,
  soughtTo: undefined,
  lag: 0n,
  failures: 0,
  reason: undefined,
  timer: undefined,
  lost: new AbortController(),
  turn: Promise.resolve(),
})

export function measureSlots(
  { partitions, lag }: KafkaMetrics,
  consumer: string,
  topics: readonly string[],
  slots: readonly Slot[],
): void {
  for (const state of ['loading', 'reading', 'retrying', 'halted'] as const)
    partitions.set({ consumer, state }, slots.filter((slot) => slot.state === state).length)
  for (const topic of topics)
    lag.set(
      { consumer, topic },
      slots.reduce((sum, slot) => (slot.topic === topic ? sum + Number(slot.lag) : sum), 0),
    )
}

export const pastTheEnd = (place: TopicPartition, position: bigint, end: bigint): TerminalError =>
  new TerminalError(
    `${keyOf(place)} ends at ${end}, before the offset to be read, ${position}: another cluster, or the topic was made anew. \`tocsin offsets reset\` begins anew`,
    { code: 'TOCSIN_OFFSETS_MISMATCH' },
  )
export const hole = (place: TopicPartition, position: bigint, start: bigint): TerminalError =>
  new TerminalError(
    `${keyOf(place)} begins at ${start}, after the offset to be read, ${position}: records were lost to retention. \`tocsin offsets reset\` goes on behind the hole`,
    { code: 'TOCSIN_OFFSETS_MISMATCH' },
  )
