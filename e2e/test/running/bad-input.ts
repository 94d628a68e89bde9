/** Bad input through the front door, and a poison record on each topic: a clear answer, and the next event goes on. */
import { gzipSync } from 'node:zlib'
import type { OrganizationCreated } from '@tocsin/contracts'
import { createProducer, type KafkaRecord, readToEnd } from '@tocsin/kafka'
import { waitFor } from '@tocsin/testing'
import { beforeAll, expect, test } from 'vitest'
import { allAlerts, api, post, postEvents } from '../../src/installation.ts'
import { kafkaOf, type OwnStack, sharedStack } from '../../src/stack.ts'

let stack: OwnStack
let tenant: OrganizationCreated
let other: OrganizationCreated
beforeAll(async () => {
  stack = await sharedStack()
  tenant = await stack.tenant('bad-input')
  other = await stack.tenant('other')
})

const event = (extra: object = {}) => ({
  timestamp: new Date().toISOString(),
  action: 'auth.login',
  status: 'failure',
  principalId: 'p',
  ...extra,
})
const send = (body: string | Buffer, key: string | undefined = tenant.ingestKey, options = {}) =>
  post(stack.gatewayUrl, key, body, options)
let marker = 0
/** Five failures of a new principal become an alert: the path is alive. */
async function expectAlive(): Promise<void> {
  const principal = `alive-${marker++}`
  const events = Array.from({ length: 5 }, (_, n) => event({ id: `${principal}-${n}`, principalId: principal }))
  expect((await postEvents(stack.gatewayUrl, tenant, events)).status).toBe(202)
  await waitFor(
    async () => (await allAlerts(stack.gatewayUrl, tenant)).some((alert) => alert.group['principalId'] === principal),
    { limitMs: 20_000, what: `the alert of ${principal}` },
  )
}

