/**
 * Kafka, PostgreSQL and Redis in containers, by docker-compose.yml: for `npm start` where Java is missing, for tests (through
 * testcontainers) where the images are there already. The Docker daemon keeps the containers running, so nothing is supervised.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { databaseAnswers } from '@tocsin/postgres'
import { LocalFault } from './local-fault.ts'
import { CHECKOUT } from './places.ts'
import { SUPERUSER } from './postgres.ts'
import { kafkaAnswers, redisAnswers } from './probes.ts'
import { waitUntil } from './waiting.ts'

const COMPOSE_FILE = 'docker-compose.yml'
const IMAGES = ['apache/kafka:4.3.1', 'postgres:18', 'redis:7']
const DAEMON_LIMIT_MS = 10_000
const READY_LIMIT_MS = 120_000

export interface ContainerOptions {
  readonly dir: string
  readonly ports: { readonly kafka: number; readonly postgres: number; readonly redis: number }
  readonly passwords: { readonly postgres: string; readonly redis: string }
  readonly say: (line: string) => void
  /** For tests: containers and their data are removed at the end. */
  readonly temporary: boolean
  readonly signal: AbortSignal
}

export interface Containers {
  readonly kafkaBrokers: string
  readonly databaseAdminUrl: string
  readonly redisUrl: string
  readonly stop: () => Promise<void>
}

export function dockerAnswers(): boolean {
  return spawnSync('docker', ['info'], { stdio: 'ignore', timeout: DAEMON_LIMIT_MS }).status === 0
}

export function imagesAreThere(): boolean {
  return spawnSync('docker', ['image', 'inspect', ...IMAGES], { stdio: 'ignore', timeout: DAEMON_LIMIT_MS }).status === 0
}

/** Starts the containers and resolves when all three answer. */
export async function startContainers(options: ContainerOptions): Promise<Containers> {
  const { ports, passwords, say } = options
  say('starting Kafka, PostgreSQL and Redis in containers')
  const settings = {
    KAFKA_PORT: String(ports.kafka),
    POSTGRES_PORT: String(ports.postgres),
    POSTGRES_PASSWORD: passwords.postgres,
    REDIS_PORT: String(ports.redis),
    REDIS_PASSWORD: passwords.redis,
  }
  const project = `tocsin-${createHash('sha256').update(options.dir).digest('hex').slice(0, 12)}`
  const stop = options.temporary ? await upForTests(project, settings) : await up(project, settings, options.signal)
  const databaseAdminUrl = `postgres://${SUPERUSER}:${passwords.postgres}@127.0.0.1:${ports.postgres}/postgres`
  const host = '127.0.0.1'
  const patience = { limitMs: READY_LIMIT_MS, givenUp: () => (options.signal.aborted ? new Error('told to stop') : undefined) }
  try {
    await waitUntil(() => kafkaAnswers({ host, port: ports.kafka }), { ...patience, what: 'Kafka to answer' })
    await waitUntil(() => databaseAnswers(databaseAdminUrl), { ...patience, what: 'PostgreSQL to answer' })
    await waitUntil(() => redisAnswers({ host, port: ports.redis }, passwords.redis), { ...patience, what: 'Redis to answer' })
  } catch (error) {
    await stop()
    throw error
  }
  const redisUrl = `redis://:${passwords.redis}@127.0.0.1:${ports.redis}`
  return { kafkaBrokers: `127.0.0.1:${ports.kafka}`, databaseAdminUrl, redisUrl, stop }
}

async function up(project: string, settings: Record<string, string>, signal: AbortSignal): Promise<() => Promise<void>> {
  const compose = (args: readonly string[], options: { signal?: AbortSignal } = {}) =>
    new Promise<void>((resolve, reject) => {
      const child = spawn('docker', ['compose', '-p', project, '-f', join(CHECKOUT, COMPOSE_FILE), ...args], {
        ...options,
        env: { ...process.env, ...settings },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      child.once('error', reject)
      child.once('exit', (code) => (code === 0 ? resolve() : reject(new LocalFault(`docker compose ${args[0]} failed`))))
    })
  await compose(['up', '--detach'], { signal })
  return () => compose(['stop', '--timeout', '6'])
}

async function upForTests(project: string, settings: Record<string, string>): Promise<() => Promise<void>> {
  const { DockerComposeEnvironment, Wait } = await import('testcontainers')
  const environment = await new DockerComposeEnvironment(CHECKOUT, COMPOSE_FILE)
    .withProjectName(project)
    .withEnvironment(settings)
    .withDefaultWaitStrategy(Wait.forListeningPorts())
    .up()
  return async () => {
    await environment.down({ removeVolumes: true })
  }
}
