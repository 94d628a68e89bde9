import { randomInt } from 'node:crypto'
import { hashOf } from '@tocsin/history'
import { createPool, queryOf } from '@tocsin/postgres'
import { waitFor } from '@tocsin/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FieldCipher } from '../src/protection/field-cipher.ts'
import { applyFigures } from '../src/repositories/alerts.ts'
import { type InstanceProcess, startInstanceProcess } from './instance-process.ts'
import { createStreamWorld, type StreamWorld } from './stream-world.ts'
import { figuresOf, silent } from './world.ts'

const LIMIT_MS = 60_000
type Organization = Awaited<ReturnType<StreamWorld['newOrganization']>>

let world: StreamWorld
const running = new Set<InstanceProcess>()
beforeAll(async () => {
  world = await createStreamWorld()
})
afterAll(async () => {
  await Promise.all([...running].map((instance) => instance.end('SIGKILL')))
  await world.close()
})

const start = async () => {
  const instance = await startInstanceProcess(world.env)
  running.add(instance)
  return instance
}
const end = async (instance: InstanceProcess, signal: 'SIGKILL' | 'SIGTERM') => {
  running.delete(instance)
  return instance.end(signal)
}
/** Written as the applier writes them, so that no test waits for a group that lost a member. */
const storedAlerts = async ({ organizationId }: Organization, count: number) => {
  const alerts = Array.from({ length: count }, () => figuresOf(organizationId))
  const pool = createPool(world.config.WORKER_DATABASE_URL, { name: 'figures', max: 1, log: silent })
  try {
    const cipher = new FieldCipher(pool, world.ring.fields)
    await cipher.load([organizationId])
    await applyFigures(queryOf(pool), cipher, alerts)
  } finally {
    await pool.end()
  }
  return alerts
}
const emptyOutbox = () =>
  waitFor(async () => (await world.admin('SELECT 1 FROM outbox')).length === 0, { limitMs: LIMIT_MS, what: 'an empty outbox' })

/** What row, history and topic say of an alert's versions. */
async function versionsOf(id: string) {
  const [row] = await world.admin<{ version: number }>('SELECT version FROM alerts WHERE id = $1', [id])
  const entries = await world.admin<{ version: number }>('SELECT version FROM history WHERE about_id = $1 ORDER BY version', [id])
  const published = (await world.contentOf('alerts')).flatMap((record) => {
    const value = JSON.parse(record.value?.toString() ?? 'null') as { id: string; version?: number }
    return value.id === id && value.version !== undefined ? [value.version] : []
  })
  return { row: row?.version, history: entries.map(({ version }) => version), published }
}
/** A reader drops what is not newer than what it has. */
const newer = (versions: readonly number[]) =>
  versions.filter((version, at) => versions.slice(0, at).every((earlier) => earlier < version))
const upTo = (version: number) => Array.from({ length: version }, (_, at) => at + 1)

/** Sequence 1 to the end, each hash over the one before, every entry once. */
async function expectWholeChain(organizationId: string) {
  const seals = await world.admin<{ sequence: bigint; previous: string; hash: string; entry: Parameters<typeof hashOf>[1] }>(
    `SELECT s.sequence, encode(s.previous, 'hex') AS previous, encode(s.hash, 'hex') AS hash,
            json_build_object('id', h.id, 'at', to_char(h.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'actor', h.actor,
              'channel', h.channel, 'action', h.action, 'aboutKind', h.about_kind, 'aboutId', h.about_id, 'version', h.version,
              'commitment', encode(h.commitment, 'hex')) AS entry
       FROM history_seals s JOIN history h ON h.id = s.history_id WHERE s.organization_id = $1 ORDER BY s.sequence`,
    [organizationId],
  )
  const entries = await world.admin('SELECT 1 FROM history WHERE organization_id = $1', [organizationId])
  expect(seals.map(({ sequence }) => Number(sequence))).toEqual(upTo(entries.length))
  for (const [at, { sequence, previous, hash, entry }] of seals.entries()) {
    expect(previous).toBe(seals[at - 1]?.hash ?? '0'.repeat(64))
    expect(hash).toBe(hashOf({ organizationId, sequence: Number(sequence), previous }, entry))
  }
  return { length: seals.length, hash: seals.at(-1)?.hash }
}

