import type { TopicSpec } from '@tocsin/contracts'
import type { Kafka } from './kafka.ts'

/** A setting of an existing topic that is not as wanted: reported, never changed by us. */
export interface TopicFault {
  readonly topic: string
  /** Name of the setting, or `partitions`. */
  readonly setting: string
  readonly wanted: string
  readonly found: string
}
export interface TopicCounts {
  /** Of every `shared` topic. */
  readonly partitions: number
  readonly replication: number
}
/** Creates the missing topics (several services may at once) and compares the settings of the others. RetryableError when Kafka is away. */
export async function ensureTopics(kafka: Kafka, topics: readonly TopicSpec[], counts: TopicCounts): Promise<TopicFault[]> {
  throw new Error(`not yet: ${kafka.clientId} ${topics.length} ${counts.partitions}`)
}
/** A fault as readiness names it: `topic:NAME:setting`. */
export const nameOfFault = (fault: TopicFault): string => `topic:${fault.topic}:${fault.setting}`
