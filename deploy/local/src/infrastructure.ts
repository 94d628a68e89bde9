/**
 * Kafka, PostgreSQL and Redis for a start or a test run: each one taken from the environment where its address is given there,
 * else started as a native process, or, where that is the better or only way, in a container.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { databaseAnswers } from '@tocsin/postgres'
import { dockerAnswers, imagesAreThere, startContainers } from './containers.ts'
import { resolveJars } from './jars.ts'
import { prepareKafka } from './kafka.ts'
import { CACHE, LOCAL } from './places.ts'
import { choosePorts } from './ports.ts'
import { preparePostgres, removeOutsidePlace, SUPERUSER } from './postgres.ts'
import { endLeftovers, ProcessRegister } from './process-register.ts'
import { prepareRedis, redisFromJars, systemRedis } from './redis.ts'
import { type ProcessSpec, SupervisedProcess, type Supervision } from './supervised-process.ts'

const OLDEST_JAVA = 17

export interface InfrastructureOptions {
  /** Holds data, logs, ports and passwords of this one. */
  readonly dir: string
  /** Jars and binaries, shared by all; the checkout's own by default. */
  readonly cache?: string
  /** False only for tests: a crash of the machine may then lose what was acknowledged. */
  readonly durable: boolean
  /** Addresses that are given (KAFKA_BROKERS, DATABASE_URL, REDIS_URL), each on its own. */
  readonly env: NodeJS.ProcessEnv
  /** One line for the person at the terminal. */
  readonly say: (line: string) => void
  /** Aborting it ends a start that is under way. */
  readonly signal?: AbortSignal
  /** `dir` is removed at the end, also when the launcher dies without stopping this. */
  readonly temporary?: boolean
  /** Containers also where Java is there, if the images are: for callers that stop and kill none of the three. */
  readonly preferContainers?: boolean
}

export interface RunningInfrastructure {
  /** host:port, comma separated. */
  readonly kafkaBrokers: string
  /** A connection that may create roles and databases. */
  readonly databaseAdminUrl: string
  readonly redisUrl: string
  /** The native processes, by name; what the environment gave is not among them. */
  readonly processes: ReadonlyMap<string, SupervisedProcess>
  /** For further processes that belong to it. */
  readonly supervision: Supervision
  readonly stop: () => Promise<void>
}

/** Resolves when all three answer. Where one cannot be started, what was started already is stopped again. */
export async function startInfrastructure(options: InfrastructureOptions): Promise<RunningInfrastructure> {
  const { dir, env, say } = options
  const cache = options.cache ?? CACHE
  mkdirSync(dir, { recursive: true })
  // PostgreSQL's own user must be able to pass through.
  chmodSync(dir, 0o711)
  const register = new ProcessRegister(join(dir, 'processes.json'))
  const left = await endLeftovers(register.file)
  if (left > 0) say(`ended ${left} processes that an earlier start had left`)
  const stopping = new AbortController()
  const supervision: Supervision = {
    say,
    signal: options.signal ? AbortSignal.any([options.signal, stopping.signal]) : stopping.signal,
    started: (spec, pid) => register.add(spec.name, pid, { port: spec.port, log: spec.logFile }),
    ended: (spec, pid) => register.remove(spec.name, pid),
  }
  register.startWarden(options.temporary ? dir : undefined)
  const ports = await choosePorts(['kafka', 'kafkaController', 'postgres', 'redis'], join(dir, 'ports.json'))
  const secrets = readOrMakeSecrets(join(dir, 'secrets.json'))
  const processes = new Map<string, SupervisedProcess>()
  const begin = async (spec: ProcessSpec) => {
    const started = new SupervisedProcess(spec, supervision)
    processes.set(spec.name, started)
    await started.start()
  }
  const log = (name: string) => join(dir, 'logs', `${name}.log`)
  const given = { kafka: env['KAFKA_BROKERS'], database: env['DATABASE_URL'], redis: env['REDIS_URL'] }
  const inContainers = !given.kafka && wantsContainers(options.preferContainers ?? false)
  const containers = inContainers
    ? startContainers({
        dir,
        ports,
        passwords: secrets,
        say,
        temporary: options.temporary ?? false,
        signal: supervision.signal,
      })
    : undefined
  let jars: Promise<string> | undefined
  const libs = () => {
    jars ??= resolveJars(cache, supervision)
    return jars
  }

  const kafka = async () => {
    if (given.kafka) return given.kafka
    if (containers !== undefined) return (await containers).kafkaBrokers
    const spec = await prepareKafka({
      dir: join(dir, 'kafka'),
      libs: await libs(),
      logFile: log('kafka'),
      port: ports.kafka,
      controllerPort: ports.kafkaController,
      durable: options.durable,
    })
    await begin(spec)
    return `127.0.0.1:${ports.kafka}`
  }
  const postgres = async () => {
    if (given.database) return given.database
    if (containers !== undefined) return (await containers).databaseAdminUrl
    const url = `postgres://${SUPERUSER}:${secrets.postgres}@127.0.0.1:${ports.postgres}/postgres`
    const spec = preparePostgres({
      dir: join(dir, 'postgres'),
      logFile: log('postgres'),
      port: ports.postgres,
      password: secrets.postgres,
      durable: options.durable,
      ready: () => databaseAnswers(url),
    })
    await begin(spec)
    return url
  }
  const redis = async () => {
    if (given.redis) return given.redis
    if (containers !== undefined) return (await containers).redisUrl
    const binary = systemRedis() ?? redisFromJars(await libs(), cache)
    const { redis: password } = secrets
    const spec = prepareRedis({
      dir: join(dir, 'redis'),
      binary,
      logFile: log('redis'),
      port: ports.redis,
      password,
      durable: options.durable,
    })
    await begin(spec)
    return `redis://:${password}@127.0.0.1:${ports.redis}`
  }

  const stop = async () => {
    stopping.abort()
    await Promise.all([...processes.values()].map((each) => each.stop()))
    // One that could not be started has removed itself.
    const started = await containers?.catch(() => undefined)
    await started?.stop()
    await register.close()
    if (!options.temporary) return
    removeOutsidePlace(join(dir, 'postgres'))
    rmSync(dir, { recursive: true, force: true })
  }
  const results = await Promise.allSettled([kafka(), postgres(), redis()])
  const [brokers, database, store] = results
  if (brokers.status === 'fulfilled' && database.status === 'fulfilled' && store.status === 'fulfilled') {
    const addresses = { kafkaBrokers: brokers.value, databaseAdminUrl: database.value, redisUrl: store.value }
    return { ...addresses, processes, supervision, stop }
  }
  await stop()
  throw results.find((each) => each.status === 'rejected')?.reason
}

/** Infrastructure for one test run in a folder of its own, which is removed at its end. */
export async function startTestInfrastructure(): Promise<RunningInfrastructure> {
  mkdirSync(LOCAL, { recursive: true })
  const dir = mkdtempSync(join(LOCAL, 'test-'))
  const say = (line: string) => console.error(line)
  return await startInfrastructure({ dir, durable: false, env: process.env, say, temporary: true, preferContainers: true })
}

/** Where Java is missing there is no other way; tests take containers also where nothing has to be fetched for them. */
function wantsContainers(preferred: boolean): boolean {
  const { status, stdout, stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' })
  // 'openjdk version "17.0.15"'; before Java 9 it read "1.8.0".
  const version = status === 0 ? Number(/version "(\d+)/.exec(stderr + stdout)?.[1] ?? 0) : 0
  if (version >= OLDEST_JAVA) return preferred && dockerAnswers() && imagesAreThere()
  return dockerAnswers()
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
