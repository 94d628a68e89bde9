import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorld, type World } from './world.ts'

let world: World
let acme: Awaited<ReturnType<World['newOrganization']>>
beforeAll(async () => {
  world = await createWorld()
  acme = await world.newOrganization('Acme')
})
afterAll(() => world.close())

const bulk = (body: object, headers = {}) => world.ask('POST', '/api/alerts/bulk', acme.token, body, headers)
const someAlerts = async (many: number, source: string) => {
  const ids: string[] = []
  for (let at = 0; at < many; at++) ids.push((await world.addAlert(acme.organizationId, { source })).id)
  return ids.sort()
}
const entries = async (action: string) => {
  const [row] = await world.admin<{ entries: bigint }>('SELECT count(*) AS entries FROM history WHERE action = $1', [action])
  return Number(row?.entries)
}

test('acts on each alert by itself: done, refused with the present state, or missing as another organization’s is', async () => {
  const ids = await someAlerts(3, 'one')
  const { id: missing } = await world.addAlert((await world.newOrganization('Other')).organizationId)
  await world.ask('POST', `/api/alerts/${ids[1]}/resolve`, acme.token, { notes: 'n' })
  const { body } = await bulk({ do: { act: 'acknowledge', comment: 'all mine' }, ids: [...ids, missing] })
  expect(body).toMatchObject({ matched: 3, done: 2 })
  expect(body.items).toEqual(
    [
      { id: ids[0], outcome: 'done', present: 'acknowledged', version: 1 },
      { id: ids[1], outcome: 'refused', reason: 'alreadyEnded', present: 'resolved', version: 1 },
      { id: ids[2], outcome: 'done', present: 'acknowledged', version: 1 },
      { id: missing, outcome: 'missing' },
    ].toSorted((one, other) => ((one.id ?? '') < (other.id ?? '') ? -1 : 1)),
  )
  expect(await entries('alert.acknowledged')).toBe(2)
  const [row] = await world.admin<{ records: bigint }>(
    `SELECT count(*) AS records FROM outbox WHERE headers ->> 'tocsin-type' = 'alert.acknowledged'`,
  )
  expect(row?.records).toBe(2n)
})

test('counts exactly what a filter fits, changes nothing on a dry run, and then acts on these', async () => {
  await someAlerts(5, 'two')
  const body = { do: { act: 'dismiss', reason: 'test' }, filter: { source: 'two' } }
  expect((await bulk({ ...body, dryRun: true })).body).toEqual({ matched: 5, done: 0, items: [] })
  expect(await entries('alert.dismissed')).toBe(0)
  expect((await bulk(body)).body).toMatchObject({ matched: 5, done: 5 })
  expect((await bulk({ ...body, filter: { ...body.filter, status: 'active' }, dryRun: true })).body.matched).toBe(0)
})

test('sent again with its key after it was cut off, it goes on where it stood', async () => {
  const ids = await someAlerts(130, 'three')
  const body = { do: { act: 'comment', comment: 'seen' }, filter: { source: 'three' } }
  const headers = { 'idempotency-key': 'bulk-1' }
  const first = await bulk(body, headers)
  expect(first.body).toMatchObject({ matched: 130, done: 130 })
  // As if the service had died before its last batch.
  const gone = ids.slice(100)
  await world.admin(`DELETE FROM idempotency_keys WHERE key = 'bulk-1/100'`)
  await someAlerts(1, 'three')
  const again = await bulk(body, headers)
  expect(again.body).toMatchObject({ matched: 130, done: 130 })
  const versions = again.body.items.map(({ version }: { version: number }) => version)
  expect(versions).toEqual(ids.map((id) => (gone.includes(id) ? 2 : 1)))
})

test.each([
  [{ do: { act: 'acknowledge' } }],
  [{ do: { act: 'acknowledge' }, ids: [crypto.randomUUID()], filter: {} }],
  [{ do: { act: 'vanish' }, ids: [crypto.randomUUID()] }],
  [{ do: { act: 'resolve' }, ids: [crypto.randomUUID()] }],
  [{ do: { act: 'acknowledge' }, ids: Array.from({ length: 1_001 }, () => crypto.randomUUID()) }],
])('refuses what names no alerts, both ways, or no act: %#', async (body) => {
  expect((await bulk(body)).status).toBe(400)
})

test('needs what the act needs', async () => {
  const viewer = await world.addMember('viewer@acme', acme.organizationId, 'viewer')
  const body = { do: { act: 'comment', comment: 'c' }, ids: [crypto.randomUUID()] }
  expect((await world.ask('POST', '/api/alerts/bulk', viewer, body)).status).toBe(403)
})
