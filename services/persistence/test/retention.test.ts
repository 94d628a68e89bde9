import type { AlertFigures, HoldScope } from '@tocsin/contracts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyBatch } from '../src/applier.ts'
import { createMetrics } from '../src/metrics.ts'
import { FieldCipher } from '../src/protection/field-cipher.ts'
import { applyRetention } from '../src/protection/retention.ts'
import { createWorld, type World } from './world.ts'

let world: World
let organization: Awaited<ReturnType<World['newOrganization']>>
let cipher: FieldCipher
beforeAll(async () => {
  world = await createWorld()
  cipher = new FieldCipher(world.workerPool, world.ring.fields)
  organization = await world.newOrganization('Kept')
})
afterAll(() => world.close())

/** An ended alert whose last change lies `days` back. */
async function ended(days: number, over: Partial<AlertFigures> = {}): Promise<AlertFigures> {
  const figures = await world.addAlert(organization.organizationId, { open: false, ...over })
  await world.admin(`UPDATE alerts SET status = 'resolved', updated_at = now() - $2 * interval '1 day' WHERE id = $1`, [
    figures.id,
    days,
  ])
  return figures
}
const retain = () =>
  applyRetention({
    pool: world.workerPool,
    cipher,
    historyKeys: world.ring.history,
    onDeleted: (id) => world.cache.changed([id]),
  })
const answers = async (...alerts: readonly AlertFigures[]) =>
  Promise.all(alerts.map(async ({ id }) => (await world.ask('GET', `/api/alerts/${id}`, organization.token)).status))
const hold = async (scope: HoldScope) => {
  const { status, body } = await world.ask('POST', '/api/holds', organization.token, { scope, reason: 'case 17' })
  expect(status).toBe(201)
  return body.id as string
}
const release = (id: string) =>
  world.api.inject({ method: 'DELETE', url: `/api/holds/${id}`, headers: { authorization: `Bearer ${organization.token}` } })

test('ended alerts past their days go, each severity by its own; young, open and unhandled ones stay', async () => {
  const changed = await world.ask('PATCH', `/api/organizations/${organization.organizationId}`, organization.token, {
    settings: { retentionDays: { LOW: 30 } },
  })
  expect(changed.status).toBe(200)
  const old = await ended(401)
  const young = await ended(399)
  const low = await ended(31, { severity: 'LOW' })
  const open = await ended(500, { open: true })
  const unhandled = await ended(500)
  await world.admin(`UPDATE alerts SET status = 'active' WHERE id = $1`, [unhandled.id])
  await world.admin('DELETE FROM outbox')
  await retain()
  expect(await answers(old, low, young, open, unhandled)).toEqual([404, 404, 200, 200, 200])

  const records = await world.admin<{ topic: string; value: string; headers: Record<string, string> }>('SELECT * FROM outbox')
  expect(records.map(({ headers, value }) => [headers['tocsin-type'], JSON.parse(value).id])).toEqual(
    expect.arrayContaining([
      ['alert.erased', old.id],
      ['alert.erased', low.id],
    ]),
  )
  const history = await world.ask('GET', '/api/history?action=alerts.deleted', organization.token)
  expect(history.body.items.flatMap((item: { details: { alertIds: string[] } }) => item.details.alertIds).sort()).toEqual(
    [old.id, low.id].sort(),
  )
  expect(await world.admin('SELECT 1 FROM alert_evidence WHERE alert_id = $1', [old.id])).toEqual([])
})

test('a key whose alert was deleted is forgotten, and raised again it opens another alert', async () => {
  const raise = async () =>
    (
      await world.ask('POST', '/api/alerts', organization.token, {
        ...{ type: 'SYSTEM', severity: 'HIGH', title: 'Disk full', dedupKey: 'disk' },
      })
    ).body.items[0].alert as { readonly id: string }
  const first = await raise()
  await ended(401, { id: first.id })
  await retain()
  expect(await world.admin('SELECT 1 FROM raised_alerts')).toEqual([])
  const second = await raise()
  expect(second.id).not.toBe(first.id)
  expect(await world.admin('SELECT alert_id, openings FROM raised_alerts')).toEqual([{ alert_id: second.id, openings: 1 }])
})

test('a replay and a late revision of a deleted alert do not bring it back, and the rest of their batch is applied', async () => {
  const { organizationId, partition } = organization
  const gone = await ended(401)
  await retain()
  const other = { ...gone, id: crypto.randomUUID() }
  await world.admin(`INSERT INTO offsets (topic, partition, next, cluster_id) VALUES ('alerts', $1, 0, 'c')`, [partition])
  const handled = await applyBatch(
    { pool: world.workerPool, cipher, metrics: createMetrics() },
    {
      topic: 'alerts',
      partition,
      from: 0n,
      to: 3n,
      items: [gone, { ...gone, revision: 9 }, other].map((figures, index) => ({
        record: { topic: 'alerts', partition, offset: BigInt(index), key: null, value: null, headers: {}, appendTime: 0 },
        value: { half: 'figures' as const, type: 'alert.revised' as const, figures: { ...figures, organizationId } },
      })),
    },
    'c',
  )
  expect(handled).toHaveLength(3)
  expect(await answers(gone, other)).toEqual([404, 200])
})

test.each<[string, (alert: AlertFigures) => HoldScope]>([
  ['by id', ({ id }) => ({ alertIds: [id] })],
  ['by rule', ({ rule }) => ({ ruleId: rule.id })],
  ['by subject', ({ group }) => ({ subject: group['principalId'] ?? '' })],
  ['with everything', () => ({ everything: true })],
])('an alert that is held %s stays until the hold is released, which the history tells', async (_, scopeOf) => {
  const name = crypto.randomUUID()
  const held = await ended(401, { group: { principalId: `o'${name}` }, rule: { id: `r.${name}`, name, version: 1, hash: 'ab' } })
  const id = await hold(scopeOf(held))
  await retain()
  expect(await answers(held)).toEqual([200])
  expect((await release(id)).statusCode).toBe(200)
  expect((await release(id)).statusCode).toBe(404)
  await retain()
  expect(await answers(held)).toEqual([404])
  const acts = await world.ask('GET', `/api/history?aboutKind=hold&aboutId=${id}`, organization.token)
  expect(acts.body.items.map(({ action }: { action: string }) => action)).toEqual(['hold.released', 'hold.placed'])
})

test('holds of another organization hold nothing here, and nobody else sees or releases ours', async () => {
  const other = await world.newOrganization('Other')
  const placed = await world.ask('POST', '/api/holds', other.token, { scope: { everything: true }, reason: 'theirs' })
  const old = await ended(401)
  await retain()
  expect(await answers(old)).toEqual([404])
  expect((await release(placed.body.id)).statusCode).toBe(404)
  expect(
    (await world.ask('GET', '/api/holds', organization.token)).body.items.map((each: { reason: string }) => each.reason),
  ).not.toContain('theirs')
})
