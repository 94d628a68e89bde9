import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { RetryableError } from '@tocsin/errors'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { backoffMs, createReadiness, retryUntil } from './index.ts'

const log = pino({ level: 'silent' })
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** A process that runs a service of `kind`; resolves once it says that it is running. */
async function service(kind: string): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'fixtures/service.ts'), [kind], { silent: true })
  children.push(child)
  if (kind !== 'refuses') await once(child, 'message')
  return child
}
const exitOf = async (child: ChildProcess) => (await once(child, 'exit'))[0] as number | null

test('SIGTERM stops a service in its own order and it exits 0', async () => {
  const child = await service('plain')
  let out = ''
  child.stdout?.on('data', (text) => (out += String(text)))
  child.kill('SIGTERM')
  expect(await exitOf(child)).toBe(0)
  expect(out).toContain('"stopped')
})

test('a service ends when its parent is gone', async () => {
  const child = await service('plain')
  child.disconnect()
  expect(await exitOf(child)).toBe(0)
})

test('a stop that hangs is cut after its limit with exit code 1', async () => {
  const child = await service('hangs')
  child.kill('SIGTERM')
  expect(await exitOf(child)).toBe(1)
})

test('an error that nobody handled ends the service with exit code 1', async () => {
  const child = await service('crashes')
  expect(await exitOf(child)).toBe(1)
})

test('a service that cannot start exits 1', async () => {
  expect(await exitOf(await service('refuses'))).toBe(1)
})

test('retryUntil waits for a dependency and gives up only when told to stop', async () => {
  let calls = 0
  const answer = await retryUntil(
    async () => {
      if (++calls < 3) throw new RetryableError('away')
      return 'there'
    },
    { signal: AbortSignal.timeout(10_000), log, what: 'a test' },
  )
  expect([answer, calls]).toEqual(['there', 3])
  const stopped = retryUntil(() => Promise.reject(new RetryableError('away')), {
    signal: AbortSignal.timeout(50),
    log,
    what: 'a test',
  })
  await expect(stopped).rejects.toThrow()
})

test('back-off grows to ten seconds and never beyond', () => {
  expect(backoffMs(1, () => 1)).toBe(200)
  expect(backoffMs(50, () => 1)).toBe(10_000)
})

test('once ready, a lost dependency is told as degraded and does not make the service unready', () => {
  const state = createReadiness()
  expect(state.current().status).toBe('starting')
  state.ready()
  state.degrade('redis', true)
  state.degrade('redis', true)
  expect(state.current()).toEqual({ status: 'ready', degraded: ['redis'] })
  state.degrade('redis', false)
  expect(state.current().degraded).toEqual([])
  state.draining()
  state.ready()
  expect(state.current().status).toBe('draining')
})
