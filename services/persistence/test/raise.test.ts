import { hashKey } from '@tocsin/access'
import { AlertFigures } from '@tocsin/contracts'
import { queryOf } from '@tocsin/postgres'
import { Value } from 'typebox/value'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FieldCipher } from '../src/protection/field-cipher.ts'
import { applyFigures } from '../src/repositories/alerts.ts'
import { createWorld, type World } from './world.ts'

let world: World
let acme: Awaited<ReturnType<World['newOrganization']>>
let key: string
beforeAll(async () => {
  world = await createWorld()
  acme = await world.newOrganization('Acme')
  key = 'tk_a-key-that-may-raise-alerts-and-nothing-else'
  await world.admin(
    `INSERT INTO api_keys (id, organization_id, hash, scopes, name) VALUES (gen_random_uuid(), $1, $2, '{alerts:write}', 'backup-checker')`,
    [acme.organizationId, hashKey(key)],
  )
})
afterAll(() => world.close())

const DISK = {
  type: 'SYSTEM',
  severity: 'HIGH',
  title: 'Disk full',
  description: 'of db-1',
  metadata: { host: 'db-1' },
  tags: ['ops'],
}
const raise = (body: object, as = acme.token, query = '', headers = {}) =>
  world.ask('POST', `/api/alerts${query}`, as, body, headers)
/** Every record of the alert, as the topic will have it; all are applied, as the applier does. */
const recordsOf = async (id: string) => {
  const rows = await world.admin<{ headers: Record<string, string>; value: string; partition: number }>(
    `SELECT headers, value, partition FROM outbox WHERE topic = 'alerts' AND headers ->> 'tocsin-type' IN ('alert.created', 'alert.revised', 'alert.closed') AND value LIKE $1 ORDER BY id`,
    [`%${id}%`],
  )
  const cipher = new FieldCipher(world.workerPool, world.ring.fields)
  await cipher.load([acme.organizationId])
  return Promise.all(
    rows.map(async ({ headers, value, partition }) => {
      const figures = JSON.parse(value) as AlertFigures
      expect([...Value.Errors(AlertFigures, figures)]).toEqual([])
      await applyFigures(queryOf(world.workerPool), cipher, [figures])
      return { type: headers['tocsin-type'], partition, figures }
    }),
  )
}

describe('raising', () => {
  test('makes an alert by a record of the topic, as a detector would', async () => {
    const { status, body } = await raise(DISK)
    expect([status, body.items]).toMatchObject([
      202,
      [{ change: 'created', dedupKey: null, alert: { title: 'Disk full', status: 'active', version: 0 } }],
    ])
    const { id } = body.items[0].alert
    expect(await recordsOf(id)).toMatchObject([
      {
        type: 'alert.created',
        partition: acme.partition,
        figures: { source: 'api:admin@acme', open: true, count: 1, metadata: { host: 'db-1' } },
      },
    ])
    const { evidence: _, ...stored } = (await world.ask('GET', `/api/alerts/${id}`, acme.token)).body
    expect(stored).toEqual(body.items[0].alert)
    expect(await world.admin('SELECT actor, action FROM history WHERE about_id = $1', [id])).toEqual([
      { actor: 'admin@acme', action: 'alert.raised' },
    ])
  })

  test('with the same key while its alert is open is a revision of it, also at the same moment', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => raise({ ...DISK, dedupKey: 'disk/db-1' })))
    const alerts = answers.map(({ body }) => body.items[0].alert)
    expect(new Set(alerts.map(({ id }) => id)).size).toBe(1)
    expect(alerts.map(({ revision }) => revision).toSorted()).toEqual([1, 2, 3, 4, 5, 6])
    const records = await recordsOf(alerts[0].id)
    expect(records.map(({ type, figures }) => [type, figures.revision, figures.count])).toEqual(
      [1, 2, 3, 4, 5, 6].map((n) => [n === 1 ? 'alert.created' : 'alert.revised', n, n]),
    )
  })

  test('after people have ended the alert of a key opens another one', async () => {
    const first = (await raise({ ...DISK, dedupKey: 'disk/db-2' })).body.items[0].alert
    await recordsOf(first.id)
    await world.ask('POST', `/api/alerts/${first.id}/resolve`, acme.token, { notes: 'n' })
    const second = (await raise({ ...DISK, dedupKey: 'disk/db-2' })).body.items[0]
    expect(second).toMatchObject({ change: 'created', alert: { revision: 1 } })
    expect(second.alert.id).not.toBe(first.id)
  })

  test('is for responders and for keys with its scope, and a key is named by what people call it', async () => {
    const viewer = await world.addMember('viewer@acme', acme.organizationId, 'viewer')
    expect((await raise(DISK, viewer)).status).toBe(403)
    const { body } = await raise(DISK, key)
    expect(body.items[0].alert.source).toBe('api:backup-checker')
    expect((await world.ask('GET', '/api/alerts', key)).status).toBe(403)
  })

  test('with an Idempotency-Key raises once', async () => {
    const headers = { 'idempotency-key': 'retry-1' }
    const [first, again] = [await raise(DISK, key, '', headers), await raise(DISK, key, '', headers)]
    expect(again).toMatchObject({ status: 202, body: first.body })
    expect(await recordsOf(first.body.items[0].alert.id)).toHaveLength(1)
  })

  test.each([
    [{ ...DISK, title: 'a\u0000b' }, 400],
    [{ ...DISK, title: ' ' }, 400],
    [{ ...DISK, severity: 'SEVERE' }, 400],
    [{ ...DISK, organizationId: 'x' }, 400],
    [{ ...DISK, metadata: { mergedInto: 'x' } }, 422],
    [{ ...DISK, metadata: { text: 'x'.repeat(70_000) } }, 413],
  ])('refuses what cannot be kept or is reserved: %#', async (body, status) => {
    expect((await raise(body)).status).toBe(status)
  })
})

