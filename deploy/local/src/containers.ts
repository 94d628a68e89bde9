/**
 * Kafka, PostgreSQL and Redis in containers, by docker-compose.yml: for `npm start` where Java is missing, for tests (through
 * testcontainers) where the images are there already.
 *
 * 1. The Docker daemon starts a container again that died (`restart` in the compose file), so nothing is supervised here.
 * 2. `<dir>/containers.json` names the compose project from before its start until its data are removed: by it the warden and
 *    `npm run reset` find what a killed launcher left.
 * 3. Stopping removes the containers; their volumes, and so the data, stay until `removeContainers` is told to take them.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
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
/** How long a container may take to end before it is killed. */
const STOP_LIMIT_S = 6
const SAID_CHARACTERS = 2_000
/** The compose file asks for these also where nothing is started. */
const NO_SETTINGS = { KAFKA_PORT: '1', POSTGRES_PORT: '1', POSTGRES_PASSWORD: '-', REDIS_PORT: '1', REDIS_PASSWORD: '-' }

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

/** A daemon without the compose plugin is of no use here. */
export function dockerAnswers(): boolean {
  return succeeds(['info']) && succeeds(['compose', 'version'])
}

export function imagesAreThere(): boolean {
  return succeeds(['image', 'inspect', ...IMAGES])
}

function succeeds(args: readonly string[]): boolean {
  return spawnSync('docker', args, { stdio: 'ignore', timeout: DAEMON_LIMIT_MS }).status === 0
}

/** Starts the containers and resolves when all three answer; where one does not, all are removed again. */
export async function startContainers(options: ContainerOptions): Promise<Containers> {
  const { dir, ports, passwords, say, signal, temporary } = options
  say('starting Kafka, PostgreSQL and Redis in containers')
  const settings = {
    KAFKA_PORT: String(ports.kafka),
    POSTGRES_PORT: String(ports.postgres),
    POSTGRES_PASSWORD: passwords.postgres,
    REDIS_PORT: String(ports.redis),
    REDIS_PASSWORD: passwords.redis,
  }
  const project = `tocsin-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`
  writeFileSync(noteFile(dir), JSON.stringify({ project }))
  const databaseAdminUrl = `postgres://${SUPERUSER}:${passwords.postgres}@127.0.0.1:${ports.postgres}/postgres`
  const host = '127.0.0.1'
  const patience = { limitMs: READY_LIMIT_MS, givenUp: () => (signal.aborted ? new Error('told to stop') : undefined) }
  const stop = () => removeContainers(dir, { data: temporary })
  try {
    if (temporary) await upForTests(project, settings)
    else await compose(project, ['up', '--detach'], settings, signal)
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

/** Removes the containers that were started for a folder, `data`: with their volumes. Without any, nothing is asked of Docker. */
export async function removeContainers(dir: string, { data }: { readonly data: boolean }): Promise<void> {
  const project = notedProject(dir)
  if (project === undefined) return
  await compose(project, ['down', '--timeout', String(STOP_LIMIT_S), ...(data ? ['--volumes'] : [])], NO_SETTINGS)
  if (data) rmSync(noteFile(dir), { force: true })
}

function noteFile(dir: string): string {
  return join(dir, 'containers.json')
}

function notedProject(dir: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(noteFile(dir), 'utf8')) as { project: string }).project
  } catch {
    return undefined
  }
}

/** Rejects with what Docker said last. */
function compose(
  project: string,
  args: readonly string[],
  settings: Record<string, string>,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', ['compose', '-p', project, '-f', join(CHECKOUT, COMPOSE_FILE), ...args], {
      ...(signal === undefined ? {} : { signal }),
      env: { ...process.env, ...settings },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (piece) => {
      said = (said + piece).slice(-SAID_CHARACTERS)
    })
    // What it was doing when it was told to stop must have ended before anything is removed.
    let failure: Error | undefined
    child.once('error', (error) => {
      failure = error
      if (child.pid === undefined) reject(error)
    })
    child.once('close', (code) => {
      if (failure) reject(failure)
      else if (code === 0) resolve()
      else reject(new LocalFault(`docker compose ${args[0]} failed: ${said.trim().split('\n').at(-1)}`))
    })
  })
}

async function upForTests(project: string, settings: Record<string, string>): Promise<void> {
  const { DockerComposeEnvironment, Wait } = await import('testcontainers')
  await new DockerComposeEnvironment(CHECKOUT, COMPOSE_FILE)
    .withProjectName(project)
    .withEnvironment(settings)
    // The warden removes what is left. Testcontainers' own reaper would be one more image that must be there.
    .withAutoCleanup(false)
    .withDefaultWaitStrategy(Wait.forListeningPorts())
    .up()
}
