import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyRing, issueToken, type KeyRing } from '@tocsin/access'
import { loadConfig } from '@tocsin/config'
import {
  type AccessRecord,
  ALL_TOPICS,
  type NotificationEntry,
  type Recipients,
  type Role,
  type TenantRecord,
} from '@tocsin/contracts'
import { createKafka, createProducer, ensureTopics, type Kafka, type KafkaRecord, type Producer, readToEnd } from '@tocsin/kafka'
import { createPool, type Query, queryOf } from '@tocsin/postgres'
import { createTestDatabase, testInfrastructure, uniquePrefix } from '@tocsin/testing'
import { createNotifier, type RunningNotifier } from '../src/app.ts'
import { slackAccepts, smsAccepts, startProvider, type TestProvider } from '../src/channels/stand-ins/http-provider.ts'
import { startSmtp, type TestSmtp } from '../src/channels/stand-ins/smtp.ts'
import { NotifierConfig } from '../src/config.ts'
import type { LedgerRecord } from '../src/ledger/apply.ts'
import { AT_ONCE, silent, TEMPLATE } from './ledger-world.ts'

const PARTITIONS = 2

/** Real Kafka, PostgreSQL and SMTP, stand-ins for Slack and the SMS provider; instances of the notifier are started on them. */
export interface NotifierWorld {
  readonly env: Record<string, string>
  readonly ring: KeyRing
  readonly kafka: Kafka
  readonly producer: Producer
  readonly admin: Query
  readonly smtp: TestSmtp
  readonly slack: TestProvider
  readonly sms: TestProvider
  start(over?: Partial<NotifierConfig>): Promise<RunningNotifier>
  stop(instance: RunningNotifier): Promise<void>
  /** Publishes an organization as persistence does; `members` get the role `as` (responder). */
  newOrganization(options?: {
    readonly recipients?: Partial<Recipients>
    readonly settings?: TenantRecord['settings']
    readonly members?: readonly string[]
    readonly as?: Role
    /** On the partition of this one. */
    readonly besides?: string
  }): Promise<string>
  /** As persistence does. */
  deleteOrganization(organizationId: string): Promise<void>
  publish(...records: readonly Pick<LedgerRecord, 'type' | 'value'>[]): Promise<void>
  publishRaw(value: string, headers: Record<string, string>): Promise<void>
  tokenOf(subject: string): Promise<string>
  entries(
    instance: { readonly port: number },
    alertId: string,
    token: string,
    query?: string,
  ): Promise<{ status: number; items: NotificationEntry[]; code: string }>
  contentOf(topic: string): Promise<KafkaRecord[]>
  close(): Promise<void>
}

export interface WorldDatabase {
  readonly urls: Readonly<Record<'tocsin_owner' | 'tocsin_notifier', string>>
  readonly adminUrl: string
  readonly drop: () => Promise<void>
}

export async function createNotifierWorld(given?: WorldDatabase): Promise<NotifierWorld> {
  const database: WorldDatabase = given ?? (await createTestDatabase(TEMPLATE))
  const [smtp, slack, sms] = await Promise.all([startSmtp(), startProvider(slackAccepts), startProvider(smsAccepts)])
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-notifier-'))
  const ring = await generateKeyRing()
  await writeFile(join(folder, 'keys.json'), JSON.stringify(ring), { mode: 0o600 })
  const prefix = uniquePrefix('n')
  const env = {
    TOCSIN_ENV: 'development',
    LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'silent',
    KAFKA_BROKERS: testInfrastructure().kafkaBrokers,
    KAFKA_TOPIC_PREFIX: prefix,
    OWNER_DATABASE_URL: database.urls.tocsin_owner,
    DATABASE_URL: database.urls.tocsin_notifier,
    KEYS_FILE: join(folder, 'keys.json'),
    PUBLIC_URL: 'http://127.0.0.1:8080/',
    SMTP_URL: smtp.url,
    MAIL_FROM: 'Tocsin <tocsin@localhost>',
    SLACK_API_URL: `${slack.url}/slack/api/`,
    SMS_API_URL: `${sms.url}/sms`,
  }
  const config = loadConfig(NotifierConfig, env)
  const kafka = createKafka({ brokers: env.KAFKA_BROKERS, clientId: 'test', prefix, log: silent })
  await ensureTopics(kafka, ALL_TOPICS, { partitions: PARTITIONS, replication: 1 })
  const producer = createProducer(kafka)
  const adminPool = createPool(`${database.adminUrl}?options=-c%20search_path%3Dnotifier`, { name: 'admin', max: 2, log: silent })
  const running = new Set<RunningNotifier>()
  const partitions = new Map<string, number>()
  const send = (topic: string, key: string, value: unknown, partition = 0, headers: Record<string, string> = {}) =>
    producer.send([
      { topic, partition, key, value: value === null || typeof value === 'string' ? value : JSON.stringify(value), headers },
    ])
  return {
    env,
    ring,
    kafka,
    producer,
    smtp,
    slack,
    sms,
    admin: queryOf(adminPool),
    start: async (over = {}) => {
      const instance = await createNotifier(
        { ...config, PUBLIC_URL: 'http://127.0.0.1:8080', ...over },
        silent,
        new AbortController().signal,
      )
      running.add(instance)
      return instance
    },
    stop: async (instance) => {
      running.delete(instance)
      await instance.stop()
    },
    newOrganization: async ({
      recipients = { emails: ['ops@example.org'] },
      settings = AT_ONCE,
      members = [],
      as = 'responder',
      besides = '',
    } = {}) => {
      const organizationId = crypto.randomUUID()
      const partition = partitions.get(besides) ?? partitions.size % PARTITIONS
      partitions.set(organizationId, partition)
      const tenant: TenantRecord = {
        organizationId,
        version: 1,
        slug: `o${partitions.size}`,
        name: `Organization ${partitions.size}`,
        partition,
        settings,
        recipients: { emails: [], slackChannels: [], phoneNumbers: [], ...recipients },
        keys: [],
      }
      await send('tenants', organizationId, tenant)
      for (const subject of members) {
        const access: AccessRecord = {
          subject,
          version: 1,
          operator: false,
          memberships: [{ organizationId, role: as }],
          notBefore: null,
        }
        await send('access', subject, access)
      }
      return organizationId
    },
    deleteOrganization: async (organizationId) => void (await send('tenants', organizationId, null)),
    publish: async (...records) => {
      for (const { type, value } of records) {
        await send('alerts', value.organizationId, value, partitions.get(value.organizationId), { 'tocsin-type': type })
      }
    },
    publishRaw: async (value, headers) => void (await send('alerts', 'x', value, 0, headers)),
    tokenOf: (subject) => issueToken(ring, { subject, ttlSeconds: 600 }),
    entries: async ({ port }, alertId, token, query = '') => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/alerts/${alertId}/notifications${query}`, {
        headers: { authorization: `Bearer ${token}` },
      })
      const body = (await answer.json()) as { items?: NotificationEntry[]; code?: string }
      return { status: answer.status, items: body.items ?? [], code: body.code ?? '' }
    },
    contentOf: async (topic) => {
      const records: KafkaRecord[] = []
      await readToEnd({ kafka, topic, onRecord: (each) => records.push(each) })
      return records
    },
    close: async () => {
      for (const instance of running) await instance.stop()
      await producer.close()
      await kafka.close()
      await adminPool.end()
      await Promise.all([smtp.close(), slack.close(), sms.close()])
      await database.drop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
