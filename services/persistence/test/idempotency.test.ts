import { type ApiOperation, OPERATIONS_TABLE } from '@tocsin/contracts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { forgetIdempotencyKeys } from '../src/forget-idempotency-keys.ts'
import { createWorld, type World } from './world.ts'

let world: World
let acme: Awaited<ReturnType<World['newOrganization']>>
let eve: string
beforeAll(async () => {
  world = await createWorld()
  acme = await world.newOrganization('Acme')
  eve = await world.addMember('eve@acme', acme.organizationId, 'responder')
})
afterAll(() => world.close())

const comment = (id: string, key: string, text = 'looked at it', as = acme.token) =>
  world.ask('POST', `/api/alerts/${id}/comments`, as, { comment: text }, { 'idempotency-key': key })
const entriesOf = (id: string) => world.admin('SELECT id FROM history WHERE about_id = $1', [id])

test('a request sent again with its key gets the same answer and has no second effect', async () => {
  const { id } = await world.addAlert(acme.organizationId)
  const first = await comment(id, 'once')
  const again = await comment(id, 'once')
  expect(again).toMatchObject({ status: 200, body: first.body })
  expect([first.headers['idempotent-replayed'], again.headers['idempotent-replayed']]).toEqual([undefined, 'true'])
  expect(again.headers['etag']).toBe('"1"')
  expect(await entriesOf(id)).toHaveLength(1)
})

test('of many at once with one key one has an effect, and all get its answer', async () => {
  const { id } = await world.addAlert(acme.organizationId)
  const answers = await Promise.all(Array.from({ length: 8 }, () => comment(id, 'at-once')))
  expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1)
  expect(await entriesOf(id)).toHaveLength(1)
})

test('a key is of one request and of one person', async () => {
  const { id } = await world.addAlert(acme.organizationId)
  await comment(id, 'mine')
  expect((await comment(id, 'mine', 'something else')).body).toMatchObject({ status: 422, code: 'IDEMPOTENCY_KEY_REUSED' })
  expect((await comment(id, 'mine', 'looked at it', eve)).body).toMatchObject({ version: 2 })
})

test('what was refused may be sent again with its key', async () => {
  const { id } = await world.addAlert(acme.organizationId)
  const reopen = () => world.ask('POST', `/api/alerts/${id}/reopen`, acme.token, undefined, { 'idempotency-key': 'later' })
  expect((await reopen()).status).toBe(409)
  await world.ask('POST', `/api/alerts/${id}/dismiss`, acme.token, { reason: 'test' })
  expect((await reopen()).status).toBe(200)
})

test('after a day a key is free again, and goes', async () => {
  const { id } = await world.addAlert(acme.organizationId)
  await comment(id, 'daily')
  await world.admin(`UPDATE idempotency_keys SET created_at = created_at - interval '25 hours'`)
  expect((await comment(id, 'daily')).body).toMatchObject({ version: 2 })
  expect(await forgetIdempotencyKeys(world.workerPool)).toBe('done')
  const left = await world.admin<{ key: string }>('SELECT key FROM idempotency_keys')
  expect(left.map(({ key }) => key)).toEqual(['daily/'])
})

test('an answer is kept sealed', async () => {
  const { id } = await world.addAlert(acme.organizationId, { title: 'a title to look for' })
  await comment(id, 'sealed')
  const [row] = await world.admin<{ answer: Buffer }>(`SELECT answer FROM idempotency_keys WHERE key = 'sealed/'`)
  expect(row?.answer.includes('a title to look for')).toBe(false)
})

test.each<[string, () => Promise<[ApiOperation['method'], string, object?]>, string]>([
  ['adding a member', async () => ['PUT', '/api/members/bob', { role: 'viewer' }], 'member.added'],
  ['signing a member out', async () => ['POST', '/api/members/bob/sign-out'], 'member.signed-out'],
  ['removing a member', async () => ['DELETE', '/api/members/bob'], 'member.removed'],
  ['placing a hold', async () => ['POST', '/api/holds', { scope: { everything: true }, reason: 'case' }], 'hold.placed'],
  ['releasing a hold', async () => ['DELETE', `/api/holds/${await holdId()}`], 'hold.released'],
  ['erasing a person', async () => ['POST', '/api/erasures', { subject: 'mallory', reason: 'asked' }], 'erasure.requested'],
  ['adding an exception', async () => ['POST', '/api/exceptions', EXCEPTION], 'exception.added'],
  ['removing an exception', async () => ['DELETE', `/api/exceptions/${EXCEPTION.id}`], 'exception.removed'],
])('%s twice with one key has one effect and one answer', async (what, request, action) => {
  const [method, url, body] = await request()
  const count = async () => (await world.admin('SELECT 1 FROM history WHERE action = $1', [action])).length
  const before = await count()
  const once = () => world.ask(method, url, acme.token, body, { 'idempotency-key': what.replaceAll(' ', '-') })
  const [first, again] = [await once(), await once()]
  expect([first.status < 300, again.status, again.body]).toEqual([true, first.status, first.body])
  expect(again.headers['idempotent-replayed']).toBe('true')
  expect(await count()).toBe(before + 1)
})
const EXCEPTION = { id: 'quiet', ruleId: null, match: { principalId: 'x' }, reason: 'noise', expiresAt: null }
const holdId = async () => (await world.ask('GET', '/api/holds', acme.token)).body.items[0].id as string

test('a key is made once and shown once: sent again, the request says so, and nothing stored holds the key', async () => {
  const make = () =>
    world.ask('POST', '/api/keys', acme.token, { name: 'twice', scopes: ['read'] }, { 'idempotency-key': 'make-key' })
  const { body: made } = await make()
  expect((await make()).body).toMatchObject({ status: 409, code: 'KEY_SHOWN_ONCE', keyId: made.id })
  const { body } = await world.ask('GET', '/api/keys', acme.token)
  expect(body.items.filter(({ name }: { name: string }) => name === 'twice')).toHaveLength(1)
  const rotate = () =>
    world.ask('POST', `/api/keys/${made.id}/rotate`, acme.token, undefined, { 'idempotency-key': 'rotate-key' })
  expect([(await rotate()).status, (await rotate()).status]).toEqual([201, 409])
  const revoke = () => world.ask('DELETE', `/api/keys/${made.id}`, acme.token, undefined, { 'idempotency-key': 'revoke-key' })
  const [first, again] = [await revoke(), await revoke()]
  expect([first.status, again.body]).toEqual([200, first.body])
})

test('every act on alerts takes a key, and a write that takes none refuses it instead of overlooking it', async () => {
  for (const [name, { service, method, url, permission, schema }] of Object.entries(OPERATIONS_TABLE)) {
    if (service !== 'persistence' || method === 'GET') continue
    if ('headers' in schema && 'idempotency-key' in schema.headers.properties) continue
    expect([name, permission.startsWith('alerts:')]).toEqual([name, false])
    const answer = await world.ask(method, url, acme.token, { name: 'x' }, { 'idempotency-key': 'k' })
    expect([name, answer.body.code]).toEqual([name, 'IDEMPOTENCY_UNSUPPORTED'])
  }
})
