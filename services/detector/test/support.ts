import { ALL_TOPICS, type AuditEvent, HEADERS, type RuleRecord, type TenantRecord, TOPICS } from '@tocsin/contracts'
import {
  createKafka,
  createProducer,
  ensureTopics,
  headerOf,
  type Kafka,
  type OutgoingRecord,
  type Producer,
  readToEnd,
} from '@tocsin/kafka'
import { createLogger } from '@tocsin/telemetry'
import { testInfrastructure, uniquePrefix, waitFor } from '@tocsin/testing'
import { Detector } from '../src/detector.ts'
import type { EngineMaker } from '../src/engine-port.ts'
import { createMetrics } from '../src/metrics.ts'
import type { SnapshotPace } from '../src/snapshot-schedule.ts'

export const LIMIT_MS = 30_000
export const log = createLogger('detector-test', process.env['LOG_LEVEL'] ?? 'silent')
/** Snapshots only where a test asks for them, by stopping. */
export const NEVER: SnapshotPace = { minIntervalMs: 3_600_000, minRecords: 1_000_000_000, maxIntervalMs: 3_600_000 }
export const AT_EVERY_TURN: SnapshotPace = { minIntervalMs: 0, minRecords: 1, maxIntervalMs: 1 }
export const ORGANIZATION = '5f0c9e0a-6d3c-4a83-9c35-0d6a6f2b7a11'
const AUDIT_EVENTS = TOPICS.auditEvents.name

export interface Place {
  readonly kafka: Kafka
  readonly producer: Producer
  readonly prefix: string
  /** @param writing what the detector writes through, made of the real producer */
  detector(engines: EngineMaker, pace?: SnapshotPace, writing?: (real: Producer) => Producer): Detector
}

/** All topics under a prefix of its own, and handles that are closed at the end, with every detector that was started. */
export async function withTopics(
  partitions: number,
  run: (place: Place) => Promise<void>,
  brokers = testInfrastructure().kafkaBrokers,
  topics = ALL_TOPICS,
): Promise<void> {
  const prefix = uniquePrefix('det')
  const kafka = createKafka({ brokers, clientId: 'detector-test', prefix, log })
  const producer = createProducer(kafka)
  const closing: (() => Promise<void>)[] = []
  const place: Place = {
    kafka,
    producer,
    prefix,
    detector: (engines, pace = NEVER, writing = (real) => real) => {
      const own = createKafka({ brokers, clientId: `detector-${closing.length}`, prefix, log })
      const ownProducer = createProducer(own)
      const metrics = createMetrics(
        () => [],
        () => undefined,
      )
      const producer = writing(ownProducer)
      const detector = new Detector({ kafka: own, producer, engines, compile: () => undefined, pace, metrics, log })
      let stopped: Promise<void> | undefined
      const stop = detector.stop.bind(detector)
      detector.stop = () => {
        stopped ??= stop().then(async () => {
          await ownProducer.close()
          await own.close()
        })
        return stopped
      }
      closing.push(() => detector.stop())
      return detector
    },
  }
  try {
    await ensureTopics(kafka, topics, { partitions, replication: 1 })
    await run(place)
  } finally {
    await Promise.all(closing.map((close) => close()))
    await producer.close()
    await kafka.close()
  }
}

