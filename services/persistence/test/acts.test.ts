import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expireAcknowledgements } from '../src/expire-acknowledgements.ts'
import { FieldCipher } from '../src/protection/field-cipher.ts'
import { createWorld, type World } from './world.ts'

type Organization = Awaited<ReturnType<World['newOrganization']>>
let world: World
let acme: Organization
beforeAll(async () => {
  world = await createWorld()
  acme = await world.newOrganization('Acme')
  await world.addMember('eve@acme', acme.organizationId, 'responder')
})
afterAll(() => world.close())

const newAlert = async () => (await world.addAlert(acme.organizationId)).id
const act = (id: string, action: string, body?: unknown, headers?: Record<string, string>) =>
  world.ask(action === 'assignee' ? 'PUT' : 'POST', `/api/alerts/${id}/${action}`, acme.token, body, headers)

describe('the life of an alert', () => {
  test('goes back as well as forward, each change with actor, channel and comment in the history and on the topic', async () => {
    const id = await newAlert()
    const headers = { 'x-tocsin-channel': 'cli' }
    expect((await act(id, 'acknowledge', { comment: 'mine' }, headers)).body).toMatchObject({
      status: 'acknowledged',
      version: 1,
    })
    expect((await act(id, 'unacknowledge')).body).toMatchObject({ status: 'active', acknowledgedBy: null, version: 2 })
    const resolution = { notes: 'locked', action: 'account locked', metadata: { ticket: 'T-1' } }
    expect((await act(id, 'resolve', resolution, { 'x-tocsin-channel': 'root' })).body).toMatchObject({
      status: 'resolved',
      resolutionNotes: 'locked',
      resolutionAction: 'account locked',
      resolutionMetadata: { ticket: 'T-1' },
      endedAtCount: 5,
    })
    expect((await act(id, 'reopen')).body).toMatchObject({ status: 'active', resolved: false, endedAtCount: null, version: 4 })
    const history = await world.admin('SELECT action, channel FROM history WHERE about_id = $1 ORDER BY version', [id])
    expect(history.map(({ action, channel }) => [action, channel])).toEqual([
      ['alert.acknowledged', 'cli'],
      ['alert.unacknowledged', 'api'],
      ['alert.resolved', 'api'],
      ['alert.reopened', 'api'],
    ])
    const published = await world.admin<{ value: string }>(`SELECT value FROM outbox WHERE topic = 'alerts' AND value LIKE $1`, [
      `%${id}%`,
    ])
    expect(published.map(({ value }) => JSON.parse(value)).map(({ version, comment }) => [version, comment])).toEqual([
      [1, 'mine'],
      [2, undefined],
      [3, undefined],
      [4, undefined],
    ])
  })

  test('an assignee is a member or nobody; comments and labels are kept in any state', async () => {
    const id = await newAlert()
    expect((await act(id, 'assignee', { assignee: 'eve@acme' })).body).toMatchObject({ assignee: 'eve@acme', version: 1 })
    expect((await act(id, 'assignee', { assignee: 'mallory@evil' })).body).toMatchObject({
      status: 422,
      code: 'UNKNOWN_ASSIGNEE',
    })
    expect((await act(id, 'assignee', { assignee: 'eve@acme' })).body).toMatchObject({ status: 409, reason: 'alreadyThere' })
    await act(id, 'dismiss', { reason: 'benign' })
    expect((await act(id, 'comments', { comment: 'as every Monday' })).body).toMatchObject({ status: 'dismissed', version: 3 })
    expect((await act(id, 'labels', { add: ['Scanner', 'scanner '], remove: ['x'] })).body).toMatchObject({ labels: ['scanner'] })
    expect((await act(id, 'assignee', { assignee: null })).body).toMatchObject({ assignee: null, version: 5 })
    expect((await act(id, 'comments', { comment: ' ' })).status).toBe(400)
    expect((await act(id, 'labels', { add: [' '] })).status).toBe(400)
  })
})

