import { type ChildProcess, fork } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { startOwnPostgres, waitFor } from '@tocsin/testing'
import { expect, test } from 'vitest'
import { AT_ONCE, acted, created, figuresOf, statusOf, TEMPLATE } from './ledger-world.ts'
import { createNotifierWorld, type NotifierWorld } from './notifier-world.ts'

const LIMIT_MS = 90_000
const MAIN = new URL('../src/main.ts', import.meta.url).pathname

interface Started {
  readonly child: ChildProcess
  readonly gone: Promise<number | null>
}
function startProcess(world: NotifierWorld): Started {
  const child = fork(MAIN, { env: { ...process.env, ...world.env, PORT: '0', METRICS_PORT: '0' }, stdio: 'ignore' })
  return { child, gone: new Promise((resolve) => child.once('exit', (code) => resolve(code))) }
}
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
const toldOf = (world: NotifierWorld) => {
  const counts = new Map<string, number>()
  for (const mail of world.smtp.mails) {
    const id = mail.headers.get('x-tocsin-alert') ?? ''
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}

test('killed with -9 again and again, it tells every alert, and twice only what was on its way', {
  timeout: 180_000,
}, async () => {
  const world = await createNotifierWorld()
  const KILLS = 2
  let running = startProcess(world)
  try {
    const organizations = await Promise.all(
      Array.from({ length: 4 }, (_, index) => world.newOrganization({ recipients: { emails: [`ops${index}@example.org`] } })),
    )
    const figures = Array.from({ length: 80 }, (_, index) => figuresOf(organizations[index % 4] ?? ''))
    await waitFor(async () => (await world.admin('SELECT 1 FROM offsets')).length > 0, {
      limitMs: LIMIT_MS,
      what: 'the first start',
    })
    for (let kill = 0; kill < KILLS; kill++) {
      const part = figures.slice(kill * 40, kill * 40 + 40)
      const before = world.smtp.mails.length
      await world.publish(...part.map(created))
      await waitFor(() => world.smtp.mails.length > before + 5, { limitMs: LIMIT_MS, what: 'some mails' })
      running.child.kill('SIGKILL')
      await running.gone
      running = startProcess(world)
    }
    await waitFor(() => figures.every(({ id }) => toldOf(world).has(id)), { limitMs: LIMIT_MS, what: 'every alert to be told' })
    await waitFor(async () => (await world.admin(`SELECT 1 FROM deliveries WHERE status <> 'sent'`)).length === 0, {
      limitMs: LIMIT_MS,
      what: 'every delivery to be sent',
    })
    const twice = [...toldOf(world).values()].filter((count) => count > 1)
    // One on its way for each destination at each kill.
    expect(twice.length).toBeLessThanOrEqual(KILLS * organizations.length)
    expect(twice.every((count) => count <= KILLS + 1)).toBe(true)
    expect(await world.admin('SELECT count(*)::int AS n FROM deliveries')).toEqual([{ n: figures.length }])
  } finally {
    running.child.kill('SIGTERM')
    expect(await running.gone).toBe(0)
    await world.close()
  }
})

test('stopped for a while, it tells what is still open and was not acknowledged meanwhile, and nothing twice', {
  timeout: 120_000,
}, async () => {
  const world = await createNotifierWorld()
  try {
    const organizationId = await world.newOrganization()
    const [before, open, acknowledged] = [figuresOf(organizationId), figuresOf(organizationId), figuresOf(organizationId)]
    const first = await world.start()
    await world.publish(created(before))
    await waitFor(() => toldOf(world).size === 1, { limitMs: LIMIT_MS, what: 'the first mail' })
    await world.stop(first)
    await world.publish(created(open), created(acknowledged), acted(statusOf(acknowledged, 'acknowledged')))
    await world.start()
    await waitFor(() => toldOf(world).has(open.id), { limitMs: LIMIT_MS, what: 'the mail after the stop' })
    expect([...toldOf(world)].toSorted()).toEqual(
      [
        [before.id, 1],
        [open.id, 1],
      ].toSorted(),
    )
    expect(
      await world.admin(`SELECT status, reason FROM notifications WHERE alert_id = $1 AND change = 'created'`, [acknowledged.id]),
    ).toEqual([{ status: 'cancelled', reason: 'acknowledged' }])
  } finally {
    await world.close()
  }
})

test('while PostgreSQL is away it waits, and then tells each alert once', { timeout: 180_000 }, async () => {
  const postgres = await startOwnPostgres()
  try {
    await TEMPLATE.prepare(postgres.urls)
    const world = await createNotifierWorld({ urls: postgres.urls, adminUrl: postgres.adminUrl, drop: async () => undefined })
    try {
      const notifier = await world.start()
      const organizationId = await world.newOrganization({
        recipients: { emails: ['a@example.org', 'b@example.org'] },
        settings: AT_ONCE,
      })
      const figures = Array.from({ length: 40 }, () => figuresOf(organizationId))
      await world.publish(...figures.slice(0, 20).map(created))
      await waitFor(() => world.smtp.mails.length > 3, { limitMs: LIMIT_MS, what: 'some mails' })
      await postgres.stop()
      await world.publish(...figures.slice(20).map(created))
      const health = () =>
        fetch(`http://127.0.0.1:${notifier.metricsPort}/health/ready`).then(
          async (answer) => [answer.status, await answer.text()] as const,
        )
      await waitFor(async () => (await health())[1].includes('postgres'), {
        limitMs: LIMIT_MS,
        what: 'readiness to name PostgreSQL',
      })
      expect((await health())[0]).toBe(200)
      await postgres.start()
      await waitFor(() => toldOf(world).size === figures.length, { limitMs: LIMIT_MS, what: 'every alert to be told' })
      await waitFor(async () => (await world.admin(`SELECT 1 FROM deliveries WHERE status <> 'sent'`)).length === 0, {
        limitMs: LIMIT_MS,
        what: 'every delivery to be sent',
      })
      expect(new Set(toldOf(world).values())).toEqual(new Set([2])) // two addresses, once each
      await waitFor(async () => !(await health())[1].includes('postgres'), {
        limitMs: LIMIT_MS,
        what: 'readiness to be whole again',
      })
    } finally {
      await world.close()
    }
  } finally {
    await postgres.close()
  }
})

test('started before Kafka, PostgreSQL or the mail server answer, it waits for each and says so', {
  timeout: 60_000,
}, async () => {
  const world = await createNotifierWorld()
  const dead = await freePort()
  const metricsPort = await freePort()
  const child = fork(MAIN, {
    env: {
      ...process.env,
      ...world.env,
      KAFKA_BROKERS: `127.0.0.1:${dead}`,
      DATABASE_URL: `postgres://x:y@127.0.0.1:${dead}/x`,
      OWNER_DATABASE_URL: `postgres://x:y@127.0.0.1:${dead}/x`,
      PORT: '0',
      METRICS_PORT: String(metricsPort),
    },
    stdio: 'ignore',
  })
  const gone = new Promise<number | null>((resolve) => child.once('exit', resolve))
  try {
    const answer = await waitFor(() => fetch(`http://127.0.0.1:${metricsPort}/health/ready`), {
      limitMs: LIMIT_MS,
      what: 'health to answer',
    })
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({ status: 'starting' })
    expect((await fetch(`http://127.0.0.1:${metricsPort}/health/live`)).status).toBe(200)
  } finally {
    child.kill('SIGTERM')
    expect(await gone).toBe(0)
    await world.close()
  }
})
