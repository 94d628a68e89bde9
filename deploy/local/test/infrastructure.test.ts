import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withConnection } from '@tocsin/postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDatabase } from '../src/database-roles.ts'
import { type RunningInfrastructure, startInfrastructure } from '../src/infrastructure.ts'
import { removeOutsidePlace } from '../src/postgres.ts'
import { kafkaAnswers, redisAnswers } from '../src/probes.ts'
import { processIdentity } from '../src/process-identity.ts'
import { readRegister } from '../src/process-register.ts'
import { waitUntil } from '../src/waiting.ts'

const said: string[] = []
let dir: string
let running: RunningInfrastructure

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tocsin-infrastructure-'))
  running = await startInfrastructure({ dir, durable: true, env: {}, say: (line) => said.push(line) })
})
afterAll(async () => {
  await running?.stop()
  removeOutsidePlace(join(dir, 'postgres'))
  rmSync(dir, { recursive: true })
})

const database = () => withConnection(running.databaseAdminUrl, (queries) => queries('SELECT content FROM kept'))

it('answers at the addresses it gives', async () => {
  const [host, port] = running.kafkaBrokers.split(':')
  expect(await kafkaAnswers({ host: host as string, port: Number(port) })).toBe(true)
  const redis = new URL(running.redisUrl)
  expect(await redisAnswers({ host: redis.hostname, port: Number(redis.port) }, redis.password)).toBe(true)
})

it('lets nobody in without the generated passwords, which no other user can read', async () => {
  const { hostname: host, port } = new URL(running.redisUrl)
  expect(await redisAnswers({ host, port: Number(port) })).toBe(false)
  const stranger = new URL(running.databaseAdminUrl)
  stranger.password = 'postgres'
  await expect(withConnection(stranger.href, (queries) => queries('SELECT 1'))).rejects.toThrow('password authentication failed')
  expect(statSync(join(dir, 'secrets.json')).mode & 0o077).toBe(0)
  const commands = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
  expect(commands).not.toContain(new URL(running.redisUrl).password)
  expect(commands).not.toContain(new URL(running.databaseAdminUrl).password)
})

it('makes roles and schemas any number of times, also at once', async () => {
  const twice = await Promise.all([
    createDatabase(running.databaseAdminUrl, 'tocsin'),
    createDatabase(running.databaseAdminUrl, 'tocsin'),
  ])
  expect(twice[0]).toEqual(twice[1])
  const rows = await withConnection(twice[0].tocsin_reader, (queries) => queries('SHOW search_path'))
  expect(rows).toEqual([{ search_path: 'persistence, notifier' }])
})

it('brings each back with its data and on its port after kill -9', async () => {
  await withConnection(running.databaseAdminUrl, async (queries) => {
    await queries('CREATE TABLE kept (content text)')
    await queries(`INSERT INTO kept VALUES ('here')`)
  })
  for (const [name, each] of running.processes) {
    const before = each.pid as number
    const identity = processIdentity(before)
    each.kill('SIGKILL')
    await waitUntil(() => processIdentity(before) !== identity, { what: `${name} to die`, limitMs: 10_000 })
    await each.ready()
    expect(each.pid).not.toBe(before)
    expect(said.at(-1)).toBe(`${name} was ended by SIGKILL; starting it again`)
  }
  expect(await database()).toEqual([{ content: 'here' }])
})

it('stays down when it was stopped and comes back when it is started', async () => {
  const redis = running.processes.get('redis')
  await redis?.stop()
  expect(redis?.pid).toBeUndefined()
  expect(Object.keys(readRegister(join(dir, 'processes.json'))).sort()).toEqual(['kafka', 'postgres'])
  await redis?.start()
  expect(readRegister(join(dir, 'processes.json'))['redis']?.pid).toBe(redis?.pid)
})

describe('when its launcher is killed', () => {
  it('every process ends, and the folder of a test run is removed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tocsin-killed-'))
    const program = fileURLToPath(new URL('./start-and-wait.ts', import.meta.url))
    const launcher = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise<void>((resolve) => launcher.stdout.once('data', () => resolve()))
    const processes = Object.values(readRegister(join(folder, 'processes.json')))
    expect(processes).toHaveLength(2)
    launcher.kill('SIGKILL')
    const gone = () => processes.every((each) => processIdentity(each.pid) !== each.identity) && !existsSync(folder)
    await waitUntil(gone, { what: 'all processes to end', limitMs: 15_000 })
  })
})

it('keeps Kafka from making topics by accident', () => {
  expect(readFileSync(join(dir, 'kafka/server.properties'), 'utf8')).toContain('auto.create.topics.enable=false')
})
