import type { Alert, AlertFigures } from '@tocsin/contracts'
import { transaction } from '@tocsin/postgres'
import { waitFor } from '@tocsin/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createWorld, figuresOf, type World } from './world.ts'

let world: World
let acme: Awaited<ReturnType<World['newOrganization']>>
let alert: AlertFigures
beforeAll(async () => {
  world = await createWorld()
  acme = await world.newOrganization('Evidence')
  const [event] = figuresOf(acme.organizationId).evidence
  if (event === undefined) throw new Error('no evidence')
  alert = await world.addAlert(acme.organizationId, {
    title: '=HYPERLINK("http://evil","x")',
    group: { principalId: 'ada', ip: '192.0.2.1' },
    evidence: [
      { ...event, subject: '=cmd|calc', target: '-2+3', action: '@SUM(1,"2")' },
      { ...event, id: 'e2', subject: 'a "b",\r\nc' },
    ],
  })
})
afterAll(() => world.close())

/** As it is sent. */
const fetchText = async (path: string, token = acme.token) => {
  const { statusCode, headers, body } = await world.api.inject({
    method: 'GET',
    url: path,
    headers: { authorization: `Bearer ${token}` },
  })
  return { status: statusCode, type: headers['content-type'], body }
}
const reads = (id: string) =>
  world.admin<{ actor: string }>(`SELECT actor FROM history WHERE about_id = $1 AND action = 'evidence.read' ORDER BY position`, [
    id,
  ])

describe('evidence', () => {
  test('is given as JSON, as an OCSF finding of class 2004, and as CSV that no spreadsheet runs', async () => {
    const at = `/api/alerts/${alert.id}/evidence`
    const json = JSON.parse((await fetchText(at)).body)
    expect(json).toEqual({ alertId: alert.id, revision: 1, evidence: alert.evidence })
    const ocsf = await fetchText(`${at}?format=ocsf`)
    expect(ocsf.type).toMatch(/^application\/json/)
    expect(JSON.parse(ocsf.body)).toMatchObject({
      class_uid: 2004,
      type_uid: 200401,
      severity_id: 4,
      severity: 'High',
      status: 'New',
      finding_info: { uid: alert.id, analytic: { uid: alert.rule.id, type_id: 1 } },
      evidences: [{ actor: { user: { name: '=cmd|calc' } }, src_endpoint: { ip: '192.0.2.1' } }, { uid: 'e2' }],
    })
    const csv = await fetchText(`${at}?format=csv`)
    expect(csv.type).toMatch(/^text\/csv/)
    expect(csv.body.split('\r\n')[0]).toBe(
      'id,t,subject,action,outcome,target,ip,recordCount,classification,topic,partition,offset',
    )
    expect(csv.body).toContain(`e1,2026-03-01T10:00:00.000Z,'=cmd|calc,"'@SUM(1,""2"")",failure,'-2+3,192.0.2.1,`)
    expect(csv.body).toContain('"a ""b"",\r\nc"')
    expect((await fetchText(`${at}?format=xml`)).status).toBe(400)
  })

  test('that was read is an entry of the history: once for each reader, alert and hour, by whichever way', async () => {
    const own = await world.addAlert(acme.organizationId)
    const auditor = await world.addMember('auditor@evidence', acme.organizationId, 'auditor')
    for (let round = 0; round < 3; round++) {
      await fetchText(`/api/alerts/${own.id}/evidence`)
      await fetchText(`/api/alerts/${own.id}`)
    }
    await fetchText(`/api/alerts/${own.id}`, auditor)
    expect(await reads(own.id)).toEqual([{ actor: 'admin@evidence' }, { actor: 'auditor@evidence' }])
  })

  test('is not for those who may not read it, and reading is noted of nobody else', async () => {
    const own = await world.addAlert(acme.organizationId)
    const viewer = await world.addMember('viewer@evidence', acme.organizationId, 'viewer')
    for (const path of ['evidence', 'related'])
      expect((await fetchText(`/api/alerts/${own.id}/${path}`, viewer)).status).toBe(403)
    expect((await fetchText(`/api/alerts/${own.id}`, viewer)).status).toBe(200)
    const other = await world.newOrganization('Elsewhere')
    for (const path of ['', '/evidence', '/related'])
      expect((await fetchText(`/api/alerts/${own.id}${path}`, other.token)).status).toBe(404)
    expect(await reads(own.id)).toEqual([])
  })
})

