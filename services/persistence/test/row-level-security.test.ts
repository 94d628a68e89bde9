import { createPool, inOrganization, type Pool, queryOf } from '@tocsin/postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorld, OPERATOR, silent, type World } from './world.ts'

const FILLED = new Set(['alerts', 'alert_evidence', 'history', 'history_payloads', 'data_keys', 'api_keys', 'memberships'])

let world: World
let one: Pool
let organizations: { organizationId: string; token: string }[]
/** Every table with an organization that the role of the routes may read. */
let tables: string[]
beforeAll(async () => {
  world = await createWorld()
  one = createPool(world.database.urls.tocsin_api, { name: 'one', max: 1, log: silent })
  organizations = [await world.newOrganization('First'), await world.newOrganization('Second')]
  const found = await world.admin<{ relname: string }>(
    `SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'
      WHERE c.relnamespace = 'persistence'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND has_table_privilege('tocsin_api', c.oid, 'SELECT')`,
  )
  tables = found.map(({ relname }) => relname)
  for (const { organizationId, token } of organizations) {
    const { id } = await world.addAlert(organizationId)
    await world.ask('POST', `/api/alerts/${id}/acknowledge`, token)
  }
})
afterAll(async () => {
  await one.end()
  await world.close()
})

test('one connection that serves two organizations in turn, and none between, never shows a row of another', async () => {
  for (let round = 0; round < 3; round++)
    for (const { organizationId } of organizations) {
      for (const table of tables) {
        const count = `SELECT count(*)::integer AS rows, count(*) FILTER (WHERE organization_id = $1)::integer AS own FROM ${table}
                        WHERE organization_id IS NOT NULL`
        const seen = await inOrganization(one, organizationId, (query) =>
          query<{ rows: number; own: number }>(count, [organizationId]),
        )
        expect([table, seen[0]?.rows]).toEqual([table, seen[0]?.own])
        // And there was something to see.
        if (FILLED.has(table)) expect([table, seen[0]?.own]).not.toEqual([table, 0])
        const none = [{ rows: 0, own: 0 }]
        expect([table, await queryOf(one)(count, [organizationId])]).toEqual([table, none])
        expect([table, await inOrganization(one, null, (query) => query(count, [organizationId]))]).toEqual([table, none])
      }
      expect(await inOrganization(one, organizationId, (query) => query('SELECT id FROM organizations'))).toEqual([
        { id: organizationId },
      ])
    }
})

test('the role of the routes cannot act on another organization, nor beyond what people may change', async () => {
  const [first, second] = organizations
  const as = (sql: string, values: unknown[] = []) =>
    inOrganization(one, first?.organizationId ?? null, (query) => query(sql, values))
  expect(
    await as(`UPDATE alerts SET status = 'dismissed' WHERE organization_id = $1 RETURNING id`, [second?.organizationId]),
  ).toEqual([])
  const denied = { code: '42501' }
  const outbox = `INSERT INTO outbox (organization_id, topic, partition, key, value, headers) VALUES ($1, 'alerts', 0, '', '', '{}')`
  await expect(as(outbox, [second?.organizationId])).rejects.toMatchObject(denied)
  await expect(as(outbox, [null])).rejects.toMatchObject(denied)
  for (const sql of [
    'UPDATE alerts SET count = 0',
    'UPDATE alerts SET organization_id = gen_random_uuid()',
    'DELETE FROM alerts',
    'UPDATE history SET actor = NULL',
    'DELETE FROM history',
    `INSERT INTO subjects (subject, operator, version) VALUES ('me', true, 1)`,
    'UPDATE subjects SET operator = true',
    'UPDATE offsets SET next = 0',
    `INSERT INTO rules (rule_id, organization_id, version, state, owner) VALUES ('x', NULL, 1, 'active', 'pack')`,
    'SET ROLE tocsin_worker',
    'ALTER TABLE alerts NO FORCE ROW LEVEL SECURITY',
  ])
    await expect(as(sql), sql).rejects.toMatchObject(denied)
})

test('nobody rewrites the history, not even the worker', async () => {
  await expect(queryOf(world.workerPool)(`UPDATE history SET actor = 'nobody'`)).rejects.toMatchObject({ code: '42501' })
  await expect(queryOf(world.workerPool)('DELETE FROM history')).rejects.toMatchObject({ code: '42501' })
})

test('the reader sees every organization and changes nothing', async () => {
  const reader = createPool(world.database.urls.tocsin_reader, { name: 'reader', max: 1, log: silent })
  try {
    expect(await queryOf(reader)('SELECT id FROM alerts')).toHaveLength(2)
    await expect(queryOf(reader)('DELETE FROM alerts')).rejects.toMatchObject({ code: '42501' })
  } finally {
    await reader.end()
  }
})

test('every table with an organization has row-level security, forced', async () => {
  const open = await world.admin(
    `SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'
      WHERE c.relnamespace = 'persistence'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND NOT (c.relrowsecurity AND c.relforcerowsecurity)`,
  )
  expect(open).toEqual([])
})

test('functions that run with their owner’s rights have a fixed search path and are for nobody by default', async () => {
  const loose = await world.admin(
    `SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'persistence'::regnamespace AND p.prosecdef
        AND (array_to_string(p.proconfig, ',') !~ 'search_path=(pg_catalog, )?persistence, pg_temp'
             OR p.proconfig IS NULL OR has_function_privilege('tocsin_reader', p.oid, 'EXECUTE'))`,
  )
  expect(loose).toEqual([])
})

test('nobody lists organizations without being an operator', async () => {
  const listAs = (subject: string) =>
    inOrganization(one, null, async (query) => {
      await query(`SELECT set_config('app.subject', $1, true)`, [subject])
      return query('SELECT id FROM organizations')
    })
  expect([await listAs(''), await listAs('admin@first'), await listAs(OPERATOR)].map((rows) => rows.length)).toEqual([0, 1, 2])
})

test('the table alerts has the six indexes of the seed under their names', async () => {
  const rows = await world.admin<{ indexname: string }>(`SELECT indexname FROM pg_indexes WHERE tablename = 'alerts'`)
  expect(rows.map((row) => row.indexname)).toEqual(
    expect.arrayContaining(
      ['organization', 'status', 'severity', 'type', 'source', 'timestamp'].map((name) => `idx_alerts_${name}`),
    ),
  )
})
