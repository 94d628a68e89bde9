import {
  type AccessRecord,
  type AlertErased,
  type AlertFigures,
  type AlertStatusChange,
  type AuditEvent,
  type ControlRecord,
  ERASED_RECORD_TYPE,
  type FigureRecordType,
  HEADERS,
  type HistoryHead,
  type RuleRecord,
  SCHEMA_VERSIONS,
  type StatusRecordType,
  type TenantRecord,
  TOPICS,
} from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import type { Query } from '@tocsin/postgres'
import { childTraceparent } from '@tocsin/telemetry'
import { ADD_OUTBOX } from '../sql/stream-sql.ts'

/** One record that is to be written to Kafka once its transaction is committed. */
export interface OutboxRecord {
  /** null: of the whole installation. */
  readonly organizationId: string | null
  readonly topic: string
  readonly partition: number
  readonly key: string
  /** null: a tombstone. */
  readonly value: string | null
  readonly headers: Readonly<Record<string, string>>
}

/** No tombstone. */
type WrittenRecord = OutboxRecord & { readonly value: string }

/** Compacted topics of persistence have one partition. */
const ONLY_PARTITION = 0
/** A control record holds its whole content, at most this (design §5.2). */
const MAX_CONTROL_BYTES = 262_144 + 4_096

/** A record of `rules` is at most 1 MiB with its headers; a text of control characters grows sixfold as JSON. */
const MAX_RULE_BYTES = 917_504

type Contract = keyof typeof SCHEMA_VERSIONS

function record(
  place: { readonly organizationId: string | null; readonly topic: string; readonly partition: number; readonly key: string },
  type: string,
  contract: Contract,
  content: unknown,
  traceparent?: string,
): WrittenRecord {
  return {
    ...place,
    value: JSON.stringify(content),
    headers: {
      [HEADERS.type]: type,
      [HEADERS.schema]: `${contract}/${SCHEMA_VERSIONS[contract]}`,
      [HEADERS.contentType]: 'application/json',
      [HEADERS.traceparent]: childTraceparent(traceparent),
    },
  }
}

export const figuresRecord = (
  figures: AlertFigures,
  type: FigureRecordType,
  partition: number,
  traceparent?: string,
): WrittenRecord =>
  record(
    { organizationId: figures.organizationId, topic: TOPICS.alerts.name, partition, key: figures.organizationId },
    type,
    'Alert',
    figures,
    traceparent,
  )

export const statusRecord = (
  change: AlertStatusChange,
  type: StatusRecordType,
  partition: number,
  traceparent?: string,
): OutboxRecord =>
  record(
    { organizationId: change.organizationId, topic: TOPICS.alerts.name, partition, key: change.organizationId },
    type,
    'Alert',
    change,
    traceparent,
  )

export const erasedRecord = (erased: AlertErased, partition: number): OutboxRecord =>
  record(
    { organizationId: erased.organizationId, topic: TOPICS.alerts.name, partition, key: erased.organizationId },
    ERASED_RECORD_TYPE,
    'Alert',
    erased,
  )

/** An event that this service itself has to tell. `partition`: of its organization. */
export const eventRecord = (event: AuditEvent, partition: number): OutboxRecord =>
  record(
    { organizationId: event.organizationId, topic: TOPICS.auditEvents.name, partition, key: event.organizationId },
    'event',
    'AuditEvent',
    event,
  )

/** The control record first, so that the setting is in force before anyone who reads `tenants` acts on it (design §5.2). */
export function tenantRecords(tenant: TenantRecord, traceparent?: string): OutboxRecord[] {
  const { organizationId } = tenant
  const control: ControlRecord = { kind: 'organization', organization: tenant }
  const place = { organizationId, key: organizationId }
  const first = record(
    { ...place, topic: TOPICS.auditEvents.name, partition: tenant.partition },
    'control',
    'Control',
    control,
    traceparent,
  )
  if (Buffer.byteLength(first.value) > MAX_CONTROL_BYTES)
    throw new HttpProblem(422, 'TOO_LARGE', `The settings are larger than ${MAX_CONTROL_BYTES} bytes.`)
  return [
    first,
    record({ ...place, topic: TOPICS.tenants.name, partition: ONLY_PARTITION }, 'tenant', 'Tenant', tenant, traceparent),
  ]
}

