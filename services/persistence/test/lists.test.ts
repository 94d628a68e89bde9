import { sealPage } from '@tocsin/access'
import { ALERT_SORTS, type Alert, type AlertFigures, SEVERITIES, SORT_ORDERS, severityRank } from '@tocsin/contracts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createWorld, type World } from './world.ts'

type Organization = Awaited<ReturnType<World['newOrganization']>>
let world: World
let acme: Organization
let other: Organization
beforeAll(async () => {
  world = await createWorld()
  other = await world.newOrganization('Other')
})
afterAll(() => world.close())

const ask = (query: Record<string, string | number | boolean>, token = acme.token) =>
  world.ask(
    'GET',
    `/api/alerts?${new URLSearchParams(Object.entries(query).map(([key, value]): [string, string] => [key, String(value)]))}`,
    token,
  )
const ids = async (query: Record<string, string | number | boolean>, token = acme.token) =>
  ((await ask({ limit: 500, ...query }, token)).body.items as Alert[]).map(({ id }) => id)

/** A minute of 2026-05-01. */
const at = (minute: number) => new Date(Date.UTC(2026, 4, 1, 0, minute)).toISOString()

describe('pages', () => {
  beforeAll(async () => {
    acme = await world.newOrganization('Pages')
    for (let n = 0; n < 60; n++)
      await world.addAlert(acme.organizationId, {
        severity: SEVERITIES[n % 5] ?? 'LOW',
        count: n % 7,
        createdAt: at(n % 20),
        updatedAt: at(100 + ((n * 7) % 30)),
      })
  })

  const keys: Readonly<Record<(typeof ALERT_SORTS)[number], (alert: Alert) => readonly (string | number)[]>> = {
    created: ({ createdAt, id }) => [createdAt, id],
    updated: ({ updatedAt, id }) => [updatedAt, id],
    severity: ({ severity, createdAt, id }) => [severityRank(severity), createdAt, id],
    count: ({ count, createdAt, id }) => [count, createdAt, id],
  }
  const compare = (a: readonly (string | number)[], b: readonly (string | number)[]): number => {
    const differing = a.findIndex((value, place) => value !== b[place])
    return differing < 0 ? 0 : (a[differing] ?? 0) < (b[differing] ?? 0) ? -1 : 1
  }

  for (const sort of ALERT_SORTS)
    for (const order of SORT_ORDERS)
      test(`by ${sort} ${order} show each alert once and in order, also while others are raised`, async () => {
        const before = new Set(await ids({}))
        const seen: Alert[] = []
        let cursor: string | undefined
        do {
          const { status, body } = await ask({ sort, order, limit: 7, ...(cursor === undefined ? {} : { cursor }) })
          expect(status).toBe(200)
          seen.push(...body.items)
          cursor = body.nextCursor ?? undefined
          await world.addAlert(acme.organizationId, { severity: 'HIGH', count: 3, createdAt: at(10), updatedAt: at(110) })
        } while (cursor !== undefined)
        const seenIds = seen.map(({ id }) => id)
        expect(new Set(seenIds).size).toBe(seenIds.length)
        expect([...before].filter((id) => !seenIds.includes(id))).toEqual([])
        const sorted = seen.map(keys[sort])
        expect(sorted).toEqual([...sorted].sort((a, b) => (order === 'asc' ? compare(a, b) : compare(b, a))))
      })

  test('lose and repeat nothing where times differ by microseconds only', async () => {
    const micro = await world.newOrganization('Micro')
    const made: string[] = []
    for (let n = 0; n < 9; n++) {
      const { id } = await world.addAlert(micro.organizationId)
      await world.admin(`UPDATE alerts SET created_at = '2026-05-01T00:00:00.123${n}00Z' WHERE id = $1`, [id])
      made.unshift(id)
    }
    const seen: string[] = []
    let cursor = ''
    do {
      const { body } = await ask({ limit: 2, ...(cursor === '' ? {} : { cursor }) }, micro.token)
      seen.push(...body.items.map(({ id }: Alert) => id))
      cursor = body.nextCursor ?? ''
    } while (cursor !== '')
    expect(seen).toEqual(made)
  })

  test('are refused with a cursor of another sort, order or organization, or one that was made elsewhere', async () => {
    const { body } = await ask({ sort: 'severity', limit: 2 })
    const cursor: string = body.nextCursor
    expect((await ask({ sort: 'severity', limit: 2, cursor })).status).toBe(200)
    for (const query of [{}, { sort: 'count' }, { sort: 'severity', order: 'asc' }])
      expect((await ask({ ...query, cursor })).body).toMatchObject({ status: 400, code: 'INVALID_CURSOR' })
    expect((await ask({ sort: 'severity', cursor }, other.token)).body.code).toBe('INVALID_CURSOR')
    const forged = sealPage(world.ring, { organizationId: acme.organizationId, sort: 'created', order: 'desc', id: 'x' })
    expect((await ask({ cursor: forged })).body.code).toBe('INVALID_CURSOR')
  })

  test('count only when asked to, and exactly', async () => {
    const all = await ids({})
    expect((await ask({})).body).not.toHaveProperty('total')
    expect((await ask({ total: true, limit: 1 })).body.total).toBe(all.length)
    expect((await ask({ total: true, severity: 'LOW', limit: 1 })).body.total).toBe((await ids({ severity: 'LOW' })).length)
  })
})