test.each([
  ['malformed JSON', '{"timestamp":', 400, {}],
  ['an empty body', '', 400, {}],
  ['100,000 brackets', '['.repeat(100_000), 400, {}],
  ['an unknown format', JSON.stringify(event()), 400, { query: '?format=nonsense' }],
  ['a gzip that is none', Buffer.from('not gzip'), 400, { gzip: false, type: 'application/json', broken: true }],
] as const)('%s is a problem with a reason', async (_what, body, status, options) => {
  const answer =
    'broken' in options
      ? await fetch(`${stack.gatewayUrl}/v1/events`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${tenant.ingestKey}`,
            'content-type': 'application/json',
            'content-encoding': 'gzip',
          },
          body,
        }).then(async (response) => ({ status: response.status, body: (await response.json()) as object }))
      : await send(body, tenant.ingestKey, options)
  expect([answer.status, answer.body]).toMatchObject([status, { status, code: expect.any(String), detail: expect.any(String) }])
})

test('no key, a wrong key and a revoked form of it are 401', async () => {
  for (const key of [undefined, 'tk_wrong', tenant.token, `${tenant.ingestKey}x`])
    expect((await send(JSON.stringify(event()), key === undefined ? '' : key)).status).toBe(401)
  expect((await post(stack.gatewayUrl, undefined, JSON.stringify(event()))).status).toBe(401)
})

test.each([
  ['a wrong type', { action: 7 }, 'INVALID_TYPE', '/action'],
  ['a missing field', { action: undefined }, 'REQUIRED_FIELD_MISSING', '/action'],
  ['an empty value', { action: '' }, 'EMPTY_VALUE', '/action'],
  ['a stamp without zone', { timestamp: '2026-01-01T00:00:00' }, 'INVALID_FORMAT', '/timestamp'],
  ['a text that is too long', { principalId: 'x'.repeat(256) }, 'EXCEEDS_MAX_LENGTH', '/principalId'],
  ['a negative count', { recordCount: -1 }, 'INVALID_VALUE', '/recordCount'],
  ['NUL', { principalId: 'a\u0000b' }, 'INVALID_VALUE', '/principalId'],
  ['an unknown status', { status: 'maybe' }, 'INVALID_VALUE', '/status'],
])('%s is rejected by itself, with a pointer, and its batch goes on', async (_what, extra, code, pointer) => {
  const answer = await send(JSON.stringify([event(), event(extra), event()]))
  expect(answer.status).toBe(202)
  expect(answer.body.results.map((result) => result.status)).toEqual([
    expect.stringMatching(/accepted|duplicate/),
    'rejected',
    expect.stringMatching(/accepted|duplicate/),
  ])
  expect(answer.body.results[1]?.errors).toMatchObject([{ code, pointer }])
  expect((await send(JSON.stringify(event(extra)))).status).toBe(422)
})

test('hostile keys are refused by name and pollute nothing', async () => {
  for (const text of [
    `{"__proto__":{"polluted":1},${JSON.stringify(event()).slice(1)}`,
    `{"a":{"constructor":{"prototype":1}},${JSON.stringify(event()).slice(1)}`,
  ]) {
    const answer = await send(text)
    expect([answer.status, answer.body.results?.[0]?.errors?.[0]?.code]).toEqual([422, 'FORBIDDEN_KEY'])
  }
  let deep: unknown = 1
  for (let n = 0; n < 70; n++) deep = { a: deep }
  expect((await send(JSON.stringify(event({ deep })))).body.results[0]?.errors).toMatchObject([{ code: 'EXCEEDS_MAX_DEPTH' }])
  await expectAlive()
})

test('a body cannot choose another organization', async () => {
  const answer = await send(JSON.stringify(event({ organizationId: other.organizationId })))
  expect([answer.status, answer.body.results[0]]).toMatchObject([
    422,
    { status: 'rejected', errors: [{ pointer: '/organizationId' }] },
  ])
  expect((await send(JSON.stringify(event({ organizationId: tenant.organizationId })))).status).toBe(202)
  expect(await allAlerts(stack.gatewayUrl, other)).toEqual([])
})

test('too large an item, batch, body or gzip bomb is refused with 413 or by itself', async () => {
  const big = await send(JSON.stringify([event(), event({ details: 'x'.repeat(1_100_000) })]))
  expect([big.status, big.body.results.map((result) => result.status)]).toEqual([
    202,
    [expect.stringMatching(/accepted|duplicate/), 'rejected'],
  ])
  expect((await send(`[${Array(10_001).fill('{}').join()}]`)).status).toBe(413)
  expect((await send(Buffer.alloc(34 * 1024 * 1024, 32))).status).toBe(413)
  const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, 32))
  const answer = await fetch(`${stack.gatewayUrl}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tenant.ingestKey}`, 'content-type': 'application/json', 'content-encoding': 'gzip' },
    body: bomb,
  })
  expect(answer.status).toBe(413)
  await expectAlive()
})

test('forged and foreign tokens open nothing', async () => {
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"operator@localhost","iss":"tocsin","aud":"tocsin","exp":9999999999}').toString('base64url')}.`
  for (const token of [undefined, 'x', unsigned, `${tenant.token.slice(0, -6)}AAAAAA`])
    expect((await api(stack.gatewayUrl, token, '/api/alerts')).status).toBe(401)
  // A key is known to the API too, and this one may only send events.
  expect((await api(stack.gatewayUrl, tenant.ingestKey, '/api/alerts')).status).toBe(403)
  expect(
    (await api(stack.gatewayUrl, tenant.token, '/api/organizations', { method: 'POST', body: { name: 'mine' } })).status,
  ).toBe(403)
})

test('a poison record on each topic is set aside with its reason, and the next one goes on', async () => {
  const kafka = kafkaOf(stack)
  const producer = createProducer(kafka)
  const topics = ['audit.intake', 'audit.events', 'alerts', 'rules', 'tenants', 'access']
  const poison = [
    Buffer.from('not json \u0000 {'),
    Buffer.from(''),
    Buffer.from('{"type":"nonsense"}'),
    Buffer.from([0xff, 0xfe, 0x00]),
  ]
  const partitions = (topic: string) => (topic === 'alerts' || topic.startsWith('audit') ? 8 : 1)
  await producer.send(
    topics.flatMap((topic) =>
      Array.from({ length: partitions(topic) }, (_, partition) =>
        poison.map((value) => ({ topic, partition, key: tenant.organizationId, value })),
      ).flat(),
    ),
  )
  await producer.close()
  await expectAlive()
  await expectAlive()
  for (const topic of ['audit.intake.dead', 'audit.events.dead', 'alerts.dead']) {
    const found: KafkaRecord[] = []
    await readToEnd({ kafka, topic, onRecord: (record) => void found.push(record) })
    expect([topic, found.length > 0]).toEqual([topic, true])
    for (const { headers } of found) {
      expect(String(headers['dead-reason']).length).toBeGreaterThan(5)
      expect(String(headers['dead-offset'])).toMatch(/^\d+$/)
      expect(headers).not.toHaveProperty('tocsin-key')
    }
  }
})

test('no log holds a key, a token or a word of an event, whatever went wrong with it', async () => {
  const canary = 'canary-7f3a'
  const hostile = [
    event({ principalId: canary }),
    event({ principalId: canary, action: 7 }),
    event({ principalId: canary, details: { password: canary } }),
  ]
  for (const body of [...hostile.map((each) => JSON.stringify(each)), `{"principalId":"${canary}",`]) await send(body)
  for (const key of [`tk_${canary}`, `${tenant.ingestKey}${canary}`]) expect((await send('{}', key)).status).toBe(401)
  expect((await api(stack.gatewayUrl, `${tenant.token}${canary}`, `/api/alerts?q=${canary}`)).status).toBe(401)
  expect((await api(stack.gatewayUrl, tenant.token, `/api/alerts?q=${canary}&limit=0`)).status).toBe(400)
  const [alert] = await allAlerts(stack.gatewayUrl, tenant)
  const comment = { method: 'POST', body: { comment: canary } }
  expect((await api(stack.gatewayUrl, tenant.token, `/api/alerts/${alert?.id}/comments`, comment)).status).toBe(200)
  const producer = createProducer(kafkaOf(stack))
  const record = {
    partition: 0,
    key: tenant.organizationId,
    value: JSON.stringify({ ...alert, description: canary, id: canary }),
  }
  await producer.send([
    ...['audit.intake', 'audit.events', 'alerts'].map((topic) => ({ topic, ...record })),
    { topic: 'alerts', ...record, headers: { 'tocsin-type': 'alert.created' } },
  ])
  await producer.close()
  await expectAlive()
  await expectAlive()
  const logs = stack.logs()
  for (const name of ['ingest', 'detector', 'persistence', 'notifier', 'gateway'])
    expect([...logs].find(([file]) => file.includes(name))?.[1].length).toBeGreaterThan(100)
  const secrets = [canary, tenant.ingestKey, tenant.token, stack.operatorToken]
  for (const [file, text] of logs)
    for (const secret of secrets)
      expect([file, text.split('\n').find((line) => line.includes(secret))]).toEqual([file, undefined])
})
