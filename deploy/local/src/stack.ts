/**
 * A whole installation on this machine: infrastructure, then every service as a process of its own. `npm start`, end-to-end tests
 * and benches run this same code.
 *
 * 1. `startStack` resolves when all is ready; where something does not become ready, what was started is stopped again.
 * 2. Services are started as soon as the infrastructure answers, all at once and in no order: each bears that another is away.
 * 3. `stop` ends services first, then infrastructure, so that nothing loses what it writes to.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { KeyRing } from '@tocsin/access'
import { createDatabase } from './database-roles.ts'
import { type InfrastructureOptions, type RunningInfrastructure, startInfrastructure } from './infrastructure.ts'
import { readOrMakeKeys } from './key-file.ts'
import { LocalFault } from './local-fault.ts'
import { choosePorts } from './ports.ts'
import { describeService, type Installation, mailboxUrl, publicUrl, SERVICE_PORTS, SERVICES } from './services.ts'
import { SupervisedProcess } from './supervised-process.ts'

export interface StackOptions extends Omit<InfrastructureOptions, 'env'> {
  /** Addresses of infrastructure that is there already (KAFKA_BROKERS, DATABASE_URL, REDIS_URL), each on its own. */
  readonly env?: NodeJS.ProcessEnv
  /** Name of the installation's database; 'tocsin'. */
  readonly database?: string
  /** Before all topics, for an installation that shares its cluster; ''. */
  readonly topicPrefix?: string
  /** Resolves with the folder of the built dashboard; awaited while the infrastructure starts. */
  readonly dashboard: () => Promise<string>
  readonly logLevel?: string
  readonly extraEnv?: Installation['extraEnv']
}

export interface Stack {
  /** Address of the gateway, the one front door, without a closing slash. */
  readonly gatewayUrl: string
  readonly mailboxUrl: string
  readonly kafkaBrokers: string
  readonly topicPrefix: string
  readonly redisUrl: string
  readonly databaseAdminUrl: string
  readonly databases: Installation['databases']
  readonly ports: Installation['ports']
  readonly keys: KeyRing
  /** Names of all processes: the services and the infrastructure that was started here. */
  readonly names: readonly string[]
  /** The present process; undefined while it is down. */
  pid(name: string): number | undefined
  /** Ends a process in order and leaves it down. */
  stopProcess(name: string): Promise<void>
  /** Starts a stopped process; resolves when it is ready. */
  startProcess(name: string): Promise<void>
  /** Sends a signal; a process that dies of it is started again on the same port and data. */
  killProcess(name: string, signal: NodeJS.Signals): void
  /** Resolves when the process, or every process, is ready (again). */
  ready(name?: string, limitMs?: number): Promise<void>
  stop(): Promise<void>
}

export async function startStack(options: StackOptions): Promise<Stack> {
  mkdirSync(options.dir, { recursive: true })
  const topicPrefix = options.topicPrefix ?? ''
  const [infrastructure, dashboardDir, keys, ports] = await allOrStop(
    startInfrastructure({ ...options, env: options.env ?? {} }),
    options.dashboard(),
    readOrMakeKeys(join(options.dir, 'keys.json')),
    choosePorts(SERVICE_PORTS, join(options.dir, 'ports.json')),
  )
  const processes = new Map<string, SupervisedProcess>(infrastructure.processes)
  const services: SupervisedProcess[] = []
  const stop = async () => {
    await Promise.all(services.map((each) => each.stop()))
    await infrastructure.stop()
  }
  try {
    const databases = await createDatabase(infrastructure.databaseAdminUrl, options.database ?? 'tocsin').catch((error) => {
      throw new LocalFault(`the database could not be prepared: ${error instanceof Error ? error.message || error.name : error}`)
    })
    const { kafkaBrokers, redisUrl } = infrastructure
    const installation: Installation = {
      kafkaBrokers,
      topicPrefix,
      redisUrl,
      databases,
      keysFile: join(options.dir, 'keys.json'),
      dashboardDir,
      ports,
      logDir: join(options.dir, 'logs'),
      logLevel: options.logLevel ?? 'info',
      ...(options.extraEnv === undefined ? {} : { extraEnv: options.extraEnv }),
    }
    for (const name of SERVICES) {
      const service = new SupervisedProcess(describeService(name, installation), infrastructure.supervision)
      services.push(service)
      processes.set(name, service)
    }
    await Promise.all(services.map((each) => each.start()))
    return handle(infrastructure, installation, keys, processes, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

function handle(
  infrastructure: RunningInfrastructure,
  installation: Installation,
  keys: KeyRing,
  processes: ReadonlyMap<string, SupervisedProcess>,
  stop: () => Promise<void>,
): Stack {
  const one = (name: string) => {
    const found = processes.get(name)
    if (!found) throw new Error(`no process ${name} here: ${[...processes.keys()].join(', ')}`)
    return found
  }
  const { ports, topicPrefix, databases } = installation
  return {
    gatewayUrl: publicUrl(ports),
    mailboxUrl: mailboxUrl(ports),
    kafkaBrokers: infrastructure.kafkaBrokers,
    topicPrefix,
    redisUrl: infrastructure.redisUrl,
    databaseAdminUrl: infrastructure.databaseAdminUrl,
    databases,
    ports,
    keys,
    names: [...processes.keys()],
    pid: (name) => one(name).pid,
    stopProcess: (name) => one(name).stop(),
    startProcess: (name) => one(name).start(),
    killProcess: (name, signal) => one(name).kill(signal),
    ready: async (name, limitMs) => {
      await Promise.all((name === undefined ? [...processes.values()] : [one(name)]).map((each) => each.ready(limitMs)))
    },
    stop,
  }
}

/** As Promise.all, but when one of the others fails, the infrastructure, which may still be starting, is stopped first. */
async function allOrStop<T extends unknown[]>(
  infrastructure: Promise<RunningInfrastructure>,
  ...others: { [Index in keyof T]: Promise<T[Index]> }
): Promise<[RunningInfrastructure, ...T]> {
  try {
    return (await Promise.all([infrastructure, ...others])) as [RunningInfrastructure, ...T]
  } catch (error) {
    const [started] = await Promise.allSettled([infrastructure])
    if (started.status === 'fulfilled') await started.value.stop()
    throw error
  }
}
