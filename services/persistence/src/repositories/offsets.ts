import { TerminalError } from '@tocsin/errors'
import type { Kafka } from '@tocsin/kafka'
import type { Query } from '@tocsin/postgres'
import { BEGIN_OFFSET, GET_OFFSET, GET_OFFSETS, MOVE_OFFSET } from '../sql/stream-sql.ts'

interface OffsetRow {
  readonly next: bigint
  readonly cluster_id: string
}

const mismatch = (topic: string, partition: number, why: string) =>
  new TerminalError(
    `The stored offset of ${topic}/${partition} does not fit Kafka: ${why}. Look whether KAFKA_BROKERS and the database belong together; ` +
      `if Kafka was replaced on purpose, run: tocsin offsets reset`,
    { code: 'TOCSIN_OFFSETS_MISMATCH', details: { topic, partition } },
  )

/** Throws TerminalError (TOCSIN_OFFSETS_MISMATCH) when a row is of another cluster, or lies past the log's end. */
function check(topic: string, partition: number, row: OffsetRow, clusterId: string, end: bigint | undefined): void {
  if (row.cluster_id !== clusterId)
    throw mismatch(topic, partition, `it is of cluster ${row.cluster_id}, this one is ${clusterId}`)
  if (end === undefined) throw mismatch(topic, partition, 'the partition is missing')
  if (row.next > end) throw mismatch(topic, partition, `it is ${row.next}, and the log ends at ${end}`)
}

/** All stored offsets of a topic at once, at the start: a database and a cluster that do not belong together stop the process. */
export async function assertOffsetsFit(query: Query, kafka: Kafka, topic: string): Promise<void> {
  const rows = await query<OffsetRow & { partition: number }>(GET_OFFSETS, [topic])
  if (rows.length === 0) return
  const [clusterId, log] = await Promise.all([kafka.clusterId(), kafka.topicOffsets(topic)])
  for (const row of rows) check(topic, row.partition, row, clusterId, log.get(row.partition)?.end)
}

/** Where to begin with a partition; a new one begins at the log's start, which is stored. */
export async function loadOffset(
  query: Query,
  kafka: Kafka,
  topic: string,
  partition: number,
): Promise<{ next: bigint; clusterId: string }> {
  const [clusterId, log] = await Promise.all([kafka.clusterId(), kafka.topicOffsets(topic)])
  const ends = log.get(partition)
  await query(BEGIN_OFFSET, [topic, partition, ends?.start ?? 0n, clusterId])
  const [row] = await query<OffsetRow>(GET_OFFSET, [topic, partition])
  if (row === undefined) throw new TerminalError(`The offset of ${topic}/${partition} was removed meanwhile`)
  check(topic, partition, row, clusterId, ends?.end)
  return { next: row.next, clusterId }
}

/** First statement of an effect's transaction. False: another instance has gone on, so nothing may be written. */
export async function moveOffset(
  query: Query,
  place: {
    readonly topic: string
    readonly partition: number
    readonly from: bigint
    readonly to: bigint
    readonly clusterId: string
  },
): Promise<boolean> {
  const moved = await query(MOVE_OFFSET, [place.topic, place.partition, place.from, place.to, place.clusterId])
  return moved.length > 0
}
