/** Administrative acts as audit events of their organization (security.md §5). */
import { issueServiceToken } from '@tocsin/access'
import { AuditEvent } from '@tocsin/contracts'
import { createPool } from '@tocsin/postgres'
import { Compile } from 'typebox/compile'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FieldCipher } from '../src/protection/field-cipher.ts'
import { Refusals } from '../src/refusals.ts'
import { createWorld, OPERATOR, silent, type World } from './world.ts'

type Organization = Awaited<ReturnType<World['newOrganization']>>
let world: World
let acme: Organization
beforeAll(async () => {
  world = await createWorld()
  acme = await world.newOrganization('Acme')
})
afterAll(() => world.close())

interface Row {
  readonly partition: number
  readonly key: string
  readonly value: string
}
const isEvent = Compile(AuditEvent)
/** What the organization's events say, in the order in which they go out; each is checked against the contract. */
const events = async ({ organizationId, partition }: Organization = acme): Promise<AuditEvent[]> => {
  const rows = await world.admin<Row>(
    `SELECT partition, key, value FROM outbox
      WHERE topic = 'audit.events' AND headers ->> 'tocsin-type' = 'event' AND organization_id = $1 ORDER BY id`,
    [organizationId],
  )
  return rows.map((row) => {
    expect(row).toMatchObject({ partition, key: organizationId })
    const event: unknown = JSON.parse(row.value)
    if (!isEvent.Check(event)) throw new Error(JSON.stringify(isEvent.Errors(event)))
    return event
  })
}
/** Events since the last time they were asked for. */
let told = 0
const fresh = async () => {
  const all = await events()
  const since = all.slice(told)
  told = all.length
  return since
}
const history = (action: string) =>
  world.admin<{ id: string; actor: string }>(
    'SELECT id, actor FROM history WHERE organization_id = $1 AND action = $2 ORDER BY position',
    [acme.organizationId, action],
  )

test('each administrative act is one event that names who, what, about what and whence, and nothing that is sealed', async () => {
  expect(await fresh()).toMatchObject([
    { action: 'tocsin.organization.created', principalId: OPERATOR, category: 'configuration', operation: 'create' },
  ])
  const asked = { 'x-tocsin-channel': 'cli', 'x-forwarded-for': '192.0.2.9' }
  await world.ask('PUT', '/api/members/ada%40example.org', acme.token, { role: 'viewer' }, asked)
  const [entry] = await history('member.added')
  expect(await fresh()).toEqual([
    {
      id: `tocsin:${entry?.id}`,
      timestamp: expect.any(String),
      receivedAt: expect.any(String),
      organizationId: acme.organizationId,
      action: 'tocsin.member.added',
      status: 'success',
      outcome: 'success',
      category: 'authorization',
      operation: 'grant',
      dataClassification: 'INTERNAL',
      principalId: 'admin@acme',
      principalType: 'user',
      targetResourceType: 'member',
      targetResourceId: 'ada@example.org',
      sessionContext: { ipAddress: '192.0.2.9' },
      integrity: 'absent',
      source: { format: 'tocsin', service: 'persistence', name: 'tocsin' },
      details: { channel: 'cli' },
    },
  ])
  await world.ask('POST', '/api/keys', acme.token, { name: 'a canary', scopes: ['read'] })
  await world.ask('POST', '/api/holds', acme.token, { scope: { everything: true }, reason: 'a canary' })
  await world.ask('POST', '/api/me/tokens', acme.token, { days: 1 })
  await world.ask('GET', '/api/history/export', acme.token)
  const more = await fresh()
  expect(JSON.stringify(more)).not.toContain('canary')
  expect(more.map(({ action, operation, category }) => [action, operation, category])).toEqual([
    ['tocsin.key.created', 'grant', 'authorization'],
    ['tocsin.hold.placed', 'create', 'configuration'],
    ['tocsin.token.issued', 'create', 'authorization'],
    ['tocsin.history.exported', 'export', 'data'],
  ])
})

test('what is done to an alert, and what the system does by itself, is no event: no alert leads to another one', async () => {
  await fresh()
  const alert = await world.addAlert(acme.organizationId)
  await world.ask('POST', `/api/alerts/${alert.id}/acknowledge`, acme.token)
  await world.ask('GET', `/api/alerts/${alert.id}`, acme.token)
  expect((await world.ask('POST', '/api/alerts', acme.token, { type: 'SYSTEM', severity: 'LOW', title: 'x' })).status).toBe(202)
  expect(await history('alert.raised')).toHaveLength(1)
  expect(await fresh()).toEqual([])
})