test('of two instances that are killed with -9 in turn while people act, rows, history, chain and records agree, and no answered act is lost', async () => {
  const instances = [await start(), await start()]
  const organization = await world.newOrganization(instances[0] as InstanceProcess, 'Killed')
  const alerts = await storedAlerts(organization, 12)
  const canary = 'a canary in notes'
  const answered: { id: string; version: number }[] = []
  let acting = true
  const person = async () => {
    while (acting) {
      const { id } = alerts[randomInt(alerts.length)] as (typeof alerts)[number]
      const instance = instances[randomInt(2)] as InstanceProcess
      const [path, body] = [
        ['acknowledge', undefined],
        ['unacknowledge', undefined],
        ['resolve', { notes: canary }],
        ['reopen', undefined],
      ][randomInt(4)] as [string, object | undefined]
      const answer = await world.ask(instance, 'POST', `/api/alerts/${id}/${path}`, organization.token, body).catch(() => null)
      if (answer?.status === 200) answered.push({ id, version: (answer.body as unknown as { version: number }).version })
    }
  }
  const logs: string[] = []
  const people = Array.from({ length: 4 }, person)
  for (let round = 0; round < 3; round++) {
    const before = answered.length
    await waitFor(() => answered.length >= before + 10 + randomInt(10), { limitMs: LIMIT_MS, what: 'more acts' })
    const victim = instances[round % 2] as InstanceProcess
    expect(await end(victim, 'SIGKILL')).toBeNull()
    logs.push(victim.log())
    instances[round % 2] = await start()
  }
  acting = false
  await Promise.all(people)
  await emptyOutbox()
  for (const instance of instances) {
    expect(await end(instance, 'SIGTERM')).toBe(0)
    logs.push(instance.log())
  }

  for (const { id } of alerts) {
    const { row, history, published } = await versionsOf(id)
    expect([row, newer(published)]).toEqual([history.length, upTo(history.length)])
    expect(history).toEqual(upTo(history.length))
    const lost = answered.filter((each) => each.id === id && !history.includes(each.version))
    expect(lost).toEqual([])
  }
  expect(new Set(answered.map(({ id, version }) => `${id}/${version}`)).size).toBe(answered.length)

  // The clean stop sealed what was left, signed the end, and published it.
  const { length, hash } = await expectWholeChain(organization.organizationId)
  const heads = (await world.contentOf('history.heads')).map((record) => JSON.parse(record.value?.toString() ?? 'null'))
  expect(heads.at(-1)).toMatchObject({ organizationId: organization.organizationId, sequence: length, hash })

  const { password } = new URL(world.config.API_DATABASE_URL)
  for (const secret of [canary, organization.token, organization.ingestKey, password, world.ring.fields.keys['k1']?.secret ?? ''])
    expect(logs.some((log) => log.includes(secret))).toBe(false)
}, 240_000)

/** A statement that makes one place of the work last, so that the process can be killed exactly there, and one that undoes it. */
const LINGER = `CREATE OR REPLACE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN COALESCE(NEW, OLD); END $$`
const lingerAt = (table: string, when: string, kind = '') => [
  `CREATE ${kind} TRIGGER linger ${when} ON ${table} ${kind === '' ? '' : 'DEFERRABLE INITIALLY DEFERRED'} FOR EACH ROW EXECUTE FUNCTION linger()`,
  `DROP TRIGGER linger ON ${table}`,
]
const PLACES: Readonly<Record<string, readonly string[]>> = {
  'between row and history': lingerAt('history', 'BEFORE INSERT'),
  'between history and outbox': lingerAt('outbox', 'BEFORE INSERT'),
  'between outbox and commit': lingerAt('outbox', 'AFTER INSERT', 'CONSTRAINT'),
  'between publishing and removing from the outbox': lingerAt('outbox', 'BEFORE DELETE'),
  'between the hash of an entry and its seal': lingerAt('history_seals', 'BEFORE INSERT'),
}

describe('killed with -9 at one place of its work', () => {
  let instance: InstanceProcess
  let organization: Organization
  beforeAll(async () => {
    instance = await start()
    organization = await world.newOrganization(instance, 'Killed at a place')
    await world.admin(LINGER)
  })

  test.each(Object.keys(PLACES))('%s: an act is there whole or not at all, and the next instance goes on', async (place) => {
    const [linger = '', go = ''] = PLACES[place] ?? []
    const [{ id } = { id: '' }] = await storedAlerts(organization, 1)
    const act = (what: string) => world.ask(instance, 'POST', `/api/alerts/${id}/${what}`, organization.token)
    await emptyOutbox()
    await world.admin(linger)
    try {
      const acting = act('acknowledge').catch(() => null)
      const sleeping = await waitFor(
        async () =>
          (
            await world.admin<{ pid: number }>(
              `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`,
            )
          )[0],
        { limitMs: LIMIT_MS, what: place },
      )
      await end(instance, 'SIGKILL')
      // What PostgreSQL does by itself once it misses its client, without waiting for that.
      await world.admin('SELECT pg_terminate_backend($1)', [sleeping.pid])
      await acting
    } finally {
      await world.admin(go)
    }
    const before = await versionsOf(id)
    expect([before.history, before.row]).toEqual(before.row === 0 ? [[], 0] : [[1], 1])
    instance = await start()
    if (before.row === 0) await act('acknowledge')
    await act('unacknowledge')
    await emptyOutbox()
    const after = await versionsOf(id)
    expect({ ...after, published: newer(after.published) }).toEqual({ row: 2, history: [1, 2], published: [1, 2] })
    await waitFor(async () => (await world.admin('SELECT 1 FROM history_unsealed')).length === 0, {
      limitMs: LIMIT_MS,
      what: 'the seals',
    })
    await expectWholeChain(organization.organizationId)
  })
})
