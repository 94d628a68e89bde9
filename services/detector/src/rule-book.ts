import { type ControlRecord, RuleRecord, TenantRecord, TOPICS } from '@tocsin/contracts'
import { messageOf } from '@tocsin/errors'
import { type Kafka, type KafkaRecord, readToEnd } from '@tocsin/kafka'
import type { Logger } from '@tocsin/telemetry'
import { Compile } from 'typebox/compile'

/** What is in force; a deleted organization is not in the book. */
export type BookRecord = Exclude<ControlRecord, { kind: 'organizationDeleted' }>

const ruleRecord = Compile(RuleRecord)
const tenantRecord = Compile(TenantRecord)

/**
 * Rules and organizations as the compacted topics have them now: where a partition without a snapshot starts from. Each change went to
 * `audit.events` before it came here, so what is read here is never ahead of the log.
 */
export async function readRuleBook(kafka: Kafka, signal: AbortSignal, log: Logger): Promise<readonly BookRecord[]> {
  const rules = new Map<string, BookRecord>()
  const organizations = new Map<string, BookRecord>()
  const gather = (book: Map<string, BookRecord>, read: (value: unknown) => BookRecord | undefined) => (record: KafkaRecord) => {
    const key = record.key?.toString() ?? ''
    if (record.value === null) return void book.delete(key)
    const control = read(parse(record.value))
    if (control === undefined)
      log.error(
        { topic: record.topic, key, offset: String(record.offset) },
        'a record of rules or settings is not valid and is left out',
      )
    else book.set(key, control)
  }
  await Promise.all([
    readToEnd({
      kafka,
      topic: TOPICS.rules.name,
      signal,
      onRecord: gather(rules, (value) => (ruleRecord.Check(value) ? { kind: 'rule', rule: value } : undefined)),
    }),
    readToEnd({
      kafka,
      topic: TOPICS.tenants.name,
      signal,
      onRecord: gather(organizations, (value) =>
        tenantRecord.Check(value) ? { kind: 'organization', organization: value } : undefined,
      ),
    }),
  ])
  return [...byKey(organizations), ...byKey(rules)]
}

/** What of the book concerns a partition: its own organizations, their rules, and those of the whole installation; in a fixed order. */
export function bookOf(partition: number, book: readonly BookRecord[]): readonly BookRecord[] {
  const own = new Set(
    book.flatMap((control) =>
      control.kind === 'organization' && control.organization.partition === partition
        ? [control.organization.organizationId]
        : [],
    ),
  )
  return book.filter((control) =>
    control.kind === 'organization'
      ? own.has(control.organization.organizationId)
      : control.rule.organizationId === null || own.has(control.rule.organizationId),
  )
}

const byKey = (book: ReadonlyMap<string, BookRecord>): BookRecord[] =>
  [...book].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, control]) => control)

function parse(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString())
  } catch (error) {
    return messageOf(error)
  }
}
