import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RetryableError } from '@tocsin/errors'
import { createTestDatabase, type TestDatabase } from '@tocsin/testing'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { assertPlainRole, createPool, inOrganization, migrate, type Pool, queryOf, transaction } from '../src/index.ts'

const log = pino({ level: 'silent' })
const one = '00000000-0000-4000-8000-000000000001'
const two = '00000000-0000-4000-8000-000000000002'
let database: TestDatabase
let pool: Pool
let directory: string
const pools: Pool[] = []
const connect = (url: string, max = 1) => {
  const made = createPool(url, { name: 'test', max, log })
  pools.push(made)
  return made
}

beforeAll(async () => {
  database = await createTestDatabase()
  directory = await mkdtemp(join(tmpdir(), 'tocsin-migrations-'))
  await writeFile(
    join(directory, '0001_notes.sql'),
    `CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, organization_id uuid NOT NULL, text text NOT NULL);
     ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
     ALTER TABLE notes FORCE ROW LEVEL SECURITY;
     CREATE POLICY api ON notes TO tocsin_api
       USING (organization_id = nullif(current_setting('app.organization', true), '')::uuid)
       WITH CHECK (organization_id = nullif(current_setting('app.organization', true), '')::uuid);
     GRANT SELECT, INSERT ON notes TO tocsin_api;`,
  )
  await migrate(database.urls.tocsin_owner, { directory, schema: 'persistence', log })
  pool = connect(database.urls.tocsin_api)
})
afterAll(async () => {
  await Promise.all(pools.map((each) => each.end()))
  await rm(directory, { recursive: true })
  await database.drop()
})

const add = (organizationId: string, text: string) =>
  inOrganization(pool, organizationId, (query) =>
    query('INSERT INTO notes (organization_id, text) VALUES ($1, $2)', [organizationId, text]),
  )
const texts = (organizationId: string | null) =>
  inOrganization(pool, organizationId, async (query) =>
    (await query<{ text: string }>('SELECT text FROM notes ORDER BY id')).map((row) => row.text),
  )

test('migrations that two starts run at once are applied once', async () => {
  await writeFile(join(directory, '0002_more.sql'), 'ALTER TABLE notes ADD COLUMN more text;')
  const run = () => migrate(database.urls.tocsin_owner, { directory, schema: 'persistence', log })
  const done = await Promise.all([run(), run(), run()])
  expect(done.flat()).toEqual(['0002_more'])
})

test('one connection that serves two organizations in turn, and none, shows each only its own rows', async () => {
  for (let round = 0; round < 3; round++) {
    await add(one, `one ${round}`)
    await add(two, `two ${round}`)
    expect(await texts(one)).toHaveLength(round + 1)
    expect(await texts(null)).toEqual([])
    expect(await queryOf(pool)('SELECT text FROM notes')).toEqual([])
    expect((await texts(two)).every((text) => text.startsWith('two'))).toBe(true)
  }
})

test('a row of another organization cannot be written', async () => {
  const foreign = inOrganization(pool, one, (query) =>
    query('INSERT INTO notes (organization_id, text) VALUES ($1, $2)', [two, 'foreign']),
  )
  await expect(foreign).rejects.toMatchObject({ code: '42501' })
})

test('what fails inside a transaction leaves nothing behind, and its connection works on', async () => {
  const before = await texts(one)
  const failing = inOrganization(pool, one, async (query) => {
    await query('INSERT INTO notes (organization_id, text) VALUES ($1, $2)', [one, 'half'])
    throw new Error('stop')
  })
  await expect(failing).rejects.toThrow('stop')
  expect(await texts(one)).toEqual(before)
})

test('of statements that were asked for at once none has an effect where one fails, and the reason is that one', async () => {
  const before = await texts(one)
  const insert = 'INSERT INTO notes (organization_id, text) VALUES ($1, $2)'
  for (const mode of ['write', 'snapshot'] as const) {
    const failing = inOrganization(
      pool,
      one,
      (query) => Promise.all([query('SELECT 1'), query('SELECT 1 / $1::integer', [0]), query(insert, [one, 'behind'])]),
      mode,
    )
    await expect(failing).rejects.toMatchObject({ code: '22012' })
  }
  expect(await texts(one)).toEqual(before)
})

test('statements that were asked for at once are done in that order, each seeing what the one before did', async () => {
  const seen = await inOrganization(pool, one, async (query) => {
    const count = () => query<{ n: number }>('SELECT count(*)::integer AS n FROM notes')
    const insert = () => query('INSERT INTO notes (organization_id, text) VALUES ($1, $2)', [one, 'at once'])
    const [[before], , [between], , [after]] = await Promise.all([count(), insert(), count(), insert(), count()])
    return [between, after].map((each) => (each?.n ?? 0) - (before?.n ?? 0))
  })
  expect(seen).toEqual([1, 2])
})

test('what goes on after its transaction has ended asks nothing more of the connection', async () => {
  const outcome = Promise.withResolvers<unknown>()
  const failing = inOrganization(pool, one, async (query) => {
    const goesOn = async () => {
      await query('SELECT 1')
      await texts(two)
      await query('INSERT INTO notes (organization_id, text) VALUES ($1, $2)', [one, 'afterwards'])
    }
    goesOn().then(outcome.resolve, outcome.resolve)
    throw new Error('stop')
  })
  await expect(failing).rejects.toThrow('stop')
  expect(await outcome.promise).toMatchObject({ message: 'the transaction is over' })
  expect(await texts(one)).not.toContain('afterwards')
})

test('a lost connection is worth retrying and is replaced', async () => {
  const admin = connect(database.adminUrl)
  const work = transaction(pool, async (query) => {
    const [own] = await query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    await queryOf(admin)('SELECT pg_terminate_backend($1)', [own?.pid])
    await query('SELECT 1')
  })
  await expect(work).rejects.toBeInstanceOf(RetryableError)
  expect(await texts(null)).toEqual([])
})

test('two who wait for each other: one of them is asked to try again', async () => {
  const worker = connect(database.adminUrl, 2)
  await queryOf(worker)('CREATE TABLE locks AS SELECT generate_series(1, 2) AS id')
  let arrived = 0
  let open = () => {}
  const both = new Promise<void>((resolve) => {
    open = resolve
  })
  const crossing = (first: number, second: number) =>
    transaction(worker, async (query) => {
      await query('SELECT 1 FROM locks WHERE id = $1 FOR UPDATE', [first])
      arrived += 1
      if (arrived === 2) open()
      await both
      await query('SELECT 1 FROM locks WHERE id = $1 FOR UPDATE', [second])
    })
  const outcomes = await Promise.allSettled([crossing(1, 2), crossing(2, 1)])
  expect(outcomes.map((each) => each.status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(outcomes.find((each) => each.status === 'rejected')?.reason).toBeInstanceOf(RetryableError)
})

test('nobody at the address is worth retrying', async () => {
  const away = connect('postgres://nobody@127.0.0.1:1/none')
  await expect(transaction(away, (query) => query('SELECT 1'))).rejects.toBeInstanceOf(RetryableError)
  await expect(migrate('postgres://nobody@127.0.0.1:1/none', { directory, schema: 'persistence', log })).rejects.toBeInstanceOf(
    RetryableError,
  )
})

test('a superuser and the owner are refused as a role of a service, a plain role is not', async () => {
  await assertPlainRole(pool)
  await expect(assertPlainRole(connect(database.adminUrl))).rejects.toMatchObject({ code: 'TOCSIN_ROLE_TOO_STRONG' })
  await expect(assertPlainRole(connect(database.urls.tocsin_owner))).rejects.toThrow('owns schema persistence')
})