test('related alerts share a value of the group, newest first, and are of the organization only', async () => {
  const sameIp = await world.addAlert(acme.organizationId, { group: { ip: '192.0.2.1' }, createdAt: '2026-03-03T00:00:00.000Z' })
  const sameName = await world.addAlert(acme.organizationId, { group: { subject: 'ada' }, createdAt: '2026-03-02T00:00:00.000Z' })
  await world.addAlert(acme.organizationId, { group: { principalId: 'adam' } })
  const other = await world.newOrganization('Strangers')
  await world.addAlert(other.organizationId, { group: { principalId: 'ada' } })
  const related = async (id: string, query = '') =>
    JSON.parse((await fetchText(`/api/alerts/${id}/related${query}`)).body).items.map((each: Alert) => each.id)
  const found = await related(alert.id)
  expect(found.slice(0, 2)).toEqual([sameIp.id, sameName.id])
  expect(found).not.toContain(alert.id)
  expect(await related(alert.id, '?limit=1')).toEqual([sameIp.id])
  const lonely = await world.addAlert(acme.organizationId, { group: {} })
  expect(await related(lonely.id)).toEqual([])
})

describe('an export', () => {
  test('holds every alert that fits once, as lines of JSON or as CSV that no spreadsheet runs, and is an entry of the history', async () => {
    const many = await world.newOrganization('Many')
    for (let n = 0; n < 30; n++)
      await world.addAlert(many.organizationId, { title: n === 0 ? '=1+1' : `t${n}`, severity: n % 2 ? 'LOW' : 'HIGH' })
    await world.admin(
      `INSERT INTO alerts (id, organization_id, severity, type, title, description, source, metadata, rule, "group", "window", first_seen, last_seen,
                           count, peak, revision, open, backfilled)
       SELECT gen_random_uuid(), $1, 'LOW', 'SYSTEM', 'x', '', 'bulk', '\\x007b7d', '{"id": "r"}', '{}', '{}', now(), now(), 1, 1, 1, true, false
         FROM generate_series(1, 600)`,
      [many.organizationId],
    )
    const ndjson = await fetchText('/api/alerts/export?format=ndjson', many.token)
    expect([ndjson.status, ndjson.type]).toEqual([200, 'application/x-ndjson'])
    const lines = ndjson.body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Alert)
    expect([lines.length, new Set(lines.map(({ id }) => id)).size]).toEqual([630, 630])
    const high = await fetchText('/api/alerts/export?format=csv&severity=HIGH', many.token)
    const rows = high.body.trimEnd().split('\r\n')
    expect(rows).toHaveLength(16)
    expect(rows.filter((row) => row.includes(",'=1+1,"))).toHaveLength(1)
    const entries = await world.admin(`SELECT 1 FROM history WHERE organization_id = $1 AND action = 'alerts.exported'`, [
      many.organizationId,
    ])
    expect(entries).toHaveLength(2)
  })

  test('is for those who may, and runs twice at once for an organization', async () => {
    const viewer = await world.addMember('viewer@export', acme.organizationId, 'viewer')
    expect((await fetchText('/api/alerts/export?format=csv', viewer)).status).toBe(403)
    const running: ReturnType<typeof fetchText>[] = []
    await transaction(world.workerPool, async (query) => {
      await query('LOCK TABLE alerts IN ACCESS EXCLUSIVE MODE')
      running.push(fetchText('/api/alerts/export'), fetchText('/api/alerts/export'))
      await waitFor(
        async () =>
          (await world.admin(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%alerts%'`)).length >=
          2,
        { limitMs: 30_000, what: 'two exports under way' },
      )
      const third = await fetchText('/api/alerts/export')
      expect([third.status, JSON.parse(third.body).code]).toEqual([429, 'TOO_MANY_EXPORTS'])
    })
    for (const { status } of await Promise.all(running)) expect(status).toBe(200)
    for (let round = 0; round < 3; round++) expect((await fetchText('/api/alerts/export?format=csv&q=%25')).status).toBe(400)
    expect((await fetchText('/api/alerts/export?format=csv')).status).toBe(200)
  })
})
