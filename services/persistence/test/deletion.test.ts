import { issueToken } from '@tocsin/access'
import type { OrganizationDeletion } from '@tocsin/contracts'
import { createPool } from '@tocsin/postgres'
import { waitFor } from '@tocsin/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyBatch } from '../src/applier.ts'
import { createMetrics } from '../src/metrics.ts'
import { FieldCipher } from '../src/protection/field-cipher.ts'
import { alertField } from '../src/repositories/alert-row.ts'
import { type InstanceProcess, startInstanceProcess } from './instance-process.ts'
import { createStreamWorld, RULE, type StreamWorld } from './stream-world.ts'
import { figuresOf, OPERATOR, silent } from './world.ts'

const LIMIT_MS = 60_000
type Organization = Awaited<ReturnType<StreamWorld['newOrganization']>>

let world: StreamWorld
let operator: string
let instance: InstanceProcess
beforeAll(async () => {
  world = await createStreamWorld()
  operator = await issueToken(world.ring, { subject: OPERATOR, ttlSeconds: 3_600 })
  instance = await startInstanceProcess(world.env)
})
afterAll(async () => {
  await instance.end('SIGKILL')
  await world.close()
})

const ask = async (method: string, path: string, token: string, body?: unknown) => {
  const answer = await world.ask(instance, method, path, token, body)
  return { status: answer.status, body: answer.body as Record<string, unknown> }
}
const remove = ({ organizationId, slug }: Organization, confirm = slug) =>
  ask('POST', `/api/organizations/${organizationId}/delete`, operator, { confirm, reason: 'the contract ended' })
const deletionOf = async ({ organizationId }: Organization): Promise<OrganizationDeletion | undefined> =>
  ((await ask('GET', '/api/organizations/deletions', operator)).body['items'] as OrganizationDeletion[]).find(
    (each) => each.organizationId === organizationId,
  )
/** As if the time in which older transactions may still write were over. */
const settle = () => world.admin(`UPDATE organization_deletions SET deleted_at = deleted_at - interval '2 minutes'`)
const finished = (organization: Organization) =>
  waitFor(async () => ((await deletionOf(organization))?.finishedAt ?? null) !== null, { limitMs: LIMIT_MS, what: 'the removal' })

/** Rows of the organization by table; what is still in the outbox goes by itself. */
async function rowsOf({ organizationId }: Organization): Promise<Readonly<Record<string, number>>> {
  const tables = await world.admin<{ relname: string }>(
    `SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'
      WHERE c.relnamespace = 'persistence'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'outbox'
      ORDER BY c.relname`,
  )
  const counts: Record<string, number> = {}
  for (const { relname } of tables) {
    const [row] = await world.admin<{ rows: number }>(
      `SELECT count(*)::integer AS rows FROM ${relname} WHERE organization_id = $1`,
      [organizationId],
    )
    if (row !== undefined && row.rows > 0) counts[relname] = row.rows
  }
  return counts
}
/** What stays: that it was, that its key was destroyed, and who did it. */
const REMAINS = { data_keys: 1, organization_deletions: 1 }

/** An organization on the same partition, so that what holds up the one holds up the other. */
async function neighbourOf({ partition }: Organization): Promise<Organization> {
  for (let tries = 0; tries < 4; tries++) {
    const other = await world.newOrganization(instance, 'Untouched')
    if (other.partition === partition) return other
  }
  throw new Error(`no organization came to partition ${partition}`)
}

/** Something in every table that holds things of an organization. */
async function fill({ organizationId, partition, token }: Organization): Promise<string> {
  const alerts = Array.from({ length: 3 }, () => figuresOf(organizationId))
  await world.publish(
    partition,
    alerts.map((value) => ({ type: 'alert.created', value })),
  )
  const [{ id } = { id: '' }] = alerts
  await waitFor(async () => (await ask('GET', `/api/alerts/${id}`, token)).status === 200, {
    limitMs: LIMIT_MS,
    what: 'the alerts',
  })
  for (const [method, path, body] of [
    ['POST', `/api/alerts/${id}/resolve`, { notes: 'a note' }],
    ['POST', '/api/alerts', { title: 'by hand', severity: 'LOW', type: 'SECURITY', description: 'by hand', dedupKey: 'k' }],
    ['PUT', '/api/rules/own', { content: RULE, reason: 'new' }],
    ['POST', '/api/rules/own/activate', { reason: 'new' }],
    ['POST', '/api/keys', { name: 'reader', scopes: ['read'] }],
    ['PUT', '/api/members/ada', { role: 'viewer' }],
    ['POST', '/api/erasures', { subject: 'somebody', reason: 'asked' }],
  ] as const)
    expect([path, (await ask(method, path, token, body)).status < 300]).toEqual([path, true])
  const { body: hold } = await ask('POST', '/api/holds', token, { scope: { everything: true }, reason: 'case 17' })
  expect((await ask('DELETE', `/api/holds/${hold['id']}`, token)).status).toBe(200)
  return id
}

