import { generateKeyRing, issueToken, type KeyRing } from '@tocsin/access'
import type { AlertFigures, ApiOperation, OrganizationCreated, Role } from '@tocsin/contracts'
import { RetryableError } from '@tocsin/errors'
import { createFailedAttempts, type HttpServer } from '@tocsin/http'
import { createPool, migrate, type Pool, type Query, queryOf } from '@tocsin/postgres'
import { connectRedis, createKeyUse, createTokenBuckets } from '@tocsin/redis'
import { createLogger } from '@tocsin/telemetry'
import { createTestDatabase, type TestDatabase } from '@tocsin/testing'
import { AnswerCache } from '../src/answer-cache.ts'
import { MIGRATIONS, SCHEMA } from '../src/app.ts'
import { createHttpApi } from '../src/http-api.ts'
import { createMetrics } from '../src/metrics.ts'
import { makeOperator } from '../src/operator.ts'
import { FieldCipher } from '../src/protection/field-cipher.ts'
import { applyFigures } from '../src/repositories/alerts.ts'
import { PREPARE_PARTITIONS } from '../src/sql/organization-sql.ts'

export const silent = createLogger('test', 'silent')
export const PARTITIONS = 4
export const OPERATOR = 'operator@localhost'

/** A migrated database with an operator, and the HTTP API on it; no Kafka. */
export interface World {
  readonly database: TestDatabase
  readonly ring: KeyRing
  readonly api: HttpServer
  readonly apiPool: Pool
  readonly workerPool: Pool
  readonly cache: AnswerCache
  /** As superuser, past every policy. */
  readonly admin: Query
  tokenOf(subject: string): Promise<string>
  /** `status`, `body` of a request; `as` is a token, '' for none. */
  ask(method: ApiOperation['method'], url: string, as: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  newOrganization(name: string): Promise<OrganizationCreated & { readonly partition: number }>
  addMember(subject: string, organizationId: string, role: Role): Promise<string>
  addAlert(organizationId: string, over?: Partial<AlertFigures>): Promise<AlertFigures>
  close(): Promise<void>
}
export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly body: any
  readonly headers: Readonly<Record<string, unknown>>
}

export interface WorldOptions {
  readonly apiConnections?: number
  readonly failuresPerMinute?: number
  readonly requestBurst?: number
  /** False: an installation that nobody has set up. */
  readonly operator?: boolean
  /** Without it nothing is remembered, so that a test may change rows behind the API's back. */
  readonly redisUrl?: string
}

/** A template that every test file of this service copies. */
export const TEMPLATE = {
  name: 'persistence',
  prepare: async (urls: TestDatabase['urls']) => {
    await migrate(urls.tocsin_owner, { directory: MIGRATIONS, schema: SCHEMA, log: silent })
  },
}

