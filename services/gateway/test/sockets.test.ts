import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { generateKeyRing, sealCursor, verifyServiceToken } from '@tocsin/access'
import { forgedTokens } from '@tocsin/access/forged-tokens'
import { TOPICS, UNTOUCHED } from '@tocsin/contracts'
import { waitFor } from '@tocsin/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Gateway } from '../src/app.ts'
import { ACKNOWLEDGED, figures, figuresRecord as sampleRecord, statusRecord as sampleStatus } from '../src/stream/samples.ts'
import { Client, createWorld, type Organization, service, type World } from './world.ts'

let world: World
let gateway: Gateway
let ours: Organization
let theirs: Organization
let token: string
let theirToken: string
let marker = 100
const next = () => marker++
const now = () => ({ createdAt: new Date().toISOString() })
const created = (n: number, more: object = {}) => sampleRecord(n, 1, { ...now(), ...more })
const revised = (n: number, revision: number, more: object = {}) => sampleRecord(n, revision, { ...now(), ...more })
const id = (n: number) => figures(n).id

beforeAll(async () => {
  world = await createWorld()
  ;[ours, theirs] = await Promise.all([world.newOrganization(0), world.newOrganization(0)])
  await world.grant('ann', [ours])
  await world.grant('bob', [theirs])
  ;[token, theirToken] = await Promise.all([world.token('ann'), world.token('bob')])
  gateway = await world.start()
})
afterAll(async () => world?.close())

test('two organizations on one partition never see each other, and each sees all of its own in order', async () => {
  const [ann, bob] = [Client.withToken(gateway, token), Client.withToken(gateway, theirToken)]
  await Promise.all([ann.subscribe(ours), bob.subscribe(theirs)])
  const mine = Array.from({ length: 30 }, next)
  const foreign = Array.from({ length: 30 }, next)
  for (let n = 0; n < 30; n += 3) {
    await world.publish(
      ours,
      mine.slice(n, n + 3).map((each) => created(each)),
    )
    await world.publish(
      theirs,
      foreign.slice(n, n + 3).map((each) => created(each)),
    )
  }
  await ann.waitFor(() => ann.changes().length >= 30, 'our alerts')
  await bob.waitFor(() => bob.changes().length >= 30, 'their alerts')
  expect(ann.ids()).toEqual(mine.map(id))
  expect(bob.ids()).toEqual(foreign.map(id))
  expect(ann.socket.protocol).toBe('tocsin.v1')
  expect(ann.changes()[0]).toMatchObject({
    type: 'alert_created',
    cursor: expect.any(String),
    timestamp: expect.stringMatching(/Z$/),
    alert: { status: 'active', version: 0, organizationId: ours.organizationId },
  })
  ann.close()
  bob.close()
})

test('a person who acts is named, and an alert that leaves the filter is deleted', async () => {
  const [all, active] = [Client.withToken(gateway, token), Client.withToken(gateway, token)]
  await all.subscribe(ours)
  await active.subscribe(ours, { filter: { status: ['active'] } })
  const n = next()
  await world.publish(ours, [created(n), sampleStatus(n, 1, ACKNOWLEDGED), revised(n, 2)])
  await all.waitFor(() => all.changes().length === 3, 'three changes')
  await active.waitFor(() => active.changes().length === 2, 'two changes')
  expect(all.changes()).toMatchObject([
    { type: 'alert_created' },
    { type: 'alert_updated', userId: 'ann@example.org', alert: { status: 'acknowledged', version: 1 } },
    { type: 'alert_updated', alert: { status: 'acknowledged', revision: 2 } },
  ])
  expect(active.changes()).toMatchObject([
    { type: 'alert_created' },
    { type: 'alert_deleted', alertId: id(n), reason: 'filtered' },
  ])
  all.close()
  active.close()
})

