import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDatabase, databaseUrl, type RoleUrls, startInfrastructure } from '@tocsin/local'
import { testInfrastructure } from './infrastructure.ts'

/** A PostgreSQL server of the test's own, to be stopped and started; Kafka and Redis stay the shared ones. */
export interface OwnPostgres {
  /** A database `tocsin` with roles and schemas, and no tables yet. */
  readonly urls: RoleUrls
  readonly adminUrl: string
  /** Ends the server as a shutdown does; its data stay. */
  readonly stop: () => Promise<void>
  /** Ends it as `pg_ctl stop -m immediate` does: no connection is told, and the next start recovers. It starts again by itself. */
  readonly crash: () => void
  /** On the same port and data; resolves when it answers. */
  readonly start: () => Promise<void>
  /** Ends it for good and removes its data. */
  readonly close: () => Promise<void>
}

export async function startOwnPostgres(): Promise<OwnPostgres> {
  const dir = await mkdtemp(join(tmpdir(), 'tocsin-own-postgres-'))
  const { kafkaBrokers, redisUrl } = testInfrastructure()
  const env = { KAFKA_BROKERS: kafkaBrokers, REDIS_URL: redisUrl }
  const own = await startInfrastructure({ dir, durable: false, env, say: () => {}, temporary: true })
  const close = async () => {
    await own.stop()
    await rm(dir, { recursive: true, force: true })
  }
  const server = own.processes.get('postgres')
  if (server === undefined) {
    await close()
    throw new Error('no PostgreSQL was started')
  }
  const urls = await createDatabase(own.databaseAdminUrl, 'tocsin')
  return {
    urls,
    adminUrl: databaseUrl(own.databaseAdminUrl, 'tocsin'),
    stop: () => server.stop(),
    crash: () => server.kill('SIGQUIT'),
    start: () => server.start(),
    close,
  }
}
