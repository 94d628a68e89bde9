import { engineRecordOf } from '@tocsin/backtest/topic-range'
import { HEADERS } from '@tocsin/contracts'
import type { EngineRecord } from '@tocsin/engine'
import { headerOf, type KafkaRecord } from '@tocsin/kafka'

/**
 * What a record of `audit.events` is to the engine of one organization: an event that key and content both say is its own, or a tick,
 * which only moves log time. Its partition holds others' records too: undefined for those, unread where the key is another's, and for
 * control records (a backtest has its rule and the present settings).
 */
export function ownRecordOf(record: KafkaRecord, organizationId: string): EngineRecord | undefined {
  const type = headerOf(record, HEADERS.type) ?? 'event'
  if (type === 'tick') return engineRecordOf(record)
  if (type !== 'event' || record.key?.toString() !== organizationId) return undefined
  const own = engineRecordOf(record)
  return own?.kind === 'event' && own.event.organizationId === organizationId ? own : undefined
}
