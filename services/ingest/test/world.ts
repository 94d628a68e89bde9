/** An ingest of its own on real Kafka and Redis, with organizations as persistence would have published them. */
import { createHash, randomUUID } from 'node:crypto'
import { loadConfig } from '@tocsin/config'
import { ALL_TOPICS, type AuditEvent, HEADERS, type IngestAnswer, type Problem, TOPICS } from '@tocsin/contracts'
import {
  createKafka,
  createProducer,
  ensureTopics,
  headerOf,
  type Kafka,
  type KafkaRecord,
  type Producer,
  readToEnd,
} from '@tocsin/kafka'
import { createLogger } from '@tocsin/telemetry'
import { testInfrastructure, uniquePrefix, waitFor } from '@tocsin/testing'
import { type RunningIngest, startIngest } from '../src/app.ts'
import { IngestConfig } from '../src/config.ts'

export const PARTITIONS = 2
const log = createLogger('ingest test', process.env['TEST_LOG_LEVEL'] ?? 'silent')

export interface Organization {
  readonly organizationId: string
  readonly slug: string
  readonly key: string
  readonly partition: number
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Partial<IngestAnswer> & Partial<Problem>
}

export interface World {
  readonly kafka: Kafka
  readonly producer: Producer
  readonly prefix: string
  readonly ingest: RunningIngest
  readonly url: string
  organization(options?: {
    readonly source?: string
    readonly scopes?: readonly string[]
    readonly partition?: number
  }): Promise<Organization>
  /** Posts with the organization's key unless headers say otherwise. */
  post(
    organization: Organization | undefined,
    body: string | Uint8Array<ArrayBuffer>,
    options?: { readonly query?: string; readonly headers?: Record<string, string> },
  ): Promise<Answer>
  /** What lies in a topic now. */
  records(topic: string): Promise<KafkaRecord[]>
  /** Events of an organization in `audit.events`, in order. */
  events(organization: Organization): Promise<AuditEvent[]>
  health(): Promise<{ readonly status: number; readonly body: { status: string; degraded: string[] } }>
  close(): Promise<void>
}

export interface WorldOptions {
  readonly kafkaBrokers?: string
  readonly redisUrl?: string
  readonly config?: Record<string, string>
  /** Without rules ingest does not become ready. */
  readonly withRules?: boolean
}

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const prefix = uniquePrefix('ing')
  const brokers = options.kafkaBrokers ?? testInfrastructure().kafkaBrokers
  const kafka = createKafka({ brokers, clientId: 'test', prefix, log })
  // A fresh topic may not be hosted yet, which services wait out as well.
  await waitFor(() => ensureTopics(kafka, ALL_TOPICS, { partitions: PARTITIONS, replication: 1 }), {
    limitMs: 20_000,
    what: 'the topics',
  })
  const producer = createProducer(kafka)
  await producer.send([{ topic: TOPICS.rules.name, partition: 0, key: 'tocsin.failed-auth', value: '{}' }])
  const ingest = await startWithPrefix(prefix, brokers, options)
  return worldOf({ kafka, producer, prefix, ingest })
}

export const configFor = (prefix: string, brokers: string, options: WorldOptions = {}) =>
  loadConfig(IngestConfig, {
    TOCSIN_ENV: 'development',
    LOG_LEVEL: 'silent',
    KAFKA_BROKERS: brokers,
    KAFKA_TOPIC_PREFIX: prefix,
    KAFKA_PARTITIONS: String(PARTITIONS),
    REDIS_URL: options.redisUrl ?? testInfrastructure().redisUrl,
    REDIS_KEY_PREFIX: `${prefix}ingest:`,
    ...options.config,
  })

export const startWithPrefix = (
  prefix: string,
  brokers: string,
  options: WorldOptions = {},
  signal = new AbortController().signal,
) => startIngest(configFor(prefix, brokers, options), log, signal)

function worldOf(parts: Pick<World, 'kafka' | 'producer' | 'prefix' | 'ingest'>): World {
  const { kafka, producer, ingest } = parts
  const url = `http://127.0.0.1:${ingest.port}`
  const records = async (topic: string) => {
    const found: KafkaRecord[] = []
    await readToEnd({ kafka, topic, onRecord: (record) => found.push(record) })
    return found
  }
  return {
    ...parts,
    url,
    records,
    organization: async (given = {}) => {
      const organization = { ...newOrganization(), partition: given.partition ?? 1 }
      await publishOrganization(producer, organization, given)
      return organization
    },
    post: (organization, body, given = {}) => postTo(url, organization, body, given),
    events: async (organization) =>
      (await records(TOPICS.auditEvents.name))
        .filter((record) => headerOf(record, HEADERS.type) === 'event' && record.key?.toString() === organization.organizationId)
        .map((record) => JSON.parse(String(record.value)) as AuditEvent),
    health: async () => {
      const answer = await fetch(`http://127.0.0.1:${ingest.telemetryPort}/health/ready`)
      return { status: answer.status, body: (await answer.json()) as { status: string; degraded: string[] } }
    },
    close: async () => {
      await ingest.stop()
      await producer.close()
      await kafka.close()
    },
  }
}

export function newOrganization(): Organization {
  const organizationId = randomUUID()
  return { organizationId, slug: `org-${organizationId.slice(0, 8)}`, key: `tk_${randomUUID()}`, partition: 1 }
}

export async function publishOrganization(
  producer: Producer,
  organization: Organization,
  given: { readonly source?: string; readonly scopes?: readonly string[] } = {},
): Promise<void> {
  const { organizationId, slug, key, partition } = organization
  const hash = createHash('sha256').update(key).digest('hex')
  const record = {
    organizationId,
    version: 1,
    slug,
    name: slug,
    partition,
    settings: {},
    recipients: { emails: [], slackChannels: [], phoneNumbers: [] },
    keys: [
      {
        id: 'k1',
        hash,
        scopes: given.scopes ?? ['events:write'],
        ...(given.source === undefined ? {} : { source: given.source }),
      },
    ],
  }
  await producer.send([{ topic: TOPICS.tenants.name, partition: 0, key: organizationId, value: JSON.stringify(record) }])
}

export async function postTo(
  url: string,
  organization: Organization | undefined,
  body: string | Uint8Array<ArrayBuffer>,
  given: { readonly query?: string; readonly headers?: Record<string, string> } = {},
): Promise<Answer> {
  const answer = await fetch(`${url}/v1/events${given.query ?? ''}`, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      ...(organization === undefined ? {} : { authorization: `Bearer ${organization.key}` }),
      ...given.headers,
    },
    signal: AbortSignal.timeout(30_000),
  })
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Answer['body'] }
}

export const least = (fields: Record<string, unknown> = {}) => ({
  timestamp: '2026-03-01T09:15:30Z',
  action: 'auth.login',
  status: 'failure',
  ...fields,
})