test('a refused act of a member or key is an entry and an event, however often it is tried within a minute', async () => {
  const viewer = await world.addMember('vera', acme.organizationId, 'viewer')
  await fresh()
  const refused = await Promise.all(
    [1, 2, 3].map(() => world.ask('PUT', '/api/members/vera', viewer, { role: 'admin' }, { 'x-forwarded-for': '192.0.2.8' })),
  )
  expect(refused.map(({ status }) => status)).toEqual([403, 403, 403])
  await world.ask('GET', '/api/keys', viewer)
  expect(await fresh()).toMatchObject([
    {
      action: 'tocsin.access.refused',
      status: 'failure',
      outcome: 'denied',
      principalId: 'vera',
      targetResourceType: 'operation',
      targetResourceId: 'PUT /api/members/:subject',
      sessionContext: { ipAddress: '192.0.2.8' },
    },
    { action: 'tocsin.access.refused', targetResourceId: 'GET /api/keys' },
  ])
  // A stranger is answered like one who asks for what is not there, and leaves nothing.
  const stranger = await world.newOrganization('Stranger')
  const asked = await world.ask('GET', `/api/keys?organizationId=${acme.organizationId}`, stranger.token)
  expect([asked.status, await fresh()]).toEqual([404, []])
})

test('further refusals of a minute are one more entry with their number, when it is over; no refusal fails for its entry', async () => {
  const refusals = new Refusals({
    pool: world.apiPool,
    cipher: new FieldCipher(world.apiPool, world.ring.fields),
    log: silent,
  })
  // Ahead, so that the clock's own rounds do nothing.
  const start = Date.now() + 3_600_000
  const refusal = (organizationId: string) => ({
    organizationId,
    actor: 'rob',
    channel: 'api' as const,
    action: 'access.refused',
    about: { kind: 'operation' as const, id: 'GET /api/keys' },
    details: {},
  })
  const entries = async () => {
    const { body } = await world.ask('GET', '/api/history?actor=rob', acme.token)
    return body.items.map(({ details }: { details: { times: number } }) => details.times).toReversed()
  }
  for (let second = 0; second < 5; second++) await refusals.note(refusal(acme.organizationId), start + second * 1_000)
  expect(await entries()).toEqual([1])
  await refusals.tell(start + 59_000)
  expect(await entries()).toEqual([1])
  await refusals.tell(start + 60_000)
  expect(await entries()).toEqual([1, 4])
  await refusals.tell(start + 120_000)
  await refusals.note(refusal(acme.organizationId), start + 121_000)
  await refusals.note(refusal(acme.organizationId), start + 122_000)
  await refusals.close()
  expect(await entries()).toEqual([1, 4, 1, 1])
  const pool = createPool(world.database.urls.tocsin_api, { name: 'ended', max: 1, log: silent })
  await pool.end()
  const unheard = new Refusals({ pool, cipher: new FieldCipher(world.apiPool, world.ring.fields), log: silent })
  await unheard.note(refusal(acme.organizationId), start)
  await unheard.close()
  expect(await entries()).toHaveLength(4)
})

test('a sign-in is told by the gateway alone, and is known in each organization of the subject', async () => {
  await world.addMember('ada', acme.organizationId, 'viewer')
  await fresh()
  const tell = async (caller: string, outcome: string, subject = 'ada') =>
    world.ask('POST', '/api/sign-ins', await issueServiceToken(world.ring, { caller, audience: 'persistence' }), {
      subject,
      method: 'link',
      outcome,
      ip: '192.0.2.7',
    })
  expect((await tell('bootstrap', 'succeeded')).status).toBe(403)
  expect((await world.ask('POST', '/api/sign-ins', acme.token, {})).status).not.toBe(201)
  expect((await tell('gateway', 'succeeded')).body).toEqual({ organizations: 1 })
  expect((await tell('gateway', 'succeeded', 'nobody')).body).toEqual({ organizations: 0 })
  for (const _ of [1, 2]) await tell('gateway', 'link-used')
  const person = {
    principalId: 'ada',
    category: 'authentication',
    operation: 'login',
    sessionContext: { ipAddress: '192.0.2.7' },
  }
  expect(await fresh()).toMatchObject([
    { ...person, action: 'tocsin.sign-in.succeeded', outcome: 'success' },
    { ...person, action: 'tocsin.sign-in.failed', outcome: 'failure' },
  ])
})
