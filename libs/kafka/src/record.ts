import type { KafkaMessage } from 'kafkajs'
import { FetchedMessage, FetchedRecord, offsetOf } from './record-set.ts'

/** One Kafka entry as it was read. */
export interface KafkaRecord {
  /** Without the installation's prefix. */
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Append time, milliseconds since 1970 (LogAppendTime: set by the broker). */
  readonly appendTime: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Use `headerOf`: a name may come several times, and names are hostile input. */
  readonly headers: Readonly<Record<string, HeaderValue>>
}

/** A record whose value need not be taken out of what was fetched: it lies in `bytes` from `from` to `to`, which is below `from` where there is none. */
export interface RecordPart {
  readonly bytes: Buffer
  readonly from: number
  readonly to: number
}
export type HeaderValue = Buffer | string | (Buffer | string)[] | undefined

/** One Kafka entry to be written. `value: null` is a tombstone. */
export interface OutgoingRecord {
  /** Without the installation's prefix. */
  readonly topic: string
  readonly partition: number
  readonly key: string | Buffer | null
  readonly value: string | Buffer | null
  readonly headers?: Readonly<Record<string, HeaderValue>>
}

/** Where a written record lies. */
export interface RecordPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

/** Text of a header, the first where it is repeated; undefined when absent. `name` is ASCII. */
export function headerOf(record: Pick<KafkaRecord, 'headers'>, name: string): string | undefined {
  if (record instanceof FetchedRecord) return record.header(name)
  if (!Object.hasOwn(record.headers, name)) return undefined
  const value = record.headers[name]
  const first = Array.isArray(value) ? value[0] : value
  return first?.toString()
}

/** Where a record's value lies; null where it has none. */
export function partOf(record: KafkaRecord): RecordPart | null {
  if (record instanceof FetchedRecord) return record.to < record.from ? null : record
  const { value } = record
  return value === null ? null : { bytes: value, from: 0, to: value.length }
}

/** kafkajs' messages from offset `from` on, as records. */
export function fetchedRecords(topic: string, partition: number, messages: readonly KafkaMessage[], from: bigint): KafkaRecord[] {
  const records: KafkaRecord[] = []
  const first = Number(from)
  let isReached = false
  for (const message of messages as readonly (KafkaMessage | FetchedMessage)[]) {
    if (message instanceof FetchedMessage) {
      // They come in order.
      isReached ||= offsetOf(message) >= first
      if (isReached) records.push(new FetchedRecord(topic, partition, message))
      continue
    }
    const { offset, timestamp, key, value, headers } = message
    const at = BigInt(offset)
    if (at < from) continue
    records.push({ topic, partition, offset: at, appendTime: Number(timestamp), key, value, headers: headers ?? {} })
  }
  return records
}
