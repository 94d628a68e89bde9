/** Logs for benches: topics of their own, rules in force, and events. */
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ALL_TOPICS, HEADERS, type RuleRecord, SCHEMA_VERSIONS, type TenantRecord, TOPICS } from '@tocsin/contracts'
import {
  createKafka,
  createProducer,
  deleteGroup,
  deleteTopic,
  ensureTopics,
  type Kafka,
  type OutgoingRecord,
  type Producer,
} from '@tocsin/kafka'
import { createLogger } from '@tocsin/telemetry'
import { type BenchEvent, type EventSource, organizationId } from './events.ts'

const RULES = fileURLToPath(new URL('../../rules/', import.meta.url))
const PARTITIONS = 4
const EVENTS_A_SEND = 4_000
const SAY_EVERY_MS = 5_000

export class BenchLog {
  readonly prefix = `bench-${randomBytes(4).toString('hex')}-`
  readonly kafka: Kafka
  readonly producer: Producer
  readonly #say: (line: string) => void
  #rules = new Set<string>()
  #events = 0
  #bytes = 0

  private constructor(brokers: string, say: (line: string) => void) {
    this.kafka = createKafka({ brokers, clientId: 'bench', prefix: this.prefix, log: createLogger('bench', 'error') })
    this.producer = createProducer(this.kafka)
    this.#say = say
  }

  /** An empty one, with the built-in rules in force. */
  static async create(brokers: string, say: (line: string) => void): Promise<BenchLog> {
    const log = new BenchLog(brokers, say)
    await ensureTopics(log.kafka, ALL_TOPICS, { partitions: PARTITIONS, replication: 1 })
    await log.setRules(builtInRules())
    return log
  }

  get events(): number {
    return this.#events
  }

  /** Of the events' values, on average. */
  get bytesAnEvent(): number {
    return Math.round(this.#bytes / this.#events)
  }

  get topic(): string {
    return this.kafka.name(TOPICS.auditEvents.name)
  }

  async write(source: EventSource, count: number): Promise<void> {
    let saidAt = performance.now()
    for (let written = 0; written < count; ) {
      const batch = Array.from({ length: Math.min(EVENTS_A_SEND, count - written) }, () => eventRecord(source()))
      for (const { value } of batch) this.#bytes += value.length
      await this.producer.send(batch)
      written += batch.length
      this.#events += batch.length
      if (performance.now() - saidAt < SAY_EVERY_MS) continue
      saidAt = performance.now()
      this.#say(`${written.toLocaleString('en-US')} of ${count.toLocaleString('en-US')} events written`)
    }
  }

  /** What a detector without a snapshot finds in force: exactly these. The events' topic holds events only, so that peers can read it. */
  async setRules(rules: readonly RuleRecord[]): Promise<void> {
    const topic = TOPICS.rules.name
    const wanted = new Set(rules.map(({ ruleId }) => ruleId))
    const gone = [...this.#rules].filter((ruleId) => !wanted.has(ruleId))
    await this.producer.send([
      ...gone.map((key): OutgoingRecord => ({ topic, partition: 0, key, value: null })),
      ...rules.map((rule): OutgoingRecord => ({ topic, partition: 0, key: rule.ruleId, value: JSON.stringify(rule) })),
    ])
    this.#rules = wanted
  }

  /** The next detector begins at the log's beginning: without snapshots and without a group. */
  async forgetState(): Promise<void> {
    await deleteGroup(this.kafka, 'detector')
    await deleteTopic(this.kafka, TOPICS.detectorSnapshots.name)
    await ensureTopics(this.kafka, ALL_TOPICS, { partitions: PARTITIONS, replication: 1 })
  }

  /** Removes the events, for the disk's sake. */
  async close(): Promise<void> {
    await deleteTopic(this.kafka, TOPICS.auditEvents.name)
    await this.producer.close()
    await this.kafka.close()
  }
}

export function eventRecord({ event, organization, key }: BenchEvent): OutgoingRecord & { readonly value: string } {
  return {
    topic: TOPICS.auditEvents.name,
    partition: organization % PARTITIONS,
    key,
    value: JSON.stringify(event),
    // As ingest writes them: each costs its reader something.
    headers: {
      [HEADERS.type]: 'event',
      [HEADERS.schema]: `AuditEvent/${SCHEMA_VERSIONS.AuditEvent}`,
      [HEADERS.contentType]: 'application/json',
      [HEADERS.traceparent]: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
    },
  }
}

export function builtInRules(): RuleRecord[] {
  return readdirSync(RULES)
    .filter((name) => name.endsWith('.yml'))
    .sort()
    .map((name) => ruleRecord(`tocsin.${name.replace('.yml', '')}`, readFileSync(`${RULES}${name}`, 'utf8')))
}

export const ruleRecord = (ruleId: string, content: string): RuleRecord => ({
  ruleId,
  organizationId: null,
  version: 1,
  hash: createHash('sha256').update(content).digest('hex'),
  state: 'active',
  content,
})

export const organizationOf = (organization: number, settings: TenantRecord['settings']): TenantRecord => ({
  organizationId: organizationId(organization),
  version: 1,
  slug: `org-${organization}`,
  name: `Organization ${organization}`,
  partition: organization % PARTITIONS,
  settings,
  recipients: { emails: [], slackChannels: [], phoneNumbers: [] },
  keys: [],
})
