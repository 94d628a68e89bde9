import { RetryableError } from '@tocsin/errors'
import { type OwnServer, startOwnServer, waitFor } from '@tocsin/testing'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { connectRedis, type RedisHandle } from '../src/index.ts'

let server: OwnServer
let redis: RedisHandle
let changes: boolean[]
beforeAll(async () => {
  server = await startOwnServer('redis')
})
afterAll(async () => server?.close())
afterEach(async () => redis?.close())

const connected = async () => {
  changes = []
  redis = connectRedis(server.address, { name: 'test', log: pino({ level: 'silent' }), onChange: (up) => changes.push(up) })
  await waitFor(() => redis.isUp(), { limitMs: 10_000, what: 'Redis' })
}
const timed = async (work: Promise<unknown>) => {
  const begun = performance.now()
  const outcome = await work.catch((error: unknown) => error)
  return { outcome, ms: performance.now() - begun }
}
const ping = () => redis.attempt((client) => client.ping())

test('a command answers', async () => {
  await connected()
  expect(await ping()).toBe('PONG')
})

test('while Redis is stopped a command fails at once as worth retrying, and works again once it is back', async () => {
  await connected()
  await server.stop()
  await waitFor(() => !redis.isUp(), { limitMs: 5_000, what: 'the loss to be seen' })
  const { outcome, ms } = await timed(ping())
  expect(outcome).toBeInstanceOf(RetryableError)
  expect(ms).toBeLessThan(100)
  await server.start()
  expect(await waitFor(() => ping(), { limitMs: 10_000, what: 'Redis to be back' })).toBe('PONG')
  expect(changes).toEqual([true, false, true])
})

test('of a Redis that hangs only the first command pays the time limit', async () => {
  await connected()
  server.signal('SIGSTOP')
  try {
    expect((await timed(ping())).outcome).toBeInstanceOf(RetryableError)
    const next = await timed(ping())
    expect(next.outcome).toBeInstanceOf(RetryableError)
    expect(next.ms).toBeLessThan(100)
  } finally {
    server.signal('SIGCONT')
  }
  expect(await waitFor(() => ping(), { limitMs: 10_000, what: 'Redis to answer again' })).toBe('PONG')
})

test('a Redis that is away from the start is told once', async () => {
  const seen: boolean[] = []
  redis = connectRedis('redis://127.0.0.1:1', { name: 'test', log: pino({ level: 'silent' }), onChange: (up) => seen.push(up) })
  await waitFor(() => seen.length > 0, { limitMs: 5_000, what: 'the loss to be told' })
  expect((await timed(ping())).outcome).toBeInstanceOf(RetryableError)
  expect(seen).toEqual([false])
})
