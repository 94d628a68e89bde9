import { TOPICS } from '@tocsin/contracts'
import { committedOffset, createKafka, createProducer, deleteGroup, readToEnd } from '@tocsin/kafka'
import { pino } from 'pino'
import type { Output } from '../output.ts'

/** The detector's consumer group. */
const GROUP = 'detector'

export interface ResetDetector {
  readonly partition: number
  readonly brokers: string
  readonly prefix: string
  /** Without it the plan is printed and nothing is changed. */
  readonly yes: boolean
  readonly output: Output
}

/**
 * `tocsin offsets reset --service detector`: forgets the stopped detector's state of one partition, which then begins at the log that is there now,
 * with the rules and settings of now: for a partition that is halted because its log was made anew or lost records behind the newest
 * snapshot. Returns the exit code: 1 where the plan was only printed.
 */
export async function resetDetector({ partition, brokers, prefix, yes, output }: ResetDetector): Promise<number> {
  const kafka = createKafka({ brokers, clientId: 'tocsin-cli', prefix, log: pino({ level: 'silent' }) })
  const producer = createProducer(kafka)
  const events = { topic: TOPICS.auditEvents.name, partition }
  const topic = TOPICS.detectorSnapshots.name
  try {
    const log = (await kafka.topicOffsets(events.topic)).get(partition)
    if (log === undefined) {
      output.note(`There is no partition ${partition} of ${events.topic}.`)
      return 1
    }
    const keys = new Set<string>()
    await readToEnd({
      kafka,
      topic,
      partitions: [partition],
      onRecord: ({ key, value }) => void (value === null ? keys.delete(String(key)) : keys.add(String(key))),
    })
    const committed = await committedOffset(kafka, GROUP, events)
    output.result(
      `${events.topic}/${partition}  ${committed?.next ?? 'none'} -> ${log.start}, ${keys.size} records of snapshots forgotten`,
    )
    if (!yes) {
      output.note(
        'Nothing was changed. Windows and open alerts of this partition will be forgotten. Stop every detector, then run it again with --yes.',
      )
      return 1
    }
    // First, because it is refused while a detector runs.
    if (committed !== undefined) await deleteGroup(kafka, GROUP)
    await producer.send([...keys].map((key) => ({ topic, partition, key, value: null })))
  } finally {
    await producer.close()
    await kafka.close()
  }
  return 0
}
