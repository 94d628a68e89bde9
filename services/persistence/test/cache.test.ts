import { connectRedis } from '@tocsin/redis'
import { testInfrastructure, waitFor } from '@tocsin/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AnswerCache } from '../src/answer-cache.ts'
import { FieldCipher } from '../src/protection/field-cipher.ts'
import { createWorld, silent, type World } from './world.ts'

let world: World
let acme: Awaited<ReturnType<World['newOrganization']>>
let other: Awaited<ReturnType<World['newOrganization']>>
let redis: ReturnType<typeof connectRedis>
let cipher: FieldCipher
beforeAll(async () => {
  world = await createWorld({ redisUrl: testInfrastructure().redisUrl })
  redis = connectRedis(testInfrastructure().redisUrl, { name: 'cache test', log: silent })
  await waitFor(() => redis.isUp(), { limitMs: 30_000, what: 'Redis' })
  cipher = new FieldCipher(world.apiPool, world.ring.fields)
  acme = await world.newOrganization('Cache')
  other = await world.newOrganization('Other')
})
afterAll(async () => {
  await redis.close()
  await world.close()
})

const instance = () => new AnswerCache(redis, cipher)
const get = (id: string, token = acme.token) => world.ask('GET', `/api/alerts/${id}`, token)
const statistics = (token = acme.token) => world.ask('GET', '/api/alerts/statistics', token)

describe('what was answered', () => {
  test('is answered again from Redis, until something of the organization changes', async () => {
    const { id } = await world.addAlert(acme.organizationId, { title: 'Before' })
    expect((await get(id)).body.title).toBe('Before')
    const total: number = (await statistics()).body.total
    await world.admin(`UPDATE alerts SET title = 'Behind its back' WHERE id = $1`, [id])
    await world.addAlert(acme.organizationId)
    expect((await get(id)).body.title).toBe('Before')
    expect((await statistics()).body.total).toBe(total)
    const acted = await world.ask('POST', `/api/alerts/${id}/acknowledge`, acme.token)
    expect(acted.status).toBe(200)
    expect((await get(id)).body).toMatchObject({ title: 'Behind its back', status: 'acknowledged' })
    expect((await statistics()).body).toMatchObject({ total: total + 1, byStatus: { acknowledged: 1 } })
  })

  test('is masked for each who asks, whoever asked first, and is of no other organization', async () => {
    const { id } = await world.addAlert(acme.organizationId, { title: 'Canary of ada' })
    const viewer = await world.addMember('viewer@cache', acme.organizationId, 'viewer')
    expect((await get(id)).body.title).toBe('Canary of ada')
    expect(JSON.stringify((await get(id, viewer)).body)).not.toContain('Canary')
    expect((await get(id)).body.title).toBe('Canary of ada')
    expect((await get(id, other.token)).status).toBe(404)
  })

  test('lies in Redis sealed, and opens under no other organization or name', async () => {
    await instance().remember(acme.organizationId, 'a', async () => 'canary')
    const generation = await redis.client.get(`tocsin:persistence:${acme.organizationId}:generation`)
    const key = (organizationId: string, name: string) => `tocsin:persistence:${organizationId}:${generation}:${name}`
    const stored = await redis.client.getBuffer(key(acme.organizationId, 'a'))
    expect(stored?.toString('latin1')).not.toContain('canary')
    await redis.client.set(`tocsin:persistence:${other.organizationId}:generation`, generation ?? '')
    await redis.client.set(key(other.organizationId, 'a'), stored ?? '')
    await redis.client.set(key(acme.organizationId, 'b'), stored ?? '')
    expect(await instance().remember(other.organizationId, 'a', async () => 'own')).toBe('own')
    expect(await instance().remember(acme.organizationId, 'b', async () => 'own')).toBe('own')
  })
})

describe('a change', () => {
  test('by another instance is seen once it was told', async () => {
    const [one, two] = [instance(), instance()]
    let row = 'old'
    const read = async () => row
    expect(await two.remember(acme.organizationId, 'row', read)).toBe('old')
    row = 'new'
    await one.changed([acme.organizationId])
    expect(await two.remember(acme.organizationId, 'row', read)).toBe('new')
  })

  test('while somebody reads what was before it leaves nothing old behind', async () => {
    for (const writer of [instance(), null]) {
      const reader = instance()
      let row = 'old'
      const reading = Promise.withResolvers<void>()
      const go = Promise.withResolvers<void>()
      const slow = reader.remember(acme.organizationId, 'race', async () => {
        const seen = row
        reading.resolve()
        await go.promise
        return seen
      })
      await reading.promise
      row = 'new'
      // By another instance, then by the reader's own.
      await (writer ?? reader).changed([acme.organizationId])
      go.resolve()
      expect(await slow).toBe('old')
      expect(await reader.remember(acme.organizationId, 'race', async () => row)).toBe('new')
      await reader.changed([acme.organizationId])
    }
  })

  test('that Redis could not be told of is never answered over by the same instance', async () => {
    const away = connectRedis(testInfrastructure().redisUrl, { name: 'goes away', log: silent })
    await waitFor(() => away.isUp(), { limitMs: 30_000, what: 'Redis' })
    const cache = new AnswerCache(away, cipher)
    expect(await cache.remember(acme.organizationId, 'kept', async () => 'old')).toBe('old')
    away.client.disconnect()
    await waitFor(() => !away.isUp(), { limitMs: 30_000, what: 'Redis' })
    await cache.changed([acme.organizationId])
    expect(await cache.remember(acme.organizationId, 'kept', async () => 'new')).toBe('new')
    await away.client.connect()
    await waitFor(() => away.isUp(), { limitMs: 30_000, what: 'Redis' })
    expect(await cache.remember(acme.organizationId, 'kept', async () => 'new')).toBe('new')
    expect(await instance().remember(acme.organizationId, 'kept', async () => 'again')).toBe('new')
    await away.close()
  })
})

test('without Redis everything is answered from the database', async () => {
  const nowhere = connectRedis('redis://127.0.0.1:1', { name: 'nowhere', log: silent })
  const cache = new AnswerCache(nowhere, cipher)
  for (const row of ['one', 'two']) expect(await cache.remember(acme.organizationId, 'row', async () => row)).toBe(row)
  await cache.changed([acme.organizationId])
  await nowhere.close()
})