test('what is not confirmed, is under legal hold, or is asked by somebody else, is not deleted', async () => {
  const organization = await world.newOrganization(instance, 'Kept')
  const { organizationId, slug, token } = organization
  expect((await remove(organization, 'another')).body).toMatchObject({ status: 422, code: 'NOT_CONFIRMED' })
  expect((await ask('POST', `/api/organizations/${organizationId}/delete`, token, { confirm: slug, reason: 'x' })).status).toBe(
    403,
  )
  expect((await ask('GET', '/api/organizations/deletions', token)).status).toBe(403)
  const { body: hold } = await ask('POST', '/api/holds', token, { scope: { subject: 'ada' }, reason: 'case 18' })
  expect((await remove(organization)).body).toMatchObject({ status: 409, code: 'LEGAL_HOLD', holdId: hold['id'] })
  expect((await remove({ ...organization, organizationId: crypto.randomUUID() })).status).toBe(404)
  expect((await ask('GET', `/api/organizations/${organizationId}`, token)).status).toBe(200)
  await ask('DELETE', `/api/holds/${hold['id']}`, token)
  expect((await remove(organization)).status).toBe(202)
})

test('deleted under load, records in flight are dropped, no byte opens, every row goes, and another organization is untouched', async () => {
  const gone = await world.newOrganization(instance, 'Gone')
  const other = await neighbourOf(gone)
  const id = await fill(gone)
  await fill(other)
  const [sealed] = await world.admin<{ metadata: Buffer }>('SELECT metadata FROM alerts WHERE id = $1', [id])
  const place = alertField(gone.organizationId, id, 'metadata')

  let loading = true
  const published: string[] = []
  const load = async () => {
    while (loading) {
      const own = figuresOf(other.organizationId)
      const values = [figuresOf(gone.organizationId), own]
      await world.publish(
        other.partition,
        values.map((value) => ({ type: 'alert.created', value })),
      )
      published.push(own.id)
    }
  }
  const loads = [load(), load()]
  const more = (count: number) => {
    const at = published.length
    return waitFor(() => published.length >= at + count, { limitMs: LIMIT_MS, what: 'load' })
  }
  await more(20)
  expect((await remove(gone)).body).toMatchObject({ slug: gone.slug, deletedBy: OPERATOR, reason: 'the contract ended' })
  await more(20)
  expect((await ask('GET', '/api/alerts', gone.token)).status).toBe(400)
  expect((await ask('GET', `/api/alerts/${id}?organizationId=${gone.organizationId}`, gone.token)).body).toMatchObject({
    status: 404,
    detail: 'There is no such alert.',
  })
  expect((await remove(gone)).status).toBe(404)
  loading = false
  await Promise.all(loads)
  await settle()
  await finished(gone)
  expect(await rowsOf(gone)).toEqual(REMAINS)

  // The key is gone, here and for whoever asks anew; the bytes were kept.
  const pool = createPool(world.config.WORKER_DATABASE_URL, { name: 'opener', max: 1, log: silent })
  const cipher = new FieldCipher(pool, world.ring.fields)
  await expect(cipher.load([gone.organizationId])).rejects.toMatchObject({ status: 404 })
  expect(await cipher.loadLiving([gone.organizationId, other.organizationId])).toEqual(new Set([gone.organizationId]))
  expect(() => cipher.open(place, sealed?.metadata ?? Buffer.of())).toThrow('cannot be opened')
  await pool.end()
  expect(await world.admin('SELECT wrapped FROM data_keys WHERE organization_id = $1', [gone.organizationId])).toEqual([
    { wrapped: null },
  ])

  // Nobody waits for it, and nothing of it is a dead letter.
  await waitFor(async () => (await world.admin('SELECT 1 FROM alerts WHERE id = $1', [published.at(-1)])).length === 1, {
    limitMs: LIMIT_MS,
    what: 'the last alert of the other',
  })
  const kept = await world.admin<{ id: string }>('SELECT id FROM alerts WHERE id = ANY ($1::uuid[])', [published])
  expect(kept).toHaveLength(published.length)
  expect(await world.contentOf('alerts.dead')).toEqual([])
  expect((await ask('GET', `/api/organizations/${other.organizationId}`, other.token)).status).toBe(200)

  // What tells the others, in its order, and what stays of it for ever.
  const tombstonesOf = async (topic: string) =>
    (await world.contentOf(topic)).flatMap(({ key, value }) => (value === null ? [key?.toString()] : []))
  expect(await tombstonesOf('tenants')).toContain(gone.organizationId)
  expect(await tombstonesOf('rules')).toContain(`${gone.organizationId}/own`)
  const access = (await world.contentOf('access')).filter(({ key }) => key?.toString() === `admin@${gone.slug}`)
  expect(access.at(-1)?.value).toBeNull()
  const ada = (await world.contentOf('access')).findLast(({ key }) => key?.toString() === 'ada')
  expect(JSON.parse(ada?.value?.toString() ?? 'null').memberships).toEqual([
    { organizationId: other.organizationId, role: 'viewer' },
  ])
  const controls = (await world.contentOf('audit.events')).map(({ value }) => JSON.parse(value?.toString() ?? 'null'))
  expect(controls).toContainEqual({ kind: 'organizationDeleted', organizationId: gone.organizationId })
  const erased = (await world.contentOf('alerts'))
    .map(({ value }) => JSON.parse(value?.toString() ?? 'null'))
    .filter(({ reason }) => reason === 'organization')
  expect(erased.map((record) => record.id)).toContain(id)
  const head = (await world.contentOf('history.heads'))
    .map(({ value }) => JSON.parse(value?.toString() ?? 'null'))
    .findLast(({ organizationId }) => organizationId === gone.organizationId)
  const deletion = await deletionOf(gone)
  expect(deletion).toMatchObject({ reason: 'the contract ended', lastHead: { sequence: head.sequence, hash: head.hash } })
  const [mark] = await world.admin('SELECT name, settings FROM organizations WHERE id = $1', [gone.organizationId])
  expect(mark).toEqual({ name: gone.slug, settings: {} })

  // Its slug is nobody's: a token for admin@SLUG may still be about.
  expect((await ask('POST', '/api/organizations', operator, { name: 'Another', slug: gone.slug })).body).toMatchObject({
    status: 409,
    code: 'SLUG_TAKEN',
  })
}, 240_000)