describe('filters', () => {
  let alerts: Record<'ada' | 'bob' | 'merged' | 'foreign', AlertFigures>
  beforeAll(async () => {
    acme = await world.newOrganization('Filters')
    const raise = (over: Partial<AlertFigures>, organizationId = acme.organizationId) => world.addAlert(organizationId, over)
    const ada = await raise({
      title: 'Failed sign-ins: ada@example.com',
      description: '100% of 12 tries failed, from host_7.',
      group: { principalId: 'ada@example.com', ip: '192.0.2.1' },
      rule: { id: 'rule-a', name: 'Brute force', version: 1, hash: 'aa' },
      source: 'detector',
      tags: ['attack.t1110'],
    })
    const bob = await raise({
      title: "Bulk export by O'Hara",
      description: 'Many rows left.',
      group: { principalId: 'bob' },
      rule: { id: 'rule-b', name: 'Bulk', version: 1, hash: 'bb' },
      source: 'api:siem',
      tags: ['team.db'],
      metadata: { secret: 'canary' },
    })
    const merged = await raise({ title: 'Part', description: 'Of another.', metadata: { mergedInto: ada.id } })
    const foreign = await raise(
      { title: 'Failed sign-ins: ada@example.com', group: { principalId: 'ada@example.com' } },
      other.organizationId,
    )
    alerts = { ada, bob, merged, foreign }
    await world.ask('POST', `/api/alerts/${ada.id}/acknowledge`, acme.token)
    await world.admin(`UPDATE alerts SET assignee = 'carol' WHERE id = $1`, [ada.id])
  })

  test('by rule, assignee, acknowledged, resolved and source give what fits', async () => {
    const { ada, bob } = alerts
    expect(await ids({ rule: 'rule-a' })).toEqual([ada.id])
    expect(await ids({ assignee: 'carol' })).toEqual([ada.id])
    expect(await ids({ acknowledged: true })).toEqual([ada.id])
    expect(await ids({ acknowledged: false })).toEqual([bob.id])
    expect(await ids({ resolved: true })).toEqual([])
    expect(await ids({ source: 'api:siem', status: 'active' })).toEqual([bob.id])
  })

  test('leave out what was merged into another, unless it is asked for', async () => {
    const { ada, bob, merged } = alerts
    expect((await ids({})).toSorted()).toEqual([ada.id, bob.id].toSorted())
    expect((await ids({ merged: true })).toSorted()).toEqual([ada.id, bob.id, merged.id].toSorted())
  })

  test('by subject and tag are exact, and a label of people counts as a tag', async () => {
    const { ada, bob } = alerts
    expect(await ids({ subject: 'ada@example.com' })).toEqual([ada.id])
    expect(await ids({ subject: '192.0.2.1' })).toEqual([ada.id])
    for (const subject of ['ada', 'ADA@example.com', 'principalId', 'ada@example.com '])
      expect(await ids({ subject })).toEqual([])
    expect(await ids({ tag: 'team.db' })).toEqual([bob.id])
    expect(await ids({ tag: 'team' })).toEqual([])
  })

  test('find a word by its beginning in title, description, group, rule, source and tags, and nothing in metadata or elsewhere', async () => {
    const { ada, bob } = alerts
    for (const q of ['ADA', 'example.com', 'sign-in', 'ins', 'host_7', 'brute', '192.0.2', 't1110', 'fail ada brute'])
      expect([q, await ids({ q })]).toEqual([q, [ada.id]])
    for (const q of ["o'hara", 'bulk EXPORT', 'api:siem', 'siem']) expect([q, await ids({ q })]).toEqual([q, [bob.id]])
    for (const q of ['canary', 'da@example', 'nowhere', 'ada bulk']) expect([q, await ids({ q })]).toEqual([q, []])
    expect((await ask({ q: 'ada', total: true })).body.total).toBe(1)
  })

  test('follow a revision of the alert, and what people change', async () => {
    const { ada } = alerts
    const raised = await world.addAlert(acme.organizationId, {
      title: 'Before',
      description: 'Nobody.',
      group: { principalId: 'zed' },
    })
    await world.addAlert(acme.organizationId, { ...raised, revision: 2, title: 'Afterwards' })
    expect(await ids({ q: 'before' })).toEqual([])
    expect(await ids({ q: 'afterwards', subject: 'zed' })).toEqual([raised.id])
    expect(await ids({ tag: 'seen' })).toEqual([])
    await world.admin(
      `UPDATE alerts SET labels = '{seen}', document = document || label_words(organization_id, '{seen}') WHERE id = $1`,
      [ada.id],
    )
    await world.addAlert(acme.organizationId, { ...ada, revision: 2 })
    expect(await ids({ tag: 'seen', q: 'ada' })).toEqual([ada.id])
  })

  test('find the same by every way: near, among few, and by walking where many have the word', async () => {
    const many = await world.newOrganization('Many')
    await world.admin(
      `INSERT INTO alerts (id, organization_id, severity, type, title, description, source, metadata, created_at, rule, "group", "window",
                           first_seen, last_seen, count, peak, revision, open, backfilled, document)
       SELECT gen_random_uuid(), $1::uuid, 'LOW', 'SYSTEM', n::text, '', 'bulk', '\\x007b7d', now() - make_interval(secs => n), '{"id": "r"}', '{}', '{}',
              now(), now(), n, 1, 1, true, false, array_to_tsvector(ARRAY[left($1::uuid::text, 8) || CASE WHEN n > 1500 AND n % 2 = 0 THEN 'even' ELSE 'odd' END,
                left($1::uuid::text, 8) || CASE n WHEN 5555 THEN 'needle' ELSE 'hay' END])
         FROM generate_series(1, 6000) AS n`,
      [many.organizationId],
    )
    const titles = async (q: string, more: object = {}) =>
      (await ask({ q, limit: 3, ...more }, many.token)).body.items.map(({ title }: Alert) => title)
    expect(await titles('hay')).toEqual(['1', '2', '3'])
    expect(await titles('needle')).toEqual(['5555'])
    expect(await titles('even')).toEqual(['1502', '1504', '1506'])
    expect(await titles('even', { sort: 'count' })).toEqual(['6000', '5998', '5996'])
    expect((await ask({ q: 'even', total: true, limit: 1 }, many.token)).body.total).toBe(2250)
  })

  test('that look into what is masked are refused to those who may not read it', async () => {
    const viewer = await world.addMember('viewer@filters', acme.organizationId, 'viewer')
    for (const query of [{ q: 'ada' }, { subject: 'ada@example.com' }])
      expect((await ask(query, viewer)).body).toMatchObject({
        status: 403,
        code: 'FORBIDDEN',
        detail: expect.stringContaining('sensitive:read'),
      })
    expect((await ask({ rule: 'rule-a', sort: 'severity' }, viewer)).status).toBe(200)
  })

  const HOSTILE = [
    `' OR '1'='1`,
    `'; DROP TABLE alerts; --`,
    `x') OR organization_id IS NOT NULL --`,
    '%',
    '_',
    '%zz%',
    `ada' | 'bob`,
    'zz | ada',
    '!zz',
    'ada:* | zz & (',
    '\\',
    `\\'`,
    `a'\\b`,
    '<-> <9>',
    '$8',
    '{"$ne":null}',
    '\u202e\u200b',
    '😀',
    'x'.repeat(200),
  ]
  test('take whatever is typed as text: nothing of it is SQL, a wildcard or an operator', async () => {
    const all = (await ids({})).length
    for (const hostile of HOSTILE)
      for (const name of ['q', 'source', 'rule', 'subject', 'tag', 'assignee'])
        if (!(name === 'source' && hostile.length > 50)) {
          const { status, body } = await ask({ [name]: hostile })
          expect([name, hostile, status === 200 ? body.items : body.code]).toEqual([
            name,
            hostile,
            status === 200 ? [] : 'INVALID_REQUEST',
          ])
          // Only where there is no word at all.
          if (status !== 200) expect([name, /[\p{L}\p{N}]/u.test(hostile)]).toEqual(['q', false])
        }
    for (const name of [
      'status',
      'severity',
      'type',
      'sort',
      'order',
      'from',
      'acknowledged',
      'total',
      'cursor',
      'limit',
      'organizationId',
      'nothing',
    ])
      for (const hostile of HOSTILE.slice(0, 3))
        expect([name, hostile, (await ask({ [name]: hostile })).status]).toEqual([name, hostile, 400])
    for (const limit of ['1e9', '501', '0', '-1', 'NaN']) expect([limit, (await ask({ limit })).status]).toEqual([limit, 400])
    for (const name of ['q', 'source', 'rule', 'subject', 'tag', 'assignee'])
      for (const text of ['a\0b', '\0'])
        expect([name, (await ask({ [name]: text })).body.code]).toEqual([name, 'INVALID_REQUEST'])
    expect((await ids({})).length).toBe(all)
  })
})
