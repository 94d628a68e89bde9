/**
 * Kafka, PostgreSQL and Redis for a start or a test run: each one taken from the environment where its address is given there,
 * else started as a native process.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { databaseAnswers } from '@tocsin/postgres'
import { resolveJars } from './jars.ts'
import { prepareKafka } from './kafka.ts'
import { CACHE, LOCAL } from './places.ts'
import { choosePorts } from './ports.ts'
import { preparePostgres, removeOutsidePlace, SUPERUSER } from './postgres.ts'
import { prepareRedis, redisFromJars, systemRedis } from './redis.ts'
import { type SupervisedEvents, SupervisedProcess } from './supervised-process.ts'

export interface InfrastructureOptions {
  /** Holds data, logs, ports and passwords of this one. */
  readonly dir: string
  /** Jars and binaries, shared by all. */
  readonly cache: string
  readonly durable: boolean
  readonly events: SupervisedEvents
  readonly env: NodeJS.ProcessEnv
}

export interface RunningInfrastructure {
  readonly kafkaBrokers: string
  readonly databaseAdminUrl: string
  readonly redisUrl: string
  /** The native processes, by name; what the environment gave is not among them. */
  readonly processes: ReadonlyMap<string, SupervisedProcess>
  readonly stop: () => Promise<void>
}

/** Resolves when all three answer. Where one cannot be started, what was started already is stopped again. */
export async function startInfrastructure(options: InfrastructureOptions): Promise<RunningInfrastructure> {
  const { dir, env, events } = options
  mkdirSync(dir, { recursive: true })
  // PostgreSQL's own user must be able to pass through.
  chmodSync(dir, 0o711)
  const ports = await choosePorts(['kafka', 'kafkaController', 'postgres', 'redis'], join(dir, 'ports.json'))
  const secrets = readOrMakeSecrets(join(dir, 'secrets.json'))
  const processes = new Map<string, SupervisedProcess>()
  const log = (name: string) => join(dir, 'logs', `${name}.log`)
  let jars: Promise<string> | undefined
  const libs = () => {
    jars ??= resolveJars(options.cache, events.say)
    return jars
  }

  const kafka = async () => {
    if (env['KAFKA_BROKERS']) return env['KAFKA_BROKERS']
    const spec = await prepareKafka({
      dir: join(dir, 'kafka'),
      libs: await libs(),
      logFile: log('kafka'),
      port: ports.kafka,
      controllerPort: ports.kafkaController,
      durable: options.durable,
    })
    await begin(new SupervisedProcess(spec, events), processes)
    return `127.0.0.1:${ports.kafka}`
  }
  const postgres = async () => {
    if (env['DATABASE_URL']) return env['DATABASE_URL']
    const url = `postgres://${SUPERUSER}:${secrets.postgres}@127.0.0.1:${ports.postgres}/postgres`
    const spec = preparePostgres({
      dir: join(dir, 'postgres'),
      logFile: log('postgres'),
      port: ports.postgres,
      password: secrets.postgres,
      durable: options.durable,
      ready: () => databaseAnswers(url),
    })
    await begin(new SupervisedProcess(spec, events), processes)
    return url
  }
  const redis = async () => {
    if (env['REDIS_URL']) return env['REDIS_URL']
    const binary = systemRedis() ?? redisFromJars(await libs(), options.cache)
    const { redis: password } = secrets
    const spec = prepareRedis({
      dir: join(dir, 'redis'),
      binary,
      logFile: log('redis'),
      port: ports.redis,
      password,
      durable: options.durable,
    })
    await begin(new SupervisedProcess(spec, events), processes)
    return `redis://:${password}@127.0.0.1:${ports.redis}`
  }

  const stop = async () => {
    await Promise.all([...processes.values()].map((each) => each.stop()))
  }
  const [brokers, database, cache] = await Promise.allSettled([kafka(), postgres(), redis()])
  if (brokers.status === 'rejected' || database.status === 'rejected' || cache.status === 'rejected') {
    await stop()
    for (const result of [brokers, database, cache]) if (result.status === 'rejected') throw result.reason
    throw new Error('unreachable')
  }
  return { kafkaBrokers: brokers.value, databaseAdminUrl: database.value, redisUrl: cache.value, processes, stop }
}

/** Infrastructure for one test run in a folder of its own, which is removed at its end. */
export async function startTestInfrastructure(): Promise<RunningInfrastructure> {
  mkdirSync(LOCAL, { recursive: true })
  const dir = mkdtempSync(join(LOCAL, 'test-'))
  const remove = () => {
    removeOutsidePlace(join(dir, 'postgres'))
    rmSync(dir, { recursive: true, force: true })
  }
  const events = { say: (line: string) => console.error(line) }
  const running = await startInfrastructure({ dir, cache: CACHE, durable: false, events, env: process.env }).catch((error) => {
    remove()
    throw error
  })
  return { ...running, stop: () => running.stop().then(remove) }
}

async function begin(process: SupervisedProcess, processes: Map<string, SupervisedProcess>): Promise<void> {
  processes.set(process.spec.name, process)
  await process.start()
}

interface Secrets {
  readonly postgres: string
  readonly redis: string
}

function readOrMakeSecrets(file: string): Secrets {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Secrets
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const made = { postgres: randomBytes(18).toString('base64url'), redis: randomBytes(18).toString('base64url') }
    writeFileSync(file, JSON.stringify(made), { mode: 0o600 })
    return made
  }
}