/** Where nothing listens. */
const NO_REDIS = 'redis://127.0.0.1:1'

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const database = await createTestDatabase(TEMPLATE)
  const ring = await generateKeyRing()
  const apiPool = createPool(database.urls.tocsin_api, { name: 'api', max: options.apiConnections ?? 4, log: silent })
  const workerPool = createPool(database.urls.tocsin_worker, { name: 'worker', max: 4, log: silent })
  const adminPool = createPool(`${database.adminUrl}?options=-c%20search_path%3Dpersistence`, {
    name: 'admin',
    max: 2,
    log: silent,
  })
  await queryOf(workerPool)(PREPARE_PARTITIONS, [PARTITIONS])
  if (options.operator !== false) await makeOperator(workerPool, OPERATOR)
  const cipher = new FieldCipher(apiPool, ring.fields)
  const workerCipher = new FieldCipher(workerPool, ring.fields)
  const store = connectRedis(options.redisUrl ?? NO_REDIS, { name: 'test', log: silent })
  const cache = new AnswerCache(store, cipher)
  const clock = () => performance.now()
  const redis = { isUp: () => false, attempt: () => Promise.reject(new RetryableError('no Redis here')) }
  const api = createHttpApi({
    pool: apiPool,
    cipher,
    cache,
    ring,
    failures: createFailedAttempts({ perMinute: options.failuresPerMinute ?? 1_000_000, clock }),
    requests: createTokenBuckets({
      redis,
      keyPrefix: '',
      rate: { perSecond: options.requestBurst === undefined ? 1_000 : 1, burst: options.requestBurst ?? 1_000_000 },
      clock,
    }),
    keyUse: createKeyUse(redis, Date.now),
    exceptionHits: { of: () => new Map([['x1', 7]]) },
    cluster: { brokers: '127.0.0.1:1', prefix: '' },
    proxies: 'loopback',
    environment: 'development',
    metrics: createMetrics(),
    log: silent,
  })
  const tokenOf = (subject: string) => issueToken(ring, { subject, ttlSeconds: 600 })
  const admin = queryOf(adminPool)
  const ask: World['ask'] = async (method, url, as, body, headers = {}) => {
    const answer = await api.inject({
      method,
      url,
      headers: { ...headers, ...(as === '' ? {} : { authorization: `Bearer ${as}` }) },
      ...(body === undefined ? {} : { payload: body as object }),
    })
    return { status: answer.statusCode, body: bodyOf(answer), headers: answer.headers }
  }
  return {
    database,
    ring,
    api,
    apiPool,
    workerPool,
    admin,
    tokenOf,
    ask,
    newOrganization: async (name) => {
      const { status, body } = await ask('POST', '/api/organizations', await tokenOf(OPERATOR), { name })
      if (status !== 201) throw new Error(`creating ${name} answered ${status}: ${JSON.stringify(body)}`)
      const [row] = await admin<{ partition: number }>('SELECT partition FROM organizations WHERE id = $1', [body.organizationId])
      return { ...body, partition: row?.partition ?? -1 }
    },
    addMember: async (subject, organizationId, role) => {
      await admin('INSERT INTO subjects (subject, version) VALUES ($1, 1) ON CONFLICT DO NOTHING', [subject])
      await admin('INSERT INTO memberships (subject, organization_id, role) VALUES ($1, $2, $3)', [subject, organizationId, role])
      return tokenOf(subject)
    },
    addAlert: async (organizationId, over = {}) => {
      const figures = figuresOf(organizationId, over)
      await workerCipher.load([organizationId])
      await applyFigures(queryOf(workerPool), workerCipher, [figures])
      return figures
    },
    cache,
    close: async () => {
      await api.close()
      await store.close()
      await Promise.all([apiPool.end(), workerPool.end(), adminPool.end()])
      await database.drop()
    },
  }
}

/** Parsed where it is JSON; a stream of lines as its text. */
const bodyOf = ({ body, headers }: { readonly body: string; readonly headers: Readonly<Record<string, unknown>> }): unknown =>
  body === '' ? null : /[/+]json\b/.test(String(headers['content-type'])) ? JSON.parse(body) : body

export const figuresOf = (organizationId: string, over: Partial<AlertFigures> = {}): AlertFigures => ({
  id: crypto.randomUUID(),
  organizationId,
  type: 'SECURITY',
  severity: 'HIGH',
  title: 'Failed sign-ins of ada',
  description: '5 failed sign-ins of ada within 5 minutes.',
  source: 'detector',
  rule: { id: 'tocsin.failed-auth', name: 'Failed authentication', version: 1, hash: 'ab'.repeat(32) },
  pattern: 'FAILED_AUTH',
  group: { principalId: 'ada' },
  window: { from: '2026-03-01T10:00:00.000Z', to: '2026-03-01T10:05:00.000Z', spanMs: 300_000, threshold: 5, value: 5 },
  firstSeen: '2026-03-01T10:00:00.000Z',
  lastSeen: '2026-03-01T10:04:00.000Z',
  count: 5,
  peak: 5,
  revision: 1,
  open: true,
  backfilled: false,
  metadata: { attemptCount: 5 },
  tags: ['attack.t1110'],
  runbook: null,
  correlationId: null,
  createdAt: '2026-03-01T10:04:00.100Z',
  updatedAt: '2026-03-01T10:04:00.100Z',
  evidence: [
    {
      id: 'e1',
      t: '2026-03-01T10:00:00.000Z',
      action: 'auth.login',
      outcome: 'failure',
      ip: '192.0.2.1',
      topic: 'audit.events',
      partition: 1,
      offset: '7',
    },
  ],
  ...over,
})
