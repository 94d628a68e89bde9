import { createServer } from 'node:net'
import { TOPICS } from '@tocsin/contracts'
import { createKafka, createProducer } from '@tocsin/kafka'
import { createLogger } from '@tocsin/telemetry'
import { startOwnServer, testInfrastructure, uniquePrefix, waitFor } from '@tocsin/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { createWorld, least, newOrganization, postTo, publishOrganization, startWithPrefix, type World } from './world.ts'

const body = (fields: Record<string, unknown> = {}) => JSON.stringify(least(fields))
const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.close()
})
const world = async (options: Parameters<typeof createWorld>[0] = {}): Promise<World> => {
  const made = await createWorld(options)
  open.push(made)
  return made
}
const own = async (which: 'kafka' | 'redis') => {
  const server = await startOwnServer(which)
  open.push(server)
  return server
}

describe('limits', () => {
  it('an organization over its rate gets 429 with Retry-After, takes nothing, and harms no other', async () => {
    const { post, organization, events } = await world({ config: { RATE_EVENTS_PER_SECOND: '10', RATE_BURST_EVENTS: '20' } })
    const [busy, calm] = [await organization(), await organization()]
    const batch = (n: number) => JSON.stringify(Array.from({ length: 15 }, (_, i) => least({ id: `${n}/${i}` })))
    expect((await post(busy, batch(1))).status).toBe(202)
    const refused = await post(busy, batch(2))
    expect([refused.status, refused.body.code]).toEqual([429, 'RATE_LIMITED'])
    const seconds = Number(refused.headers.get('retry-after'))
    expect(seconds).toBeGreaterThanOrEqual(1)
    expect((await post(calm, batch(1))).status).toBe(202)
    expect(await events(busy)).toHaveLength(15)
    const again = await waitFor(async () => (await post(busy, batch(2))).status === 202, {
      limitMs: seconds * 1000 + 3_000,
      what: 'the bucket to fill',
    })
    expect(again).toBe(true)
  })

  it('an address with too many wrong keys gets 429 for further wrong ones, while a right key still works', async () => {
    const { post, organization } = await world({ config: { FAILED_KEYS_PER_MINUTE: '3' } })
    const right = await organization()
    const statuses: number[] = []
    for (let n = 0; n < 5; n++)
      statuses.push(
        (await post(undefined, body(), { headers: { 'x-api-key': `wrong${n}`, 'x-forwarded-for': '192.0.2.1' } })).status,
      )
    expect(statuses).toEqual([401, 401, 401, 429, 429])
    expect((await post(undefined, body(), { headers: { 'x-api-key': 'wrong', 'x-forwarded-for': '192.0.2.2' } })).status).toBe(
      401,
    )
    expect((await post(right, body(), { headers: { 'x-forwarded-for': '192.0.2.1' } })).status).toBe(202)
  })
})

describe('without Redis', () => {
  it('events are accepted at once, unlabelled; the labels come back with it', async () => {
    const redis = await own('redis')
    const { post, organization, health, events } = await world({ redisUrl: redis.address })
    const sender = await organization()
    expect((await post(sender, body({ id: 'a' }))).body.results?.[0]?.status).toBe('accepted')
    await redis.stop()
    await waitFor(async () => (await health()).body.degraded.includes('redis'), { limitMs: 5_000, what: 'the loss to be seen' })
    const started = performance.now()
    expect((await post(sender, body({ id: 'a' }))).body.results?.[0]?.status).toBe('accepted')
    expect(performance.now() - started).toBeLessThan(1_500)
    expect((await health()).status).toBe(200)
    await redis.start()
    await waitFor(async () => (await health()).body.degraded.length === 0, { limitMs: 10_000, what: 'redis to be back' })
    await post(sender, body({ id: 'b' }))
    expect((await post(sender, body({ id: 'b' }))).body.results?.[0]?.status).toBe('duplicate')
    expect((await events(sender)).map(({ id }) => id)).toEqual(['a', 'a', 'b'])
  })
})

