import { fork } from 'node:child_process'
import { generateKeyRing } from '@tocsin/access'
import { createPool } from '@tocsin/postgres'
import { createTestDatabase, waitFor } from '@tocsin/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyBatch } from '../src/applier.ts'
import { createMetrics } from '../src/metrics.ts'
import { FieldCipher } from '../src/protection/field-cipher.ts'
import { createStreamWorld, PARTITIONS, type StreamWorld } from './stream-world.ts'
import { figuresOf, silent } from './world.ts'

const LIMIT_MS = 60_000
const MAIN = new URL('../src/main.ts', import.meta.url).pathname

/** A batch as the consumer hands it over. */
const batchOf = (figures: ReturnType<typeof figuresOf>, from: bigint, to: bigint) => ({
  topic: 'alerts',
  partition: 0,
  from,
  to,
  items: [
    {
      record: { topic: 'alerts', partition: 0, offset: from, appendTime: 0, key: null, value: null, headers: {} },
      value: { half: 'figures' as const, type: 'alert.created' as const, figures },
    },
  ],
})

let world: StreamWorld
beforeAll(async () => {
  world = await createStreamWorld()
})
afterAll(() => world.close())

test('of two instances that hold the same batch one writes it, and one that was paused gives it up', async () => {
  await world.admin(`INSERT INTO offsets VALUES ('alerts', 0, 10, 'here')`)
  const pool = createPool(world.config.WORKER_DATABASE_URL, { name: 'applier', max: 4, log: silent })
  const options = { pool, cipher: new FieldCipher(pool, (await generateKeyRing()).fields), metrics: createMetrics() }
  try {
    const figures = figuresOf(crypto.randomUUID())
    const outcomes = await Promise.all([
      applyBatch(options, batchOf(figures, 10n, 11n), 'here'),
      applyBatch(options, batchOf(figures, 10n, 11n), 'here'),
    ])
    expect(outcomes.filter((outcome) => outcome === 'moved')).toHaveLength(1)

    const late = figuresOf(crypto.randomUUID())
    expect(await applyBatch(options, batchOf(late, 10n, 11n), 'here')).toBe('moved')
    expect(await applyBatch(options, batchOf(late, 11n, 12n), 'another cluster')).toBe('moved')
    expect(await world.admin('SELECT id FROM alerts')).toEqual([{ id: figures.id }])
    expect(await world.admin('SELECT next FROM offsets')).toEqual([{ next: 11n }])
  } finally {
    await pool.end()
    await world.admin('DELETE FROM alerts')
    await world.admin('DELETE FROM offsets')
  }
})