test('a viewer is sent no title, description, group, metadata or correlation of an alert, whole or coalesced', async () => {
  await world.grant('vic', [ours], { memberships: [{ organizationId: ours.organizationId, role: 'viewer' }] })
  const [viewer, responder] = [Client.withToken(gateway, await world.token('vic')), Client.withToken(gateway, token)]
  await Promise.all([viewer.subscribe(ours), responder.subscribe(ours)])
  const canary = 'canary-3e7f'
  const [n, other] = [next(), next()]
  const sensitive = {
    title: canary,
    description: canary,
    group: { principalId: canary },
    metadata: { who: canary },
    correlationId: canary,
  }
  await world.publish(ours, [
    created(n, sensitive),
    created(other, sensitive),
    sampleStatus(n, 1, { status: 'resolved', resolved: true, resolutionNotes: canary }),
  ])
  await viewer.waitFor(() => viewer.changes().length === 3, 'three masked changes')
  await responder.waitFor(() => responder.changes().length === 3, 'three changes')
  expect(viewer.changes()).toMatchObject([
    { type: 'alert_created', alert: { id: id(n), title: figures(n).rule.name, severity: figures(n).severity } },
    { type: 'alert_created' },
    { type: 'alert_updated', alert: { status: 'resolved' } },
  ])
  expect(JSON.stringify(viewer.changes())).not.toContain(canary)
  expect(JSON.stringify(responder.changes())).toContain(canary)
  viewer.close()
  responder.close()
})

test('a merged alert is deleted', async () => {
  const client = Client.withToken(gateway, token)
  await client.subscribe(ours)
  const n = next()
  await world.publish(ours, [
    created(n),
    sampleRecord(n, 2, { ...now(), open: false, metadata: { mergedInto: id(1) } }, 'alert.closed'),
  ])
  await client.waitFor(() => client.changes().length === 2, 'two changes')
  expect(client.changes()[1]).toMatchObject({ type: 'alert_deleted', alertId: id(n), reason: 'merged' })
  client.close()
})

test('across a restart of the gateway a client with its cursor loses nothing and gets nothing twice', async () => {
  const first = await world.start()
  const before = Client.withToken(first, token)
  await before.subscribe(ours)
  const early = Array.from({ length: 10 }, next)
  await world.publish(
    ours,
    early.map((each) => created(each)),
  )
  await before.waitFor(() => before.changes().length === 10, 'ten alerts')
  // It has seen seven when it breaks off.
  const cursor = before.changes()[6]?.cursor
  await first.stop()
  expect(before.closed?.code).toBe(1001)

  const away = Array.from({ length: 10 }, next)
  await world.publish(
    ours,
    away.map((each) => created(each)),
  )
  const second = await world.start()
  const after = Client.withToken(second, token)
  await after.subscribe(ours, { cursor })
  const late = next()
  await world.publish(ours, [created(late)])
  await after.waitFor(() => after.ids().includes(id(late)), 'the newest alert')
  expect(after.ids()).toEqual([...early.slice(7), ...away, late].map(id))
  expect(after.frames.map((frame) => frame.type)).not.toContain('resync')
  after.close()
  await second.stop()
})

test('a cursor from persistence that is ahead of the gateway is waited for', async () => {
  const end = (await world.kafka.topicOffsets(TOPICS.alerts.name)).get(ours.partition)?.end ?? 0n
  const n = next()
  const ahead = sealCursor(world.ring, { ...ours, offset: end + 1n })
  await world.publish(ours, [created(n)])
  const client = Client.withToken(gateway, token)
  await client.subscribe(ours, { cursor: ahead })
  const later = next()
  await world.publish(ours, [created(later)])
  await client.waitFor(() => client.ids().includes(id(later)), 'the later alert')
  expect(client.ids()).toEqual([id(later)])
  client.close()
})