let made = 0
/** A failed login of `principalId`, now, unless said otherwise. */
export function failedLogin(principalId: string, changes: Partial<AuditEvent> = {}): AuditEvent {
  const at = new Date().toISOString()
  return {
    id: `e${++made}`,
    timestamp: at,
    receivedAt: at,
    organizationId: ORGANIZATION,
    action: 'login',
    status: 'failure',
    outcome: 'failure',
    category: 'authentication',
    operation: 'login',
    dataClassification: 'INTERNAL',
    principalId,
    integrity: 'absent',
    source: { format: 'tocsin', name: 'test' },
    ...changes,
  }
}
export const eventRecord = (event: AuditEvent, partition = 0): OutgoingRecord => ({
  topic: AUDIT_EVENTS,
  partition,
  key: event.organizationId,
  value: JSON.stringify(event),
  headers: { [HEADERS.type]: 'event' },
})
export const rawRecord = (
  value: string | Buffer | null,
  headers: OutgoingRecord['headers'] = {},
  partition = 0,
): OutgoingRecord => ({
  topic: AUDIT_EVENTS,
  partition,
  key: ORGANIZATION,
  value,
  headers,
})
export const tickRecord = (partition = 0): OutgoingRecord =>
  rawRecord(JSON.stringify({ at: new Date().toISOString() }), { [HEADERS.type]: 'tick' }, partition)
export const controlRecord = (control: unknown, partition = 0): OutgoingRecord =>
  rawRecord(JSON.stringify(control), { [HEADERS.type]: 'control' }, partition)

export interface PublishedChange {
  readonly type: string | undefined
  readonly partition: number
  readonly bytes: string
  readonly alert: {
    readonly id: string
    readonly revision: number
    readonly count: number
    readonly group: Record<string, string>
    readonly [field: string]: unknown
  }
}
/** Topic `alerts`, in order per partition. */
export async function publishedChanges(kafka: Kafka): Promise<PublishedChange[]> {
  const changes: PublishedChange[] = []
  await readToEnd({
    kafka,
    topic: TOPICS.alerts.name,
    onRecord: (record) => {
      const bytes = record.value?.toString() ?? ''
      changes.push({ type: headerOf(record, HEADERS.type), partition: record.partition, bytes, alert: JSON.parse(bytes) })
    },
  })
  return changes
}
/** Each (alert id, revision) once, with its bytes; throws where one was published with different bytes. */
export function distinctChanges(changes: readonly PublishedChange[]): Map<string, string> {
  const distinct = new Map<string, string>()
  for (const { alert, type, bytes } of changes) {
    const name = `${alert.id} ${alert.revision}`
    const content = `${type} ${bytes}`
    const before = distinct.get(name)
    if (before !== undefined && before !== content)
      throw new Error(`${name} was published twice and differently:\n${before}\n${content}`)
    distinct.set(name, content)
  }
  return distinct
}

export async function contentOf(kafka: Kafka, topic: string) {
  const records: {
    offset: bigint
    key: string
    value: Buffer | null
    partition: number
    headers: (name: string) => string | undefined
  }[] = []
  await readToEnd({
    kafka,
    topic,
    onRecord: (record) =>
      records.push({
        offset: record.offset,
        key: record.key?.toString() ?? '',
        value: record.value,
        partition: record.partition,
        headers: (name) => headerOf(record, name),
      }),
  })
  return records
}

/** Waits until a detector has processed everything in `audit.events`. */
export async function untilProcessed(kafka: Kafka, detectors: readonly Detector[]): Promise<void> {
  await waitFor(
    async () => {
      const ends = await kafka.topicOffsets(AUDIT_EVENTS)
      const positions = new Map(
        detectors.flatMap((detector) => detector.holding().map(({ partition, position }) => [partition, position] as const)),
      )
      return [...ends].every(([partition, { end }]) => (positions.get(partition) ?? -1n) >= end)
    },
    { limitMs: LIMIT_MS, what: 'all records to be processed' },
  )
}

export const tenant = (partition: number, changes: Partial<TenantRecord> = {}): TenantRecord => ({
  organizationId: ORGANIZATION,
  version: 1,
  slug: 'acme',
  name: 'Acme',
  partition,
  settings: {},
  recipients: { emails: [], slackChannels: [], phoneNumbers: [] },
  keys: [],
  ...changes,
})
export const rule = (changes: Partial<RuleRecord> = {}): RuleRecord => ({
  ruleId: 'tocsin.failed-auth',
  organizationId: null,
  version: 1,
  hash: 'h',
  state: 'active',
  content: 'x',
  ...changes,
})