test('an instance that still has the key in memory lets nothing in, and says why it dropped what came', async () => {
  const [gone, other] = [await world.newOrganization(instance, 'Known'), await world.newOrganization(instance, 'Beside')]
  const pool = createPool(world.config.WORKER_DATABASE_URL, { name: 'late', max: 1, log: silent })
  const cipher = new FieldCipher(pool, world.ring.fields)
  await cipher.load([gone.organizationId, other.organizationId])
  expect((await remove(gone)).status).toBe(202)
  // A partition that no instance reads.
  const [topic, partition] = ['alerts', 99]
  await world.admin(`INSERT INTO offsets (topic, partition, next, cluster_id) VALUES ('alerts', 99, 0, 'c')`)
  const items = [gone, other].map(({ organizationId }, index) => ({
    record: { topic, partition, offset: BigInt(index), key: null, value: null, headers: {}, appendTime: 0 },
    value: { half: 'figures' as const, type: 'alert.created' as const, figures: figuresOf(organizationId) },
  }))
  const batch = { topic, partition, from: 0n, to: 2n, items }
  expect(await applyBatch({ pool, cipher, metrics: createMetrics() }, batch, 'c')).toEqual([
    { kind: 'dropped', reason: 'organizationDeleted' },
    { kind: 'done' },
  ])
  expect(await world.admin('SELECT 1 FROM alerts WHERE organization_id = $1', [gone.organizationId])).toEqual([])
  await pool.end()
  await world.admin('DELETE FROM offsets WHERE partition = 99')
})

test('killed with -9 in the middle of a batch, the removal goes on with the next instance', async () => {
  const organization = await world.newOrganization(instance, 'Killed')
  await fill(organization)
  await world.admin(
    `CREATE OR REPLACE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN OLD; END $$`,
  )
  await world.admin('CREATE TRIGGER linger BEFORE DELETE ON rule_versions FOR EACH ROW EXECUTE FUNCTION linger()')
  try {
    expect((await remove(organization)).status).toBe(202)
    const { pid } = await waitFor(
      async () =>
        (
          await world.admin<{ pid: number }>(
            `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`,
          )
        )[0],
      { limitMs: LIMIT_MS, what: 'the middle of a batch' },
    )
    await instance.end('SIGKILL')
    await world.admin('SELECT pg_terminate_backend($1)', [pid])
  } finally {
    await world.admin('DROP TRIGGER linger ON rule_versions')
  }
  expect(await rowsOf(organization)).toMatchObject({ rule_versions: expect.any(Number), history: expect.any(Number) })
  instance = await startInstanceProcess(world.env)
  await settle()
  await finished(organization)
  expect(await rowsOf(organization)).toEqual(REMAINS)
}, 240_000)

test('the database lets nobody destroy a key or remove rows of an organization that is there', async () => {
  const { organizationId } = await world.newOrganization(instance, 'Safe')
  for (const [url, statement] of [
    [world.config.API_DATABASE_URL, `SELECT delete_organization($1, 'x', 'api')`],
    [world.config.API_DATABASE_URL, 'SELECT remove_deleted($1, 10)'],
    [world.config.WORKER_DATABASE_URL, `SELECT delete_organization($1, 'x', 'api')`],
    [world.config.WORKER_DATABASE_URL, 'SELECT remove_deleted($1, 10)'],
  ] as const) {
    const pool = createPool(url, { name: 'careless', max: 1, log: silent })
    await expect(pool.query(statement, [organizationId]), statement).rejects.toMatchObject({ code: '42501' })
    await pool.end()
  }
})