describe('an acknowledgement', () => {
  const PERIODS = { LOW: 60_000, MEDIUM: null }
  const expireTwice = () => {
    const cipher = new FieldCipher(world.workerPool, world.ring.fields)
    return Promise.all([1, 2].map(() => expireAcknowledgements({ pool: world.workerPool, cipher, cache: world.cache })))
  }
  const pass = (ms: number) =>
    world.admin(`UPDATE alerts SET acknowledgement_expires_at = acknowledgement_expires_at - $1 * interval '1 ms'`, [ms])

  test('is over after the time of its severity, once, also where two instances look at the same moment', async () => {
    const settings = { acknowledgementExpiryMs: PERIODS }
    await world.ask('PATCH', `/api/organizations/${acme.organizationId}`, acme.token, { settings })
    const ids: string[] = []
    for (const severity of ['LOW', 'MEDIUM', 'HIGH'] as const) {
      const { id } = await world.addAlert(acme.organizationId, { severity })
      await act(id, 'acknowledge')
      ids.push(id)
    }
    const states = async () =>
      (await Promise.all(ids.map((id) => world.ask('GET', `/api/alerts/${id}`, acme.token)))).map(({ body }) => body.status)
    await expireTwice()
    expect(await states()).toEqual(['acknowledged', 'acknowledged', 'acknowledged'])
    await pass(60_000)
    await expireTwice()
    expect(await states()).toEqual(['active', 'acknowledged', 'acknowledged'])
    await pass(4 * 3_600_000)
    await expireTwice()
    expect(await states()).toEqual(['active', 'acknowledged', 'active'])
    const history = await world.admin('SELECT actor, channel, action FROM history WHERE about_id = $1 AND version = 2', [ids[0]])
    expect(history).toEqual([{ actor: 'system', channel: 'system', action: 'alert.unacknowledged' }])
    const [row] = await world.admin<{ records: bigint }>(
      `SELECT count(*) AS records FROM outbox WHERE headers ->> 'tocsin-type' = 'alert.unacknowledged' AND value LIKE $1`,
      [`%${ids[0]}%`],
    )
    expect(row?.records).toBe(1n)
  })
})

describe('If-Match', () => {
  test('the ETag of an answer is the version, and who acts on an old one is told who was first', async () => {
    const id = await newAlert()
    const seen = await world.ask('GET', `/api/alerts/${id}`, acme.token)
    expect(seen.headers['etag']).toBe('"0"')
    const first = await act(id, 'acknowledge', undefined, { 'if-match': '"0"' })
    expect([first.status, first.headers['etag']]).toEqual([200, '"1"'])
    const second = await act(id, 'resolve', { notes: 'n' }, { 'if-match': '"0"' })
    expect(second.headers['etag']).toBe('"1"')
    expect(second.body).toMatchObject({
      status: 412,
      code: 'OVERTAKEN',
      actor: 'admin@acme',
      at: first.body.acknowledgedAt,
      present: 'acknowledged',
      version: 1,
    })
    expect((await act(id, 'resolve', { notes: 'n' }, { 'if-match': '"7", "1"' })).status).toBe(200)
  })

  test('a new revision does not change it; * takes any; what is no tag is refused', async () => {
    const { id, ...figures } = await world.addAlert(acme.organizationId)
    await world.addAlert(acme.organizationId, { ...figures, id, revision: 2, count: 9 })
    expect((await act(id, 'acknowledge', undefined, { 'if-match': '"0"' })).body).toMatchObject({ revision: 2, version: 1 })
    expect((await act(id, 'comments', { comment: 'c' }, { 'if-match': '*' })).status).toBe(200)
    expect((await act(id, 'comments', { comment: 'c' }, { 'if-match': '2' })).status).toBe(400)
    expect((await act(id, 'comments', { comment: 'c' }, { 'if-match': 'W/"2"' })).status).toBe(412)
  })
})
