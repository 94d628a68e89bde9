import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startInfrastructure } from '@tocsin/local'
import { testInfrastructure } from './infrastructure.ts'

/** A Kafka or Redis of the test's own, to be stopped and started; everything else stays the shared one. */
export interface OwnServer {
  /** Kafka: host:port. Redis: URL. */
  readonly address: string
  /** Ends the server as a shutdown does; its data stay. */
  readonly stop: () => Promise<void>
  /** On the same port and data; resolves when it answers. */
  readonly start: () => Promise<void>
  /** Ends it for good and removes its data. */
  /** For instance SIGSTOP and SIGCONT: a server that hangs keeps its connections open. */
  readonly signal: (name: NodeJS.Signals) => void
  readonly close: () => Promise<void>
}

export async function startOwnServer(which: 'kafka' | 'redis'): Promise<OwnServer> {
  const dir = await mkdtemp(join(tmpdir(), `tocsin-own-${which}-`))
  const { kafkaBrokers, databaseAdminUrl, redisUrl } = testInfrastructure()
  const env = {
    DATABASE_URL: databaseAdminUrl,
    ...(which === 'kafka' ? { REDIS_URL: redisUrl } : { KAFKA_BROKERS: kafkaBrokers }),
  }
  const own = await startInfrastructure({ dir, durable: false, env, say: () => {}, temporary: true })
  const close = async () => {
    await own.stop()
    await rm(dir, { recursive: true, force: true })
  }
  const server = own.processes.get(which)
  if (server === undefined) {
    await close()
    throw new Error(`a ${which} that a test may stop and start is a native process, which needs a JDK 17 or later`)
  }
  const address = which === 'kafka' ? own.kafkaBrokers : own.redisUrl
  return { address, stop: () => server.stop(), start: () => server.start(), signal: (name) => server.kill(name), close }
}
