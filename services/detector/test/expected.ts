import { TOPICS } from '@tocsin/contracts'
import type { AlertChange } from '@tocsin/engine'
import { type Kafka, type KafkaRecord, readToEnd } from '@tocsin/kafka'
import type { Engine } from '../src/engine-port.ts'
import { CONSUMER } from '../src/partition-worker.ts'
import { readEventRecord } from '../src/read-event-record.ts'

/** Parses and checks every event. */
const PLAIN = { name: CONSUMER, canRun: () => {}, scanner: { scan: () => null }, onDeclined: () => {} }

/** What an undisturbed detector publishes for the log as it lies there, by (alert id, revision): one engine a partition, from the first record on. */
export async function expectedChanges(kafka: Kafka, fresh: (partition: number) => Engine): Promise<Map<string, string>> {
  const log = new Map<number, KafkaRecord[]>()
  await readToEnd({
    kafka,
    topic: TOPICS.auditEvents.name,
    onRecord: (record) => gather(log, record),
  })
  const expected = new Map<string, string>()
  for (const [partition, records] of log)
    for (const { type, alert } of undisturbed(fresh(partition), records))
      expected.set(`${alert.id} ${alert.revision}`, `${type} ${JSON.stringify(alert)}`)
  return expected
}

/** What an engine says of one partition's records when nothing interrupts it. */
export function* undisturbed(engine: Engine, records: readonly KafkaRecord[]): Generator<AlertChange> {
  for (const record of records) {
    const reading = readEventRecord(record, PLAIN)
    const { appendTime, offset } = record
    yield* engine.process(reading.kind === 'process' ? reading.record : { kind: 'other', appendTime, offset })
  }
}

function gather(log: Map<number, KafkaRecord[]>, record: KafkaRecord): void {
  const records = log.get(record.partition)
  if (records === undefined) log.set(record.partition, [record])
  else records.push(record)
}
