import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyRing, issueToken, type KeyRing } from '@tocsin/access'
import { loadConfig } from '@tocsin/config'
import type { AlertFigures, AlertRecordType, OrganizationCreated } from '@tocsin/contracts'
import { createKafka, createProducer, type Kafka, type KafkaRecord, type Producer, readToEnd } from '@tocsin/kafka'
import { createPool, type Query, queryOf } from '@tocsin/postgres'
import { createTestDatabase, testInfrastructure, uniquePrefix } from '@tocsin/testing'
import { startPersistence } from '../src/app.ts'
import { PersistenceConfig } from '../src/config.ts'
import { OPERATOR, silent, TEMPLATE } from './world.ts'

export type Instance = Awaited<ReturnType<typeof startPersistence>>

/** Database, topics, keys and rules of a small installation; instances of the service are started on it. */
export interface StreamWorld {
  readonly env: NodeJS.ProcessEnv
  readonly config: PersistenceConfig
  readonly ring: KeyRing
  readonly kafka: Kafka
  readonly producer: Producer
  readonly rulesDir: string
  /** As superuser, past every policy. */
  readonly admin: Query
  start(over?: Partial<PersistenceConfig>): Promise<Instance>
  stop(instance: Instance): Promise<void>
  ask(
    instance: { readonly port: number },
    method: string,
    path: string,
    token: string,
    body?: unknown,
  ): Promise<{ status: number; body: Record<string, never> }>
  newOrganization(
    instance: { readonly port: number },
    name: string,
  ): Promise<OrganizationCreated & { readonly partition: number }>
  publish(
    partition: number,
    records: readonly { readonly type: AlertRecordType | string; readonly value: unknown }[],
  ): Promise<bigint[]>
  contentOf(topic: string): Promise<KafkaRecord[]>
  close(): Promise<void>
}

export const PARTITIONS = 2
export const RULE = `title: Failed sign-ins
name: failed_sign_ins
logsource:
  category: authentication
detection:
  selection:
    action: auth.login
  condition: selection
level: high
`

export async function createStreamWorld(
  urls?: Awaited<ReturnType<typeof createTestDatabase>>['urls'],
  adminUrl?: string,
): Promise<StreamWorld> {
  const database = urls === undefined ? await createTestDatabase(TEMPLATE) : null
  const databaseUrls = database?.urls ?? urls
  if (databaseUrls === undefined) throw new Error('no database')
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-persistence-'))
  const rulesDir = await mkdtemp(join(folder, 'rules-'))
  await writeFile(join(rulesDir, 'failed-auth.yml'), RULE)
  const ring = await generateKeyRing()
  await writeFile(join(folder, 'keys.json'), JSON.stringify(ring), { mode: 0o600 })
  const prefix = uniquePrefix('p')
  const env = {
    TOCSIN_ENV: 'development',
    LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'silent',
    KAFKA_BROKERS: testInfrastructure().kafkaBrokers,
    KAFKA_TOPIC_PREFIX: prefix,
    KAFKA_PARTITIONS: String(PARTITIONS),
    OWNER_DATABASE_URL: databaseUrls.tocsin_owner,
    API_DATABASE_URL: databaseUrls.tocsin_api,
    WORKER_DATABASE_URL: databaseUrls.tocsin_worker,
    REDIS_URL: testInfrastructure().redisUrl,
    // Tests ask as fast as they can.
    API_REQUESTS_PER_MINUTE: '1000000',
    KEYS_FILE: join(folder, 'keys.json'),
    RULES_DIR: rulesDir,
    OPERATOR_SUBJECT: OPERATOR,
  }
  const config = loadConfig(PersistenceConfig, env)
  const kafka = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'test', prefix, log: silent })
  const producer = createProducer(kafka)
  const adminPool = createPool(`${database?.adminUrl ?? adminUrl}?options=-c%20search_path%3Dpersistence`, {
    name: 'admin',
    max: 2,
    log: silent,
  })
  const admin = queryOf(adminPool)
  const running = new Set<Instance>()
  const ask: StreamWorld['ask'] = async ({ port }, method, path, token, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: answer.status, body: (await answer.json()) as Record<string, never> }
  }
  return {
    env,
    config,
    ring,
    kafka,
    producer,
    rulesDir,
    admin,
    ask,
    start: async (over = {}) => {
      const instance = await startPersistence({ ...config, ...over }, silent, new AbortController().signal)
      running.add(instance)
      return instance
    },
    stop: async (instance) => {
      running.delete(instance)
      await instance.stop()
    },
    newOrganization: async (instance, name) => {
      const operator = await issueToken(ring, { subject: OPERATOR, ttlSeconds: 600 })
      const { status, body } = await ask(instance, 'POST', '/api/organizations', operator, { name })
      if (status !== 201) throw new Error(`creating ${name} answered ${status}: ${JSON.stringify(body)}`)
      const created = body as unknown as OrganizationCreated
      const [row] = await admin<{ partition: number }>('SELECT partition FROM organizations WHERE id = $1', [
        created.organizationId,
      ])
      return { ...created, partition: row?.partition ?? -1 }
    },
    publish: async (partition, records) => {
      const places = await producer.send(
        records.map(({ type, value }) => ({
          topic: 'alerts',
          partition,
          key: (value as Partial<AlertFigures> | null)?.organizationId ?? 'x',
          value: typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value),
          headers: type === '' ? {} : { 'tocsin-type': type },
        })),
      )
      return places.map((place) => place.offset)
    },
    contentOf: async (topic) => {
      const records: KafkaRecord[] = []
      await readToEnd({ kafka, topic, onRecord: (record) => records.push(record) })
      return records
    },
    close: async () => {
      await Promise.all([...running].map((instance) => instance.stop()))
      await producer.close()
      await kafka.close()
      await adminPool.end()
      await database?.drop()
      await rm(folder, { recursive: true })
    },
  }
}