test('a position that is not in the ring any more, or never was in the topic, is answered by resync', async () => {
  const small = await world.start({ RING_MAX_AGE_MS: '1000' })
  const old = sealCursor(world.ring, { ...ours, offset: 0n })
  const beyond = sealCursor(world.ring, { ...ours, offset: 10_000_000n })
  for (const [cursor, reason] of [
    [old, 'too old'],
    [beyond, 'unknown position'],
  ] as const) {
    const client = Client.withToken(small, token)
    await client.subscribe(ours, { cursor })
    await client.waitFor((frames) => frames.some((frame) => frame.type === 'resync'), 'resync')
    expect(client.frames.at(-1)).toMatchObject({ type: 'resync', reason, cursor: expect.any(String) })
    client.close()
  }
  await small.stop()
})

test('a forged cursor and one of another organization are errors', async () => {
  const foreign = sealCursor(world.ring, { ...theirs, offset: 0n })
  const forged = sealCursor(await generateKeyRing(), { ...ours, offset: 0n })
  for (const cursor of [foreign, forged, 'k1.AAAA', `${foreign.slice(0, -2)}AA`]) {
    const client = Client.withToken(gateway, token)
    await client.subscribe(ours, { cursor })
    expect(client.frames.at(-1)).toMatchObject({ type: 'error', code: 'BAD_CURSOR' })
    client.close()
  }
})

test('a foreign organization and a missing one answer alike and close with 4404', async () => {
  const ends = []
  for (const organizationId of [theirs.organizationId, randomUUID()]) {
    const client = Client.withToken(gateway, token)
    await client.subscribe({ organizationId })
    await client.waitForEnd()
    ends.push([client.closed, client.frames.at(-1)?.type, (client.frames.at(-1) as { code?: string }).code])
  }
  expect(ends[0]).toEqual(ends[1])
  expect(ends[0]).toMatchObject([{ code: 4404 }, 'error', 'NOT_FOUND'])
})

test('an organization and a membership made a moment ago are found', async () => {
  const fresh = await world.newOrganization(1)
  await world.grant('cleo', [fresh])
  const client = Client.withToken(gateway, await world.token('cleo'))
  await client.subscribe(fresh)
  expect(client.frames.at(-1)).toMatchObject({ type: 'subscribed', organizationId: fresh.organizationId })
  client.close()
})

test('a membership that is still on its way from persistence is waited for', async () => {
  const fresh = await world.newOrganization(1)
  const client = Client.withToken(gateway, await world.token('dora'))
  const subscribing = client.subscribe(fresh)
  // Only after the gateway has looked once and found nothing.
  await waitFor(() => client.frames.length > 0, { limitMs: 5_000, what: 'hello' })
  await new Promise((resolve) => setTimeout(resolve, 300))
  await world.grant('dora', [fresh])
  await subscribing
  expect(client.frames.at(-1)).toMatchObject({ type: 'subscribed', organizationId: fresh.organizationId })
  client.close()
})

test('forged, foreign, expired and missing tokens are refused in the handshake', async () => {
  const forgeries = { ...(await forgedTokens(world.ring, 'ann')), 'has another end': `${token.slice(0, -4)}AAAA` }
  for (const [wrong, each] of Object.entries(forgeries)) {
    const client = Client.withToken(gateway, each)
    await client.waitForEnd()
    expect([wrong, client.refused, client.frames]).toEqual([wrong, 401, []])
  }
  for (const [protocols, headers, status] of [
    [['tocsin.v1'], {}, 401],
    [[], {}, 401],
    [['tocsin.v1'], { cookie: 'tocsin=forged', origin: 'http://localhost:7777' }, 401],
  ] as const) {
    const client = new Client(gateway, protocols, headers)
    await client.waitForEnd()
    expect(client.refused).toBe(status)
  }
})

test('a client that offers only its token gets it selected', async () => {
  const client = new Client(gateway, [`bearer.${token}`])
  await client.waitFor((frames) => frames.length > 0, 'hello')
  expect(client.socket.protocol).toBe(`bearer.${token}`)
  client.close()
})

