/** `npm start` itself, as a person uses it, in a folder of its own beside the one of this checkout. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from '@tocsin/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const LOCAL = join(ROOT, '.local')
const READY_MS = 120_000
/** The promise of design §3 for a warm start on two cores. */
const WARM_SECONDS = 20
const STOP_MS = 15_000

let folder: string
let env: NodeJS.ProcessEnv
const started: ChildProcess[] = []

beforeAll(() => {
  mkdirSync(LOCAL, { recursive: true })
  folder = mkdtempSync(join(LOCAL, 'test-launcher-'))
  env = { ...process.env, TOCSIN_LOCAL_DIR: folder }
  delete env['TOCSIN_BEGUN_AT']
  for (const name of ['KAFKA_BROKERS', 'DATABASE_URL', 'REDIS_URL', 'npm_lifecycle_event']) delete env[name]
})
afterAll(async () => {
  for (const each of started) if (each.exitCode === null && each.signalCode === null) each.kill('SIGTERM')
  await waitFor(() => processes().length === 0, { limitMs: STOP_MS, what: 'every process to end' })
  rmSync(folder, { recursive: true, force: true })
})

interface Run {
  readonly child: ChildProcess
  readonly output: () => string
  readonly ended: Promise<number | NodeJS.Signals | null>
}

function run(command: string): Run {
  const child = spawn(process.execPath, [join(ROOT, 'scripts/bootstrap.mjs'), command], {
    cwd: '/',
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.push(child)
  let output = ''
  child.stdout?.on('data', (piece) => {
    output += piece
  })
  child.stderr?.on('data', (piece) => {
    output += piece
  })
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal)),
  )
  return { child, output: () => output, ended }
}

async function ready(start: Run): Promise<number> {
  const seconds = await waitFor(
    () => {
      if (start.child.exitCode !== null) throw new Error(start.output())
      return /ready in ([\d.]+) s/.exec(start.output())?.[1]
    },
    { limitMs: READY_MS, what: 'the start to become ready' },
  )
  return Number(seconds)
}

/** Pids of the processes of this start, as the system knows them. */
function processes(): number[] {
  const listed = spawnSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).stdout.split('\n')
  const registered: Record<string, { pid: number }> = existsSync(join(folder, 'processes.json'))
    ? JSON.parse(readFileSync(join(folder, 'processes.json'), 'utf8'))
    : {}
  const pids = Object.values(registered).map((each) => each.pid)
  return listed
    .filter((line) => line.includes(folder) || pids.includes(Number.parseInt(line, 10)))
    .map((line) => Number.parseInt(line, 10))
}

const connection = () => JSON.parse(readFileSync(join(folder, 'connection.json'), 'utf8')) as Record<string, string>

test('gives everything a program needs, keeps it across restarts, and is ready again within 20 s', async () => {
  const first = run('start')
  await ready(first)
  const before = connection()
  expect(Object.keys(before).sort()).toEqual(
    ['databaseUrl', 'gateway', 'ingestKey', 'kafka', 'mailbox', 'organizationId', 'redisUrl', 'token'].sort(),
  )
  expect(statSync(join(folder, 'connection.json')).mode & 0o077).toBe(0)
  expect(first.output()).toContain(`${before['gateway']}/auth/signin?code=`)
  expect(first.output()).toContain('notification delays are 0')
  const alerts = () => fetch(`${before['gateway']}/api/alerts`, { headers: { authorization: `Bearer ${before['token']}` } })
  expect((await alerts()).status).toBe(200)

  const second = run('start')
  expect(await second.ended).toBe(1)
  expect(second.output()).toContain(`running already at ${before['gateway']}`)
  const reset = run('reset')
  expect(await reset.ended).toBe(1)
  expect(reset.output()).toContain('stop it first')
  expect((await alerts()).status).toBe(200)

  first.child.kill('SIGTERM')
  expect(await first.ended).toBe(0)
  expect(processes()).toEqual([])
  expect(existsSync(join(folder, 'connection.json'))).toBe(false)

  const warm = run('start')
  expect(await ready(warm)).toBeLessThanOrEqual(WARM_SECONDS)
  expect(connection()).toEqual(before)
  expect((await alerts()).status).toBe(200)
  warm.child.kill('SIGINT')
  expect(await warm.ended).toBe(0)
  expect(processes()).toEqual([])
}, 240_000)

test('leaves no process when it is killed, and starts again', async () => {
  const start = run('start')
  await ready(start)
  const launcher = JSON.parse(readFileSync(join(folder, 'launcher.json'), 'utf8')) as { pid: number }
  process.kill(launcher.pid, 'SIGKILL')
  await waitFor(() => processes().length === 0, { limitMs: STOP_MS, what: 'every process to end' })
  const again = run('start')
  await ready(again)
  // The bootstrap script is what a closed terminal or a killed npm takes with it.
  again.child.kill('SIGKILL')
  await waitFor(() => processes().length === 0, { limitMs: STOP_MS, what: 'every process to end' })
}, 240_000)

test('forgets everything on reset', async () => {
  expect(await run('reset').ended).toBe(0)
  expect(existsSync(join(folder, 'postgres'))).toBe(false)
  expect(existsSync(join(folder, 'keys.json'))).toBe(false)
})
