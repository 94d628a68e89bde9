import type { Kafka } from './kafka.ts'
import type { OutgoingRecord, RecordPlace } from './record.ts'

/** Idempotent, acks=all. */
export interface Producer {
  /**
   * Resolves after the broker has all of them, with the place of each, in the order given. Order per partition is that of the calls.
   * Rejects with RetryableError when the broker is away (<= 10 s; then it is unknown which were written), TerminalError when one is too large.
   */
  send(records: readonly OutgoingRecord[]): Promise<RecordPlace[]>
  isUp(): boolean
  close(): Promise<void>
}
export function createProducer(kafka: Kafka): Producer {
  throw new Error(`not yet: ${kafka.clientId}`)
}
