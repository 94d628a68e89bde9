import { TOPICS } from '@tocsin/contracts'
import { createKafka } from '@tocsin/kafka'
import { type Queries, withConnection } from '@tocsin/postgres'
import { pino } from 'pino'
import type { Output } from '../output.ts'
import type { OffsetOwner } from './offset-owners.ts'

/** In the service's own schema, which is the search path of its role. */
const READ_ROWS = 'SELECT partition, next, cluster_id AS "clusterId" FROM offsets WHERE topic = $1 ORDER BY partition'
const WRITE_ROW: Readonly<Record<OffsetOwner, string>> = {
  // Both halves of an alert are numbered, so applying the log again changes nothing that is there already.
  persistence: `INSERT INTO offsets (topic, partition, next, cluster_id) VALUES ($1, $2, $3, $4)
    ON CONFLICT (topic, partition) DO UPDATE SET next = excluded.next, cluster_id = excluded.cluster_id`,
  // What lies before notify_from is recorded and not told: nobody is woken by what is over (design §5.8).
  notifier: `INSERT INTO offsets (topic, partition, next, cluster_id, notify_from) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (topic, partition) DO UPDATE SET next = excluded.next, cluster_id = excluded.cluster_id, notify_from = excluded.notify_from`,
}

export interface ResetOffsets {
  readonly service: OffsetOwner
  /** As the role that reads for the service: tocsin_worker, or tocsin_notifier. */
  readonly databaseUrl: string
  readonly brokers: string
  readonly prefix: string
  /** Without it the plan is printed and nothing is changed. */
  readonly yes: boolean
  readonly output: Output
}

/**
 * `tocsin offsets reset`: lets a stopped service read `alerts` from the beginning of the log that is there now, after Kafka was
 * replaced or records were lost to retention. Returns the exit code: 1 where the plan was only printed.
 */
export async function resetOffsets({ service, databaseUrl, brokers, prefix, yes, output }: ResetOffsets): Promise<number> {
  const topic = TOPICS.alerts.name
  const kafka = createKafka({ brokers, clientId: 'tocsin-cli', prefix, log: pino({ level: 'silent' }) })
  try {
    const [clusterId, log] = [await kafka.clusterId(), await kafka.topicOffsets(topic)]
    await withConnection(databaseUrl, async (queries: Queries) => {
      const rows = new Map((await queries(READ_ROWS, [topic])).map((row) => [Number(row['partition']), row]))
      await queries('BEGIN')
      for (const [partition, { start, end }] of [...log].sort(([a], [b]) => a - b)) {
        const before = rows.get(partition)
        const told = service === 'notifier' ? `, told from ${end}` : ''
        output.result(
          `${topic}/${partition}  ${before === undefined ? 'none' : `${before['next']} of ${before['clusterId']}`} -> ${start} of ${clusterId}${told}`,
        )
        const values = [topic, partition, String(start), clusterId, ...(service === 'notifier' ? [String(end)] : [])]
        await queries(WRITE_ROW[service], values)
      }
      await queries(yes ? 'COMMIT' : 'ROLLBACK')
    })
  } finally {
    await kafka.close()
  }
  if (!yes) output.note(`Nothing was changed. Stop ${service}, then run it again with --yes.`)
  return yes ? 0 : 1
}
