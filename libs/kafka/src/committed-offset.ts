import { internalsOf, type Kafka } from './kafka.ts'
import type { TopicPartition } from './partition-owner.ts'

/** What a group has committed for a partition; undefined when nothing. RetryableError when Kafka is away. */
export async function committedOffset(
  handle: Kafka,
  groupId: string,
  { topic, partition }: TopicPartition,
): Promise<{ readonly next: bigint; readonly metadata: string | null } | undefined> {
  const kafka = internalsOf(handle)
  const answer = await kafka.administer(`the offset of ${topic}/${partition} was not read`, (admin) =>
    admin.fetchOffsets({ groupId: kafka.name(groupId), topics: [kafka.name(topic)] }),
  )
  const found = answer[0]?.partitions.find((each) => each.partition === partition)
  const next = BigInt(found?.offset ?? '-1')
  return next < 0n ? undefined : { next, metadata: found?.metadata ?? null }
}
