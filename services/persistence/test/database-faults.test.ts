import { createPool, queryOf, transaction } from '@tocsin/postgres'
import { type OwnPostgres, startOwnPostgres, waitFor } from '@tocsin/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startSilentProxy } from './silent-proxy.ts'
import { createStreamWorld, type Instance, type StreamWorld } from './stream-world.ts'
import { figuresOf, silent } from './world.ts'

const LIMIT_MS = 60_000
type Organization = Awaited<ReturnType<StreamWorld['newOrganization']>>

let postgres: OwnPostgres
let world: StreamWorld
let proxy: Awaited<ReturnType<typeof startSilentProxy>>
let instance: Instance
let organization: Organization
let figures: ReturnType<typeof figuresOf>[]
let revision = 1
beforeAll(async () => {
  postgres = await startOwnPostgres()
  world = await createStreamWorld(postgres.urls, postgres.adminUrl)
  proxy = await startSilentProxy(postgres.adminUrl)
  instance = await world.start({
    API_DATABASE_URL: proxy.through(world.config.API_DATABASE_URL),
    WORKER_DATABASE_URL: proxy.through(world.config.WORKER_DATABASE_URL),
  })
  organization = await world.newOrganization(instance, 'Faults')
  figures = Array.from({ length: 20 }, () => figuresOf(organization.organizationId))
  await publish()
  await stored()
})
afterAll(async () => {
  await world.close()
  await proxy.close()
  await postgres.close()
})

/** The next revision of every alert. */
const publish = () => {
  revision += 1
  return world.publish(
    organization.partition,
    figures.map((each) => ({ type: 'alert.revised', value: { ...each, revision } })),
  )
}
const stored = () =>
  waitFor(async () => (await world.admin('SELECT 1 FROM alerts WHERE revision = $1', [revision])).length === figures.length, {
    limitMs: LIMIT_MS,
    what: `revision ${revision}`,
  })
const act = (what: string) => world.ask(instance, 'POST', `/api/alerts/${figures[0]?.id}/${what}`, organization.token)
const waits = () =>
  waitFor(() => instance.degraded().some((name) => name.startsWith('alerts/')), { limitMs: LIMIT_MS, what: 'the report' })
/** Everything that came meanwhile is there, acts go out, nothing was set aside, nothing is reported any more. */
const expectRecovered = async () => {
  await stored()
  const done = await waitFor(
    async () => {
      const answers = [await act('acknowledge'), await act('unacknowledge')]
      return answers.every(({ status }) => status === 200)
    },
    { limitMs: LIMIT_MS, what: 'acts' },
  )
  expect(done).toBe(true)
  await waitFor(async () => (await world.admin('SELECT 1 FROM outbox')).length === 0, { limitMs: LIMIT_MS, what: 'the relay' })
  await waitFor(async () => (await world.admin('SELECT 1 FROM history_unsealed')).length === 0, {
    limitMs: LIMIT_MS,
    what: 'the sealer',
  })
  expect(await world.contentOf('alerts.dead')).toEqual([])
  await waitFor(() => instance.degraded().length === 0, { limitMs: LIMIT_MS, what: 'an end of the report' })
}

describe('nothing is lost or set aside, requests get 503, and it goes on by itself', () => {
  test('while PostgreSQL is shut down', async () => {
    await postgres.stop()
    await publish()
    expect(await act('acknowledge')).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } })
    await waits()
    await postgres.start()
    await expectRecovered()
  }, 120_000)

  test('after PostgreSQL was stopped at once, without a word to its connections', async () => {
    postgres.crash()
    await publish()
    await postgres.start()
    await expectRecovered()
  }, 120_000)

  test('while every connection to PostgreSQL is silent and none is closed', async () => {
    proxy.setSilent(true)
    await publish()
    expect(await act('acknowledge')).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } })
    await waits()
    proxy.setSilent(false)
    await expectRecovered()
  }, 120_000)

  test('while another session holds a row for longer than a statement may last', async () => {
    const other = createPool(postgres.adminUrl, { name: 'other', max: 1, log: silent })
    try {
      await transaction(other, async (query) => {
        await query('SET LOCAL idle_in_transaction_session_timeout = 0')
        await query('SELECT 1 FROM persistence.alerts WHERE id = $1 FOR UPDATE', [figures[0]?.id])
        await publish()
        expect(await act('acknowledge')).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } })
        await waits()
      })
      await expectRecovered()
    } finally {
      await other.end()
    }
  }, 120_000)

  test('when PostgreSQL ends a deadlock by refusing the batch', async () => {
    const other = createPool(postgres.adminUrl, { name: 'other', max: 1, log: silent })
    const deadlocks = async () => {
      const [row] = await queryOf(other)<{ deadlocks: bigint }>(
        'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
      )
      return row?.deadlocks ?? 0n
    }
    try {
      const before = await deadlocks()
      await transaction(other, async (query) => {
        // Whoever looks first gives way: not this session.
        await query(`SET LOCAL deadlock_timeout = '1min'`)
        await query('SELECT 1 FROM persistence.alerts WHERE id = $1 FOR UPDATE', [figures[0]?.id])
        await publish()
        const [waiting] = await waitFor(
          async () => {
            const rows = await world.admin<{ pid: number }>(
              `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'persistence worker'`,
            )
            return rows.length > 0 && rows
          },
          { limitMs: LIMIT_MS, what: 'the applier to wait' },
        )
        expect(waiting).toBeDefined()
        // The applier holds the partition's offset and waits for the alert; this session waits for the offset.
        await query(`SELECT 1 FROM persistence.offsets WHERE partition = $1 FOR UPDATE`, [organization.partition])
      })
      await waitFor(async () => (await deadlocks()) > before, { limitMs: LIMIT_MS, what: 'the deadlock' })
      await expectRecovered()
    } finally {
      await other.end()
    }
  }, 120_000)
})
