import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyRing, issueToken, type KeyRing } from '@tocsin/access'
import { loadConfig } from '@tocsin/config'
import {
  type AccessRecord,
  ALL_TOPICS,
  type Alert,
  HEADERS,
  type SocketMessage,
  type TenantRecord,
  TOPICS,
} from '@tocsin/contracts'
import { createKafka, createProducer, ensureTopics, type Kafka, type Producer } from '@tocsin/kafka'
import { createLogger } from '@tocsin/telemetry'
import { testInfrastructure, uniquePrefix, waitFor } from '@tocsin/testing'
import Fastify, { type FastifyInstance } from 'fastify'
import { WebSocket } from 'ws'
import { createGateway, type Gateway } from '../src/app.ts'
import { GatewayConfig } from '../src/config.ts'
import type { AlertRecord } from '../src/stream/alert-record.ts'

const log = createLogger('gateway-test', process.env['LOG_LEVEL'] ?? 'silent')
export const PARTITIONS = 2
/** A port nobody listens on: persistence and the others are away unless a test gives an address. */
const AWAY = 'http://127.0.0.1:9'
export const PUBLIC_URL = 'http://localhost:7777'

export interface Organization {
  readonly organizationId: string
  readonly partition: number
}

/** Topics, keys and a dashboard folder of a small installation; gateways are started on it. */
export interface World {
  readonly ring: KeyRing
  readonly kafka: Kafka
  readonly producer: Producer
  readonly prefix: string
  start(over?: Readonly<Record<string, string>>): Promise<Gateway>
  newOrganization(partition: number): Promise<Organization>
  grant(subject: string, organizations: readonly Organization[], more?: Partial<AccessRecord>): Promise<void>
  token(subject: string, ttlSeconds?: number): Promise<string>
  publish(organization: Organization, records: readonly AlertRecord[]): Promise<void>
  close(): Promise<void>
}

export async function createWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-gateway-'))
  const ring = await generateKeyRing()
  await writeFile(join(folder, 'keys.json'), JSON.stringify(ring), { mode: 0o600 })
  await mkdir(join(folder, 'dist/assets'), { recursive: true })
  await writeFile(join(folder, 'dist/index.html'), '<!doctype html><title>Tocsin</title>')
  await writeFile(join(folder, 'dist/assets/index-abc123.js'), 'export {}')
  const { kafkaBrokers, redisUrl } = testInfrastructure()
  const prefix = uniquePrefix('g')
  const kafka = createKafka({ brokers: kafkaBrokers, clientId: 'gateway-test', prefix, log })
  await ensureTopics(kafka, ALL_TOPICS, { partitions: PARTITIONS, replication: 1 })
  const producer = createProducer(kafka)
  const running = new Set<Gateway>()
  const versions = new Map<string, number>()

  return {
    ring,
    kafka,
    producer,
    prefix,
    start: async (over = {}) => {
      const config = loadConfig(GatewayConfig, {
        TOCSIN_ENV: 'development',
        KAFKA_BROKERS: kafkaBrokers,
        KAFKA_TOPIC_PREFIX: prefix,
        INGEST_URL: AWAY,
        PERSISTENCE_URL: AWAY,
        NOTIFIER_URL: AWAY,
        REDIS_URL: redisUrl,
        KEYS_FILE: join(folder, 'keys.json'),
        DASHBOARD_DIR: join(folder, 'dist'),
        PUBLIC_URL,
        SIGN_INS_PER_MINUTE: '1000',
        ACCOUNT_SIGN_INS_PER_MINUTE: '1000',
        ...over,
      })
      const gateway = await createGateway(config, { log })
      running.add(gateway)
      await gateway.ready
      const { stop } = gateway
      return Object.assign(gateway, {
        stop: async () => {
          if (running.delete(gateway)) await stop()
        },
      })
    },
    newOrganization: async (partition) => {
      const organizationId = randomUUID()
      const tenant: TenantRecord = {
        organizationId,
        version: 1,
        slug: `o-${organizationId.slice(0, 8)}`,
        name: 'Test',
        partition,
        settings: {},
        recipients: { emails: [], slackChannels: [], phoneNumbers: [] },
        keys: [],
      }
      await producer.send([{ topic: TOPICS.tenants.name, partition: 0, key: organizationId, value: JSON.stringify(tenant) }])
      return { organizationId, partition }
    },
    grant: async (subject, organizations, more = {}) => {
      const version = (versions.get(subject) ?? 0) + 1
      versions.set(subject, version)
      const record: AccessRecord = {
        subject,
        version,
        operator: false,
        memberships: organizations.map(({ organizationId }) => ({ organizationId, role: 'responder' })),
        notBefore: null,
        ...more,
      }
      await producer.send([{ topic: TOPICS.access.name, partition: 0, key: subject, value: JSON.stringify(record) }])
    },
    token: (subject, ttlSeconds = 3600) => issueToken(ring, { subject, ttlSeconds }),
    publish: async ({ organizationId, partition }, records) => {
      await producer.send(
        records.map((record) => ({
          topic: TOPICS.alerts.name,
          partition,
          key: organizationId,
          headers: { [HEADERS.type]: record.type },
          value: JSON.stringify({
            ...(record.half === 'figures' ? record.figures : record.half === 'status' ? record.change : record.erased),
            organizationId,
          }),
        })),
      )
    },
    close: async () => {
      for (const gateway of running) await gateway.stop()
      await producer.close()
      await kafka.close()
      await rm(folder, { recursive: true })
    },
  }
}