/** An installation-wide rule: a control record to every partition, then `rules`. */
export function ruleRecords(rule: RuleRecord, partitions: number): OutboxRecord[] {
  const control: ControlRecord = { kind: 'rule', rule }
  const topic = TOPICS.auditEvents.name
  return [
    ...Array.from({ length: partitions }, (_, partition) =>
      record({ organizationId: null, topic, partition, key: '' }, 'control', 'Control', control),
    ),
    record({ organizationId: null, topic: TOPICS.rules.name, partition: ONLY_PARTITION, key: rule.ruleId }, 'rule', 'Rule', rule),
  ]
}

/** A rule of one organization: a control record to its partition, then `rules`. */
export function organizationRuleRecords(
  rule: RuleRecord & { readonly organizationId: string },
  partition: number,
  traceparent?: string,
): OutboxRecord[] {
  const { organizationId, ruleId } = rule
  const control: ControlRecord = { kind: 'rule', rule }
  const place = { organizationId, topic: TOPICS.auditEvents.name, partition, key: organizationId }
  const rules = { organizationId, topic: TOPICS.rules.name, partition: ONLY_PARTITION, key: `${organizationId}/${ruleId}` }
  const records = [record(place, 'control', 'Control', control, traceparent), record(rules, 'rule', 'Rule', rule, traceparent)]
  if (records.some(({ value }) => Buffer.byteLength(value) > MAX_RULE_BYTES))
    throw new HttpProblem(422, 'TOO_LARGE', `The rule is larger than ${MAX_RULE_BYTES} bytes once its text is JSON.`)
  return records
}

export const accessRecord = (access: AccessRecord, organizationId: string | null, traceparent?: string): OutboxRecord =>
  record(
    { organizationId, topic: TOPICS.access.name, partition: ONLY_PARTITION, key: access.subject },
    'access',
    'Access',
    access,
    traceparent,
  )

/** That an organization is no more: first to the detector, then on the compacted topics. `ruleIds`: of its own rules. */
export function organizationDeletedRecords(
  organizationId: string,
  partition: number,
  ruleIds: readonly string[],
): OutboxRecord[] {
  const control: ControlRecord = { kind: 'organizationDeleted', organizationId }
  const place = { organizationId, topic: TOPICS.auditEvents.name, partition, key: organizationId }
  return [
    record(place, 'control', 'Control', control),
    tombstone(organizationId, TOPICS.tenants.name, organizationId),
    ...ruleIds.map((ruleId) => tombstone(organizationId, TOPICS.rules.name, `${organizationId}/${ruleId}`)),
  ]
}

/** A subject of whom nothing is left. */
export const accessTombstone = (subject: string, organizationId: string): OutboxRecord =>
  tombstone(organizationId, TOPICS.access.name, subject)

const tombstone = (organizationId: string, topic: string, key: string): OutboxRecord => ({
  organizationId,
  topic,
  partition: ONLY_PARTITION,
  key,
  value: null,
  headers: {},
})

export const headRecord = (head: HistoryHead): OutboxRecord =>
  record(
    {
      organizationId: head.organizationId,
      topic: TOPICS.historyHeads.name,
      partition: ONLY_PARTITION,
      key: head.organizationId,
    },
    'head',
    'HistoryHead',
    head,
  )

/** Written in the transaction of what it tells of; the relay publishes in this order. */
export async function addToOutbox(query: Query, records: readonly OutboxRecord[]): Promise<void> {
  if (records.length > 0) await query(ADD_OUTBOX, [JSON.stringify(records)])
}
