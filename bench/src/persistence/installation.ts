/** A database of its own, and the real process of persistence on it. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generateKeyRing, issueToken, type KeyRing } from '@tocsin/access'
import { ALL_TOPICS } from '@tocsin/contracts'
import { createKafka, ensureTopics, type Kafka } from '@tocsin/kafka'
import { createDatabase, type RoleUrls } from '@tocsin/local'
import { createPool, migrate, withConnection } from '@tocsin/postgres'
import { createLogger } from '@tocsin/telemetry'
import { FieldCipher } from '../../../services/persistence/src/protection/field-cipher.ts'
import type { BenchContext } from '../bench.ts'
import { own } from '../child.ts'
import { freePort } from '../free-port.ts'

const SERVICE = fileURLToPath(new URL('../../../services/persistence/', import.meta.url))
const RULES = fileURLToPath(new URL('../../../rules/', import.meta.url))
const READY_LIMIT_MS = 120_000
const ASK_EVERY_MS = 100
const KIB_IN_MIB = 1_024

export class Installation {
  readonly kafka: Kafka
  readonly urls: RoleUrls
  readonly ring: KeyRing
  /** A superuser's connection, with the schema's tables in reach. */
  readonly adminUrl: string
  readonly #context: BenchContext
  readonly #prefix: string
  readonly #folder: string

  private constructor(context: BenchContext, urls: RoleUrls, ring: KeyRing, prefix: string, database: string) {
    this.#context = context
    this.#prefix = prefix
    this.urls = urls
    this.ring = ring
    const log = createLogger('bench', 'error')
    this.kafka = createKafka({ brokers: context.brokers, clientId: 'bench', prefix, log })
    const admin = new URL(context.databaseAdminUrl)
    admin.pathname = `/${database}`
    this.adminUrl = `${admin.href}?options=-c%20search_path%3Dpersistence`
    this.#folder = mkdtempSync(join(context.local, 'persistence-'))
    writeFileSync(join(this.#folder, 'keys.json'), JSON.stringify(ring), { mode: 0o600 })
  }

  /** Migrated, with topics, and empty. */
  static async create(context: BenchContext): Promise<Installation> {
    const name = `bench_${randomBytes(4).toString('hex')}`
    const urls = await createDatabase(context.databaseAdminUrl, name)
    const log = createLogger('bench', 'error')
    await migrate(urls.tocsin_owner, { directory: join(SERVICE, 'migrations'), schema: 'persistence', log })
    const made = new Installation(context, urls, await generateKeyRing(), `${name.replace('_', '-')}-`, name)
    await ensureTopics(made.kafka, ALL_TOPICS, { partitions: 4, replication: 1 })
    return made
  }

  /** Seals as the service does. */
  async withCipher<T>(work: (cipher: FieldCipher) => Promise<T>): Promise<T> {
    const pool = createPool(this.urls.tocsin_worker, { name: 'bench', max: 1, log: createLogger('bench', 'error') })
    try {
      return await work(new FieldCipher(pool, this.ring.fields))
    } finally {
      await pool.end()
    }
  }

  token(subject: string): Promise<string> {
    return issueToken(this.ring, { subject, ttlSeconds: 86_400 })
  }

  /** Resolves when it is ready. */
  async start(): Promise<PersistenceProcess> {
    const [port, metricsPort] = [await freePort(), await freePort()]
    const child = own(
      spawn(process.execPath, [join(SERVICE, 'src/main.ts')], {
        env: {
          PATH: process.env['PATH'] ?? '',
          TOCSIN_ENV: 'development',
          KAFKA_BROKERS: this.#context.brokers,
          KAFKA_TOPIC_PREFIX: this.#prefix,
          KAFKA_PARTITIONS: '4',
          OWNER_DATABASE_URL: this.urls.tocsin_owner,
          API_DATABASE_URL: this.urls.tocsin_api,
          WORKER_DATABASE_URL: this.urls.tocsin_worker,
          REDIS_URL: this.#context.redisUrl,
          KEYS_FILE: join(this.#folder, 'keys.json'),
          RULES_DIR: RULES,
          PUBLIC_URL: `http://127.0.0.1:${port}`,
          PORT: String(port),
          METRICS_PORT: String(metricsPort),
          // Of one subject, as fast as it can.
          API_REQUESTS_PER_MINUTE: '1000000',
          LOG_LEVEL: 'error',
        },
        stdio: ['ignore', 'inherit', 'inherit'],
      }),
    )
    const ended = once(child, 'exit')
    const until = performance.now() + READY_LIMIT_MS
    while (!(await isReady(metricsPort))) {
      if (performance.now() > until || child.exitCode !== null) throw new Error('persistence did not become ready')
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
    }
    return {
      url: `http://127.0.0.1:${port}`,
      residentMiB: () => residentMiBOf(child.pid ?? 0),
      stop: async () => {
        child.kill('SIGTERM')
        await ended
      },
    }
  }

  /** Removes the database: millions of rows. */
  async close(): Promise<void> {
    await this.kafka.close()
    rmSync(this.#folder, { recursive: true, force: true })
    const { pathname } = new URL(this.adminUrl)
    await withConnection(this.#context.databaseAdminUrl, (queries) => queries(`DROP DATABASE ${pathname.slice(1)} WITH (FORCE)`))
  }
}

export interface PersistenceProcess {
  readonly url: string
  /** Resident memory now (Linux). */
  residentMiB(): number
  stop(): Promise<void>
}

const isReady = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/health/ready`).then(
    async (answer) => {
      await answer.body?.cancel()
      return answer.status === 200
    },
    () => false,
  )

const residentMiBOf = (pid: number): number =>
  Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / KIB_IN_MIB