test('a revoked membership closes the socket within 5 s, and so does the end of the token', async () => {
  await world.grant('dan', [ours])
  const revoked = Client.withToken(gateway, await world.token('dan'))
  await revoked.subscribe(ours)
  const short = Client.withToken(gateway, await world.token('ann', 3))
  await short.subscribe(ours)
  const started = performance.now()
  await world.grant('dan', [])
  await revoked.waitForEnd(5_000)
  expect(performance.now() - started).toBeLessThan(5_000)
  expect(revoked.closed?.code).toBe(4403)
  await short.waitForEnd(15_000)
  expect(short.closed?.code).toBe(4401)
})

test('while persistence is away a change is sent in part, and joined again when it is back', async () => {
  const n = next()
  const whole = {
    ...figures(n, 3, { organizationId: ours.organizationId }),
    ...UNTOUCHED,
    version: 2,
    status: 'acknowledged',
    acknowledged: true,
    acknowledgedAt: figures(n).createdAt,
    acknowledgedBy: 'ann',
  }
  const callers: string[] = []
  let up = false
  const persistence = await service((app) => {
    app.get('/api/alerts/:id', async (request, reply) => {
      if (!up) return reply.code(503).send({})
      const { caller } = await verifyServiceToken(world.ring, request.headers.authorization?.slice(7), 'persistence')
      callers.push(`${caller} ${(request.query as { organizationId: string }).organizationId}`)
      return whole
    })
  })
  const own = await world.start({ PERSISTENCE_URL: persistence.url })
  const client = Client.withToken(own, token)
  await client.subscribe(ours)
  await world.publish(ours, [sampleStatus(n, 2, ACKNOWLEDGED)])
  await client.waitFor(() => client.changes().length === 1, 'the partial change')
  expect(client.changes()[0]).toMatchObject({
    type: 'alert_updated',
    partial: true,
    alert: { id: id(n), status: 'acknowledged', version: 2 },
  })
  expect(client.changes()[0]?.alert).not.toHaveProperty('title')
  up = true
  const joined = async () => {
    await world.publish(ours, [sampleStatus(n, 3 + client.changes().length, { assignee: 'ann' }, 'alert.assigned')])
    await client.waitFor(() => client.changes().length >= 2, 'the next change')
    return client.changes().at(-1)?.partial !== true
  }
  await waitFor(joined, { limitMs: 15_000, what: 'a joined change' })
  expect(client.changes().at(-1)).toMatchObject({ alert: { title: expect.any(String), assignee: 'ann', status: 'acknowledged' } })
  expect(callers[0]).toBe(`gateway ${ours.organizationId}`)
  client.close()
  await own.stop()
  await persistence.close()
})

test('a reader that takes nothing is closed while what it costs stays bounded, and others go on', async () => {
  const own = await world.start()
  const well = Client.withToken(own, token)
  await well.subscribe(ours)
  const socket = connect(own.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(
    `GET /ws HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: ${Buffer.alloc(16).toString('base64')}\r\nsec-websocket-version: 13\r\nsec-websocket-protocol: tocsin.v1, bearer.${token}\r\n\r\n`,
  )
  const text = Buffer.from(JSON.stringify({ type: 'subscribe', organizationId: ours.organizationId }))
  // A masked text frame; the mask of zeros leaves the payload as it is.
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]))
  const frames = async () => /tocsin_gateway_sockets\S* (\d+)/.exec(await metrics(own))?.[1]
  await waitFor(async () => (await frames()) === '2', { limitMs: 5_000, what: 'two sockets' })
  let head = ''
  socket.on('data', (data) => {
    head += data.toString('latin1')
    if (head.includes('subscribed')) socket.pause()
  })
  await waitFor(() => head.includes('subscribed'), { limitMs: 5_000, what: 'the subscription' })

  const n = next()
  const description = 'x'.repeat(60_000)
  await world.publish(ours, [created(n)])
  for (let revision = 2; revision < 402; revision += 20)
    await world.publish(
      ours,
      Array.from({ length: 20 }, (_, step) => revised(n, revision + step, { description })),
    )
  await well.waitFor(
    () => well.changes().at(-1)?.alert?.revision === 401 || well.changes().at(-1)?.type === 'bulk_update',
    'all revisions',
    30_000,
  )
  await waitFor(async () => /socket_closes_total\{[^}]*reason="slow"[^}]*\} 1/.test(await metrics(own)), {
    limitMs: 30_000,
    what: 'the slow socket to be closed',
  })
  await waitFor(async () => (await frames()) === '1', { limitMs: 15_000, what: 'the slow socket to be gone' })
  socket.destroy()
  well.close()
  await own.stop()
})

