import { readFile, writeFile } from 'node:fs/promises'
import {
  issueServiceToken,
  issueToken,
  type KeyRing,
  type KeyRingName,
  loadKeyRing,
  rotateKey,
  sealPage,
  writeKeyRing,
} from '@tocsin/access'
import type { OrganizationCreated } from '@tocsin/contracts'
import { waitFor } from '@tocsin/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createStreamWorld, type Instance, type StreamWorld } from './stream-world.ts'
import { figuresOf } from './world.ts'

/** Services look at the file every 2 s; the machine is busy. */
const ACTIVATE_AFTER_MS = 5_000
const LIMIT_MS = 60_000

let world: StreamWorld
let instance: Instance
let organization: OrganizationCreated & { readonly partition: number }
let alertId: string
beforeAll(async () => {
  world = await createStreamWorld()
  instance = await world.start()
  organization = await world.newOrganization(instance, 'Rotating')
  const figures = figuresOf(organization.organizationId, { metadata: { secret: 'sealed before' } })
  alertId = figures.id
  await world.publish(organization.partition, [{ type: 'alert.created', value: figures }])
  await waitFor(async () => (await ask()).status === 200, { limitMs: LIMIT_MS, what: 'the alert' })
})
afterAll(() => world?.close())

const path = () => String(world.env['KEYS_FILE'])
const ask = (token = organization.token, address = `/api/alerts/${alertId}`) => world.ask(instance, 'GET', address, token)
async function rotate(...names: KeyRingName[]): Promise<{ before: KeyRing; after: KeyRing }> {
  const before = await loadKeyRing(path())
  for (const name of names) {
    const { file } = await rotateKey(await loadKeyRing(path()), name, { now: Date.now(), activateAfterMs: ACTIVATE_AFTER_MS })
    await writeKeyRing(path(), file)
  }
  const active = async () => {
    const ring = await loadKeyRing(path())
    return names.every((name) => ring[name].next === undefined)
  }
  await waitFor(active, { limitMs: LIMIT_MS, what: 'the new keys' })
  return { before, after: await loadKeyRing(path()) }
}

test('each ring is rotated under load: no request fails, and what the old keys made stays valid', async () => {
  let running = true
  const failures: unknown[] = []
  let answered = 0
  const load = (async () => {
    while (running) {
      const { status, body } = await ask()
      if (status === 200) answered += 1
      else failures.push({ status, body })
    }
  })()
  const at = '2030-01-01T00:00:00.000Z'
  const place = {
    organizationId: organization.organizationId,
    sort: 'created',
    order: 'desc',
    value: at,
    createdAt: at,
    id: alertId,
  }
  const rings = ['tokens', 'cursors', 'cookies', 'services', 'fields'] as const
  const { before, after } = await rotate(...rings)
  for (const name of rings) expect(after[name].active).not.toBe(before[name].active)
  // What a service that has not read the new file makes, and one that has: both open everywhere.
  for (const ring of [before, after]) {
    const person = await issueToken(ring, { subject: `admin@${organization.slug}`, ttlSeconds: 60 })
    const service = await issueServiceToken(ring, { caller: 'gateway', audience: 'persistence' })
    expect((await ask(person)).status).toBe(200)
    expect((await ask(service, `/api/alerts/${alertId}?organizationId=${organization.organizationId}`)).status).toBe(200)
    expect((await ask(person, `/api/alerts?cursor=${encodeURIComponent(sealPage(ring, place))}`)).status).toBe(200)
  }
  running = false
  await load
  expect(failures).toEqual([])
  expect(answered).toBeGreaterThan(0)
}, 180_000)

test('data keys are wrapped by the new master key in the background, also after the pass was broken off', async () => {
  const wrappers = async () =>
    (await world.admin<{ master_key: string }>('SELECT DISTINCT master_key FROM data_keys')).map((row) => row.master_key)
  const { fields } = await loadKeyRing(path())
  await waitFor(async () => (await wrappers()).join() === fields.active, { limitMs: LIMIT_MS, what: 'the pass' })
  const sealed = await world.admin('SELECT metadata FROM alerts WHERE id = $1', [alertId])

  // An instance that was ended in the middle leaves some wrapped by the old key: the next one goes on.
  await world
    .newOrganization(instance, 'Another')
    .then(({ organizationId, token }) => ask(token, `/api/alerts?organizationId=${organizationId}`))
  await world.stop(instance)
  const { after } = await rotate('fields')
  instance = await world.start()
  await waitFor(async () => (await wrappers()).join() === after.fields.active, { limitMs: LIMIT_MS, what: 'the second pass' })
  expect((await ask()).body).toMatchObject({ metadata: { secret: 'sealed before' } })
  expect(await world.admin('SELECT metadata FROM alerts WHERE id = $1', [alertId])).toEqual(sealed)
}, 180_000)

test('a changed key file that cannot be used leaves the one before it in force', async () => {
  const good = await readFile(path(), 'utf8')
  await writeFile(path(), '{"half": ')
  const until = Date.now() + 5_000
  await waitFor(
    async () => {
      expect((await ask()).status).toBe(200)
      return Date.now() > until
    },
    { limitMs: LIMIT_MS, what: 'five seconds of answers' },
  )
  await writeFile(path(), good)
})