describe("Alertmanager's webhook", () => {
  const webhook = (status: 'firing' | 'resolved', fingerprint: string, severity = 'critical') => ({
    version: '4',
    groupKey: '{}:{alertname="DiskFull"}',
    status,
    receiver: 'tocsin',
    groupLabels: { alertname: 'DiskFull' },
    externalURL: 'http://alertmanager',
    alerts: [
      {
        status,
        labels: { alertname: 'DiskFull', instance: 'db-1', severity },
        annotations: { summary: 'db-1 is full', description: 'no space left', runbook_url: 'https://runbooks/disk' },
        startsAt: '2026-03-01T10:00:00.000Z',
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: 'http://prometheus',
        fingerprint,
      },
    ],
  })

  test('raises, revises and closes by fingerprint', async () => {
    const send = async (status: 'firing' | 'resolved') =>
      (await raise(webhook(status, 'f1'), acme.token, '?format=alertmanager')).body.items[0]
    const first = await send('firing')
    expect(first).toMatchObject({
      change: 'created',
      alert: {
        severity: 'CRITICAL',
        title: 'db-1 is full',
        group: { alertname: 'DiskFull', instance: 'db-1' },
        firstSeen: '2026-03-01T10:00:00.000Z',
      },
    })
    const { id } = first.alert
    expect(await send('firing')).toMatchObject({ change: 'revised', alert: { id, revision: 2, count: 2 } })
    expect(await send('resolved')).toMatchObject({ change: 'closed', alert: { id, revision: 3, open: false } })
    expect(await send('resolved')).toEqual({ change: 'unchanged', dedupKey: 'alertmanager:f1', alert: null })
    const reopened = await send('firing')
    expect([reopened.change, reopened.alert.id === id]).toEqual(['created', false])
    expect(await recordsOf(id)).toMatchObject([
      {
        type: 'alert.created',
        figures: { metadata: { alertmanager: { groupKey: '{}:{alertname="DiskFull"}' } }, runbook: 'https://runbooks/disk' },
      },
      { type: 'alert.revised' },
      { type: 'alert.closed' },
    ])
  })

  test('is known by its format only, and needs version 4', async () => {
    expect((await raise(webhook('firing', 'f2'))).status).toBe(400)
    expect((await raise({ ...webhook('firing', 'f2'), version: '3' }, key, '?format=alertmanager')).status).toBe(400)
    expect((await raise(webhook('firing', 'f2', 'odd'), key, '?format=alertmanager')).body.items[0].alert.severity).toBe('MEDIUM')
  })
})