test('frames that are too large, not text or not UTF-8 close with the right code', async () => {
  const bad = async (send: (client: Client) => void) => {
    const client = Client.withToken(gateway, token)
    await client.waitFor((frames) => frames.length > 0, 'hello')
    send(client)
    await client.waitForEnd()
    return client.closed?.code
  }
  expect(await bad((client) => client.socket.send('x'.repeat(20_000)))).toBe(1009)
  expect(await bad((client) => client.socket.send(Buffer.from([1, 2])))).toBe(1003)
  expect(await bad((client) => client.socket.send(Buffer.from([0xff, 0xfe, 0xff]), { binary: false }))).toBe(1007)
  expect(await bad((client) => client.socket.send('{"type":"unsubscribe"}'))).toBe(4400)
  expect(
    await bad((client) => {
      for (let n = 0; n < 30; n++) client.socket.send(JSON.stringify({ type: 'subscribe', organizationId: ours.organizationId }))
    }),
  ).toBe(4029)
})

test('a subject has a bounded number of sockets', async () => {
  const own = await world.start({ MAX_SOCKETS_PER_SUBJECT: '2' })
  const clients = [Client.withToken(own, token), Client.withToken(own, token)]
  for (const client of clients) await client.waitFor((frames) => frames.length > 0, 'hello')
  const third = Client.withToken(own, token)
  await third.waitForEnd()
  expect(third.refused).toBe(429)
  for (const client of clients) client.close()
  await own.stop()
})

test('an invalid record is passed over; one of an unknown type pauses its partition and readiness says so', async () => {
  const lonely = await world.newOrganization(1)
  await world.grant('eve', [lonely])
  const own = await world.start()
  const client = Client.withToken(own, await world.token('eve'))
  await client.subscribe(lonely)
  const [n, hidden] = [next(), next()]
  const raw = (type: string | undefined, value: string) =>
    world.producer.send([
      {
        topic: TOPICS.alerts.name,
        partition: 1,
        key: lonely.organizationId,
        value,
        ...(type ? { headers: { 'tocsin-type': type } } : {}),
      },
    ])
  await raw('alert.created', 'not json')
  await raw(undefined, '{}')
  await raw('alert.created', '{"__proto__":{"polluted":1}}')
  await world.publish(lonely, [created(n)])
  await client.waitFor(() => client.changes().length === 1, 'the valid alert')
  await raw('alert.teleported', '{}')
  await world.publish(lonely, [created(hidden)])
  const readiness = async () =>
    (await (await fetch(`http://127.0.0.1:${own.metricsPort}/health/ready`)).json()) as { degraded: string[] }
  await waitFor(async () => (await readiness()).degraded.includes('alerts:1:unknown-type'), {
    limitMs: 10_000,
    what: 'the degradation',
  })
  expect(client.ids()).toEqual([id(n)])
  const late = Client.withToken(own, await world.token('eve'))
  await late.subscribe(lonely)
  expect(late.frames.at(-1)).toMatchObject({ type: 'error', code: 'STREAM_PAUSED' })
  client.close()
  late.close()
  await own.stop()
})

const metrics = async (own: Gateway) => (await fetch(`http://127.0.0.1:${own.metricsPort}/metrics`)).text()
