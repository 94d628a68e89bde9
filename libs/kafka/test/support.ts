import { ALL_TOPICS, type TopicSpec } from '@tocsin/contracts'
import { testInfrastructure, uniquePrefix } from '@tocsin/testing'
import { pino } from 'pino'
import { createKafka, ensureTopics, type Kafka, type KafkaRecord, type OutgoingRecord, readToEnd } from '../src/index.ts'

export const log = pino({ level: process.env['LOG_LEVEL'] ?? 'silent' })

/** A handle on topics and groups that no other test uses. */
export function testKafka(prefix = uniquePrefix('kafka'), clientId = 'kafka-test'): Kafka {
  return createKafka({ brokers: testInfrastructure().kafkaBrokers, clientId, prefix, log })
}

/** Makes topics of one setting each, with their dead letters. */
export async function makeTopics(kafka: Kafka, names: readonly string[], partitions: number): Promise<void> {
  const specs = names.map(
    (name): TopicSpec => ({ name, partitions, key: '', config: { 'message.timestamp.type': 'LogAppendTime' } }),
  )
  const dead = names.map((name): TopicSpec => ({ name: `${name}.dead`, partitions: 1, key: '', config: {} }))
  await ensureTopics(kafka, [...specs, ...dead], { partitions, replication: 1 })
}

export const allTopics = ALL_TOPICS

export const record = (
  topic: string,
  partition: number,
  value: string,
  headers: OutgoingRecord['headers'] = {},
): OutgoingRecord => ({
  topic,
  partition,
  key: 'k',
  value,
  headers,
})

/** Everything in a topic, in order per partition. */
export async function contentOf(kafka: Kafka, topic: string): Promise<KafkaRecord[]> {
  const records: KafkaRecord[] = []
  await readToEnd({ kafka, topic, onRecord: (each) => records.push(each) })
  return records
}
export const textsOf = (records: readonly KafkaRecord[]): string[] => records.map(({ value }) => value?.toString() ?? '')
