import type { DeadCode } from '@tocsin/contracts'
import type { Producer } from './producer.ts'
import type { KafkaRecord } from './record.ts'

/** Writes the original bytes to `<topic>.dead` with DEAD_HEADERS, without `tocsin-key`; resolves after the broker's acknowledgement. */
export async function deadLetter(
  producer: Producer,
  record: KafkaRecord,
  why: { readonly consumer: string; readonly code: DeadCode; readonly reason: string; readonly attempts?: number },
): Promise<void> {
  throw new Error(`not yet: ${typeof producer} ${record.topic} ${why.code}`)
}