test('killed with -9 again and again, it ends with each row as the log says and each act once', async () => {
  const start = () => {
    const child = fork(MAIN, { env: { ...process.env, ...world.env, PORT: '0' }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    return { child, gone }
  }
  const alerts = Array.from({ length: 150 }, () => figuresOf(crypto.randomUUID()))
  const WAVES = 3
  const REVISIONS_PER_WAVE = 10
  const REVISIONS = WAVES * REVISIONS_PER_WAVE
  const ofRevision = (partition: number, revision: number) =>
    alerts
      .filter((_, at) => at % PARTITIONS === partition)
      .map((figures, at) =>
        // Each tenth ends merged: the system acts on it, once.
        revision === REVISIONS && at % 10 === 0
          ? { type: 'alert.closed', value: { ...figures, revision, open: false, metadata: { mergedInto: crypto.randomUUID() } } }
          : { type: 'alert.revised', value: { ...figures, revision } },
      )
  const appliedRecords = async () => {
    const [row] = await world.admin<{ sum: string | null }>('SELECT sum(next) AS sum FROM offsets')
    return Number(row?.sum ?? 0)
  }
  let killedAmidWork = 0
  let running = start()
  try {
    await waitFor(async () => (await world.admin('SELECT 1 FROM offsets')).length === PARTITIONS, {
      limitMs: LIMIT_MS,
      what: 'the first start',
    })
    for (let wave = 0; wave < WAVES; wave++) {
      const before = await appliedRecords()
      const publishing = (async () => {
        for (let revision = wave * REVISIONS_PER_WAVE + 1; revision <= (wave + 1) * REVISIONS_PER_WAVE; revision++)
          await Promise.all([0, 1].map((partition) => world.publish(partition, ofRevision(partition, revision))))
      })()
      await waitFor(async () => (await appliedRecords()) > before, { limitMs: LIMIT_MS, what: 'the first records of the wave' })
      running.child.kill('SIGKILL')
      await Promise.all([running.gone, publishing])
      if ((await appliedRecords()) < before + alerts.length * REVISIONS_PER_WAVE) killedAmidWork += 1
      running = start()
    }
    const end = async () => {
      const log = await world.kafka.topicOffsets('alerts')
      const rows = await world.admin<{ partition: number; next: bigint }>('SELECT partition, next FROM offsets')
      return (
        rows.length === PARTITIONS &&
        rows.every((row) => row.next === log.get(row.partition)?.end) &&
        (await world.admin('SELECT 1 FROM outbox')).length === 0
      )
    }
    await waitFor(end, { limitMs: LIMIT_MS, what: 'everything applied' })
    const rows = await world.admin<{ id: string; revision: number; status: string }>('SELECT id, revision, status FROM alerts')
    expect(rows).toHaveLength(alerts.length)
    expect(rows.every((row) => row.revision === REVISIONS)).toBe(true)
    const merged = rows.filter((row) => row.status === 'dismissed')
    expect(merged).toHaveLength(16)
    expect(await world.admin(`SELECT 1 FROM history WHERE about_kind = 'alert'`)).toHaveLength(merged.length)
    expect(await world.contentOf('alerts.dead')).toEqual([])
    expect(killedAmidWork).toBeGreaterThan(0)
  } finally {
    running.child.kill('SIGTERM')
    await running.gone
  }
}, 120_000)

test('started twice at once on an empty database, both come up, and pack, operator and topics are published once', async () => {
  const empty = await createTestDatabase()
  const fresh = await createStreamWorld(empty.urls, empty.adminUrl)
  try {
    await Promise.all([fresh.start(), fresh.start()])
    const published = async (topic: string) =>
      (await fresh.contentOf(topic)).map((record) => JSON.parse(record.value?.toString() ?? ''))
    await waitFor(async () => (await fresh.admin('SELECT 1 FROM outbox')).length === 0, {
      limitMs: LIMIT_MS,
      what: 'an empty outbox',
    })
    expect(await published('rules')).toMatchObject([
      { ruleId: 'tocsin.failed-auth', version: 1, state: 'active', organizationId: null },
    ])
    expect(await published('access')).toMatchObject([{ subject: 'operator@localhost', operator: true }])
    // To every partition, so that each one's detector reads it at an offset of its own.
    expect(await published('audit.events')).toMatchObject(
      Array.from({ length: PARTITIONS }, () => ({ kind: 'rule', rule: { version: 1 } })),
    )
  } finally {
    await fresh.close()
    await empty.drop()
  }
})

test('of two instances one relays; when its connection is cut, order and acts survive', async () => {
  const one = await world.start()
  const two = await world.start()
  try {
    const organization = await world.newOrganization(one, 'Relays')
    const holders = () =>
      world.admin<{ pid: number }>(
        `SELECT a.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)
          WHERE l.locktype = 'advisory' AND a.application_name = 'persistence relay' AND a.datname = current_database() AND l.granted`,
      )
    await waitFor(async () => (await holders()).length === 1, { limitMs: LIMIT_MS, what: 'a relay' })
    for (let round = 0; round < 6; round++) {
      const [holder] = await holders()
      await Promise.all([
        world.ask(round % 2 === 0 ? one : two, 'PATCH', `/api/organizations/${organization.organizationId}`, organization.token, {
          settings: { failedAuthThreshold: round + 1 },
        }),
        world.admin('SELECT pg_terminate_backend($1)', [holder?.pid ?? 0]),
      ])
      await waitFor(async () => (await holders()).length === 1, { limitMs: LIMIT_MS, what: 'the next relay' })
    }
    await waitFor(async () => (await world.admin('SELECT 1 FROM outbox')).length === 0, {
      limitMs: LIMIT_MS,
      what: 'an empty outbox',
    })
    const versions = async (topic: string, read: (value: never) => { organizationId: string; version: number } | undefined) =>
      (await world.contentOf(topic)).flatMap((record) => {
        const value = read(JSON.parse(record.value?.toString() ?? 'null') as never)
        return value?.organizationId === organization.organizationId ? [value.version] : []
      })
    // A row may have gone out twice around a cut, but never out of order.
    const distinct = (list: number[]) => list.filter((version, at) => version !== list[at - 1])
    const tenants = await versions('tenants', (value) => value)
    const controls = await versions(
      'audit.events',
      (value: { organization?: { organizationId: string; version: number } }) => value.organization,
    )
    expect(distinct(tenants)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(distinct(controls)).toEqual([1, 2, 3, 4, 5, 6, 7])
  } finally {
    await Promise.all([world.stop(one), world.stop(two)])
  }
})

test('offsets of another cluster, or past the end of the log, stop the start and name the command', async () => {
  const [before] = await world.admin<{ next: bigint; cluster_id: string }>(
    'SELECT next, cluster_id FROM offsets WHERE partition = 0',
  )
  await world.admin(`UPDATE offsets SET cluster_id = 'elsewhere' WHERE partition = 0`)
  await expect(world.start()).rejects.toThrow(/tocsin offsets reset/)
  await world.admin('UPDATE offsets SET cluster_id = $1, next = 999999 WHERE partition = 0', [before?.cluster_id])
  await expect(world.start()).rejects.toMatchObject({ code: 'TOCSIN_OFFSETS_MISMATCH' })
  await world.admin('UPDATE offsets SET next = $1 WHERE partition = 0', [before?.next])
  await world.stop(await world.start())
})

test('a database role that could pass row-level security stops the start', async () => {
  await expect(world.start({ API_DATABASE_URL: world.config.OWNER_DATABASE_URL })).rejects.toMatchObject({
    code: 'TOCSIN_ROLE_TOO_STRONG',
  })
})
