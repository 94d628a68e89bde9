import { DEAD_HEADERS, type DeadCode, deadTopicOf, HEADERS } from '@tocsin/contracts'
import type { Producer } from './producer.ts'
import type { HeaderValue, KafkaRecord, OutgoingRecord } from './record.ts'

/** A reason is for people; the record itself is beside it. */
const MOST_REASON_CHARACTERS = 1_000

export interface DeadLetterReason {
  readonly consumer: string
  readonly code: DeadCode
  readonly reason: string
  readonly attempts?: number
}

/** The record for `<topic>.dead`: original bytes and key, DEAD_HEADERS, without `tocsin-key`. */
export function deadLetterOf(record: KafkaRecord, why: DeadLetterReason): OutgoingRecord {
  const headers: Record<string, HeaderValue> = {}
  for (const [name, value] of Object.entries(record.headers))
    if (name !== HEADERS.key && name !== HEADERS.replayFor) headers[name] = value
  headers[DEAD_HEADERS.reason] = why.reason.slice(0, MOST_REASON_CHARACTERS)
  headers[DEAD_HEADERS.code] = why.code
  headers[DEAD_HEADERS.consumer] = why.consumer
  headers[DEAD_HEADERS.attempts] = String(why.attempts ?? 1)
  headers[DEAD_HEADERS.topic] = record.topic
  headers[DEAD_HEADERS.partition] = String(record.partition)
  headers[DEAD_HEADERS.offset] = String(record.offset)
  // Dead-letter topics have one partition: they are few, and order by time is what a person wants.
  return { topic: deadTopicOf(record.topic), partition: 0, key: record.key, value: record.value, headers }
}

/** Writes a record to `<topic>.dead`; resolves after the broker's acknowledgement. */
export async function deadLetter(producer: Producer, record: KafkaRecord, why: DeadLetterReason): Promise<void> {
  await producer.send([deadLetterOf(record, why)])
}
