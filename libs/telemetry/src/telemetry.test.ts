import { Writable } from 'node:stream'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, expect, test } from 'vitest'
import { childTraceparent, newTraceparent, type Readiness, startTelemetry, type Telemetry } from './index.ts'

let telemetry: Telemetry | undefined
afterEach(async () => telemetry?.close())

test('ready answers 503 until the service is ready, then 200 also when a dependency is lost', async () => {
  let now: Readiness = { status: 'starting', degraded: [] }
  telemetry = await startTelemetry({
    name: 'x',
    host: '127.0.0.1',
    port: 0,
    registry: new Registry(),
    ready: () => now,
    log: pino({ level: 'silent' }),
  })
  const get = (path: string) => fetch(`http://127.0.0.1:${telemetry?.port}${path}`)
  expect((await get('/health/ready')).status).toBe(503)
  now = { status: 'ready', degraded: ['kafka'] }
  const answer = await get('/health/ready')
  expect([answer.status, await answer.json()]).toEqual([200, { service: 'x', status: 'ready', degraded: ['kafka'] }])
  expect(await (await get('/metrics')).text()).toContain('process_cpu_user_seconds_total{service="x"}')
  expect((await get('/health/live')).status).toBe(200)
  expect((await get('/else')).status).toBe(404)
})

test('a trace goes on under a new span, and a malformed parent begins a new one', () => {
  const parent = newTraceparent()
  const child = childTraceparent(parent)
  expect(child.slice(0, 35)).toBe(parent.slice(0, 35))
  expect(child).not.toBe(parent)
  expect(childTraceparent('rubbish')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
})

test('secrets do not reach the log', async () => {
  const { createLogger } = await import('./logger.ts')
  const log = createLogger('x', 'info')
  let written = ''
  const sink = new Writable({
    write(chunk, _encoding, done) {
      written += String(chunk)
      done()
    },
  })
  const stream = Object.getOwnPropertySymbols(log).find((symbol) => symbol.description === 'pino.stream')
  Object.assign(log, { [stream as symbol]: sink })
  log.info({ token: 'hunter2', request: { authorization: 'hunter2' } }, 'signed in')
  expect(written).toContain('signed in')
  expect(written).not.toContain('hunter2')
})