describe('without Kafka', () => {
  it('every request is answered 503 with Retry-After and none 202; what was answered 202 before and after is all there', async () => {
    const kafka = await own('kafka')
    const { post, organization, health, events } = await world({ kafkaBrokers: kafka.address })
    const sender = await organization()
    expect((await post(sender, body({ id: 'before' }))).status).toBe(202)
    await kafka.stop()
    for (let n = 0; n < 3; n++) {
      const started = performance.now()
      const answer = await post(sender, body({ id: `during ${n}` }))
      expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([503, 'UNAVAILABLE', '2'])
      expect(performance.now() - started).toBeLessThan(12_000)
    }
    const unknown = await post(newOrganization(), body())
    expect(unknown.status).toBe(503)
    const { status, body: state } = await health()
    expect([status, state.degraded.includes('kafka')]).toEqual([200, true])
    await kafka.start()
    const retried = await waitFor(
      async () => {
        const answer = await post(sender, body({ id: 'during 0' }))
        return answer.status === 202 && answer
      },
      { limitMs: 40_000, what: 'ingest to recover by itself' },
    )
    expect(retried.body.results?.[0]?.id).toBe('during 0')
    const ids = (await events(sender)).map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining(['before', 'during 0']))
  }, 120_000)
})

describe('start and stop', () => {
  const log = createLogger('ingest test', 'silent')

  it('is not ready, and answers 503, until rules holds the pack; then takes what was refused', async () => {
    const prefix = uniquePrefix('ing')
    const brokers = testInfrastructure().kafkaBrokers
    const metricsPort = await freePort()
    const port = await freePort()
    const starting = startWithPrefix(prefix, brokers, { config: { METRICS_PORT: String(metricsPort), PORT: String(port) } })
    const kafka = createKafka({ brokers, clientId: 'test', prefix, log })
    const producer = createProducer(kafka)
    open.push(kafka, producer)
    const sender = newOrganization()
    const ready = async () => (await fetch(`http://127.0.0.1:${metricsPort}/health/ready`)).status
    await waitFor(async () => (await ready()) === 503, { limitMs: 10_000, what: 'ingest to listen' })
    await waitFor(() => publishOrganization(producer, sender).then(() => true), { limitMs: 20_000, what: 'the topics' })
    const early = await waitFor(() => postTo(`http://127.0.0.1:${port}`, sender, body()), { limitMs: 10_000, what: 'an answer' })
    expect([early.status, early.headers.get('retry-after')]).toEqual([503, '2'])
    await producer.send([{ topic: TOPICS.rules.name, partition: 0, key: 'r', value: '{}' }])
    const ingest = await starting
    open.push({ close: ingest.stop })
    expect(await ready()).toBe(200)
    expect((await postTo(`http://127.0.0.1:${ingest.port}`, sender, body())).status).toBe(202)
  })

  it('stops while it waits for a broker', async () => {
    const stopping = new AbortController()
    const starting = startWithPrefix(uniquePrefix('ing'), `127.0.0.1:${await freePort()}`, {}, stopping.signal)
    const outcome = expect(starting).rejects.toThrow()
    stopping.abort()
    await outcome
  })

  it('answers what is under way before it stops, and the event is there', async () => {
    const made = await createWorld()
    const sender = await made.organization()
    await made.post(sender, body({ id: 'first' }))
    const batch = JSON.stringify(Array.from({ length: 2_000 }, (_, n) => least({ id: `n${n}` })))
    const under = made.post(sender, batch)
    await waitFor(() => connectionsOf(made), { limitMs: 5_000, what: 'the request to arrive' })
    await made.ingest.stop()
    const answer = await under
    expect(answer.status).toBe(202)
    expect(await made.events(sender)).toHaveLength(2_001)
    await made.producer.close()
    await made.kafka.close()
  })
})

const connectionsOf = async (made: World) => {
  const text = await (await fetch(`http://127.0.0.1:${made.ingest.telemetryPort}/metrics`)).text()
  return Number(/tocsin_ingest_requests_under_way\S* (\d+)/.exec(text)?.[1] ?? 0) > 0
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