type Frame = SocketMessage & { readonly alert?: Partial<Alert>; readonly cursor?: string; readonly partial?: true }

/** A client that keeps every frame. */
export class Client {
  readonly frames: Frame[] = []
  readonly socket: WebSocket
  closed: { readonly code: number; readonly reason: string } | null = null
  /** HTTP status of a refused handshake. */
  refused: number | null = null

  constructor(gateway: { readonly port: number }, protocols: readonly string[], headers: Readonly<Record<string, string>> = {}) {
    this.socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`, [...protocols], { headers })
    this.socket.on('message', (data) => this.frames.push(JSON.parse(String(data)) as Frame))
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) }
    })
    this.socket.on('unexpected-response', (request, response) => {
      this.refused = response.statusCode ?? 0
      request.destroy()
    })
    this.socket.on('error', () => {})
  }

  static withToken(gateway: { readonly port: number }, token: string): Client {
    return new Client(gateway, ['tocsin.v1', `bearer.${token}`])
  }

  async subscribe(organization: { readonly organizationId: string }, more: object = {}): Promise<void> {
    await this.waitFor((frames) => frames.some((frame) => frame.type === 'hello'), 'hello')
    const answers = this.#answers()
    this.socket.send(JSON.stringify({ type: 'subscribe', organizationId: organization.organizationId, ...more }))
    await this.waitFor(() => this.#answers() > answers || this.closed !== null, 'the answer to subscribe')
  }

  #answers(): number {
    return this.frames.filter((frame) => frame.type === 'subscribed' || frame.type === 'error').length
  }

  waitFor(condition: (frames: readonly Frame[]) => unknown, what: string, limitMs = 15_000): Promise<unknown> {
    return waitFor(() => (condition(this.frames) ? true : undefined), { limitMs, what })
  }

  waitForEnd(limitMs = 15_000): Promise<unknown> {
    return waitFor(() => this.closed ?? this.refused ?? undefined, { limitMs, what: 'the end of the socket' })
  }

  /** Frames about alerts. */
  changes(): readonly Frame[] {
    return this.frames.filter((frame) => /^(alert_|bulk_)/.test(frame.type))
  }

  ids(): readonly string[] {
    return this.changes().map((frame) => frame.alert?.id ?? ('alertId' in frame ? frame.alertId : ''))
  }

  close(): void {
    this.socket.terminate()
  }
}

/** An HTTP service of the test's own, in the place of ingest, persistence or the notifier. */
export async function service(build: (app: FastifyInstance) => void): Promise<{ readonly url: string; close(): Promise<void> }> {
  const app = Fastify({ bodyLimit: 64 * 1_048_576, forceCloseConnections: true })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  build(app)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { url, close: () => app.close() }
}
