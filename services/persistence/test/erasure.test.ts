import type { AlertFigures } from '@tocsin/contracts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyBatch } from '../src/applier.ts'
import { createMetrics } from '../src/metrics.ts'
import { eraseNext } from '../src/protection/erasure.ts'
import { FieldCipher } from '../src/protection/field-cipher.ts'
import { alertField, evidenceField } from '../src/repositories/alert-row.ts'
import { createWorld, figuresOf, type World } from './world.ts'

type Organization = Awaited<ReturnType<World['newOrganization']>>

let world: World
let cipher: FieldCipher
beforeAll(async () => {
  world = await createWorld()
  cipher = new FieldCipher(world.workerPool, world.ring.fields)
})
afterAll(() => world.close())

/** Everything of an alert that may name a person does. */
const about = (organizationId: string, person: string, over: Partial<AlertFigures> = {}): AlertFigures =>
  figuresOf(organizationId, {
    title: `Failed sign-ins of ${person}`,
    description: `5 failed sign-ins of "${person}", from one address.`,
    group: { principalId: person },
    metadata: { who: [person], count: { [person]: 5 }, note: `seen: user=${person}.` },
    correlationId: person,
    tags: [person],
    evidence: figuresOf(organizationId).evidence.map((each) => ({ ...each, subject: person, target: person })),
    ...over,
  })
const round = (batch?: number) =>
  eraseNext({
    pool: world.workerPool,
    cipher,
    onChanged: (id) => world.cache.changed([id]),
    ...(batch === undefined ? {} : { batch }),
  })
async function finish(): Promise<void> {
  while ((await round()) === 'more');
}
const erase = (organization: Organization, subject: string) =>
  world.ask('POST', '/api/erasures', organization.token, { subject, reason: `${subject} asked for it` })
const erasure = async (organization: Organization, id: string) =>
  (await world.ask('GET', `/api/erasures/${id}`, organization.token)).body

/** As records of `alerts`, from the beginning of a log that nobody has applied. */
async function applyFromTheStart({ organizationId, partition }: Organization, alerts: readonly AlertFigures[]) {
  await world.admin('DELETE FROM offsets')
  await world.admin(`INSERT INTO offsets (topic, partition, next, cluster_id) VALUES ('alerts', $1, 0, 'c')`, [partition])
  const items = alerts.map((figures, index) => ({
    record: { topic: 'alerts', partition, offset: BigInt(index), key: null, value: null, headers: {}, appendTime: 0 },
    value: { half: 'figures' as const, type: 'alert.revised' as const, figures: { ...figures, organizationId } },
  }))
  const batch = { topic: 'alerts', partition, from: 0n, to: BigInt(alerts.length), items }
  await applyBatch({ pool: world.workerPool, cipher, metrics: createMetrics() }, batch, 'c')
}

/** Every column of every row of the organization as text, and every sealed field of alerts, erasures and history opened. */
async function allTexts({ organizationId }: Organization): Promise<string> {
  const tables = await world.admin<{ relname: string }>(
    `SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'
      WHERE c.relnamespace = 'persistence'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition`,
  )
  const texts: string[] = []
  for (const { relname } of tables) {
    const rows = await world.admin<{ row: string }>(`SELECT t::text AS row FROM ${relname} t WHERE organization_id = $1`, [
      organizationId,
    ])
    texts.push(...rows.map(({ row }) => row))
  }
  await cipher.load([organizationId])
  const open = (place: Parameters<FieldCipher['open']>[0], stored: Buffer | null) =>
    texts.push(stored === null ? '' : cipher.open(place, stored))
  const columns = ['metadata', 'resolution_notes', 'resolution_metadata'] as const
  const alerts = await world.admin<{ id: string; evidence: Buffer } & Record<(typeof columns)[number], Buffer | null>>(
    `SELECT a.id, metadata, resolution_notes, resolution_metadata, evidence
       FROM alerts a LEFT JOIN alert_evidence e ON e.alert_id = a.id WHERE a.organization_id = $1`,
    [organizationId],
  )
  for (const row of alerts) {
    for (const column of columns) open(alertField(organizationId, row.id, column), row[column])
    open(evidenceField(organizationId, row.id), row.evidence)
  }
  for (const [table, column, id] of [
    ['history_payloads', 'payload', 'history_id'],
    ['erasures', 'reason', 'id'],
    ['erasures', 'subject', 'id'],
  ] as const) {
    const rows = await world.admin<{ id: string; stored: Buffer | null }>(
      `SELECT ${id} AS id, ${column} AS stored FROM ${table} WHERE organization_id = $1`,
      [organizationId],
    )
    for (const row of rows) open({ organizationId, table, column, rowId: row.id }, row.stored)
  }
  return texts.join('\n')
}

test('an erased person is in no column and in no opened field, stays out of a replay and of later records, and others stay', async () => {
  const [organization, other] = [await world.newOrganization('Erased'), await world.newOrganization('Untouched')]
  const { organizationId, token } = organization
  const person = 'ada.lovelace@example.org'
  const log = [
    about(organizationId, person),
    // Named in evidence only, in a comment only, and not at all: another whose name has the person's in it.
    figuresOf(organizationId, { evidence: about(organizationId, person).evidence }),
    figuresOf(organizationId, { group: { principalId: 'bob' } }),
    about(organizationId, `x${person}`),
  ]
  const [first, inEvidence, inComment, namesake] = log as [AlertFigures, AlertFigures, AlertFigures, AlertFigures]
  await applyFromTheStart(organization, log)
  const elsewhere = await world.addAlert(other.organizationId, about(other.organizationId, person))
  for (const [path, body] of [
    [`${first.id}/labels`, { add: [person] }],
    [`${first.id}/resolve`, { notes: `it was ${person}`, action: `called ${person}`, metadata: { who: person } }],
    [`${inComment.id}/comments`, { comment: `like ${person}?` }],
  ] as const)
    expect([path, (await world.ask('POST', `/api/alerts/${path}`, token, body)).status]).toEqual([path, 200])
  await world.admin('DELETE FROM outbox')
  expect((await allTexts(organization)).split(person).length).toBeGreaterThan(20)

  const asked = await erase(organization, person)
  expect([asked.status, asked.body.state, asked.body.reason]).toEqual([
    202,
    'running',
    expect.stringMatching(/^erased-[0-9a-f]{12} /),
  ])
  expect(Date.parse(asked.body.lastCopyExpires.alerts) - Date.parse(asked.body.requestedAt)).toBe(37 * 86_400_000)
  await finish()
  const done = await erasure(organization, asked.body.id)
  expect(done).toMatchObject({ state: 'done', touched: 3, held: 0 })
  const erasedRecords = await world.admin<{ value: string }>(
    `SELECT value FROM outbox WHERE headers->>'tocsin-type' = 'alert.erased'`,
  )
  expect(erasedRecords.map(({ value }) => [JSON.parse(value).id, JSON.parse(value).reason]).sort()).toEqual(
    [first, inEvidence, inComment].map(({ id }) => [id, 'erasure']).sort(),
  )

  const alone = /(?<!x)ada\.lovelace@example\.org/
  expect(await allTexts(organization)).not.toMatch(alone)
  const { pseudonym } = done
  const { body: shown } = await world.ask('GET', `/api/alerts/${first.id}`, token)
  expect(shown).toMatchObject({
    title: `Failed sign-ins of ${pseudonym}`,
    group: { principalId: pseudonym },
    metadata: { who: [pseudonym], count: { [pseudonym]: 5 }, note: `seen: user=${pseudonym}.` },
    labels: [pseudonym],
    resolutionNotes: `it was ${pseudonym}`,
    resolutionAction: `called ${pseudonym}`,
    status: 'resolved',
  })
  const found = async (subject: string) =>
    (await world.ask('GET', `/api/alerts?subject=${subject}`, token)).body.items.map(({ id }: { id: string }) => id)
  expect([await found(person), await found(pseudonym), await found(`x${person}`)]).toEqual([[], [first.id], [namesake.id]])
  const states = await world.ask('GET', `/api/history?aboutKind=alert&aboutId=${inComment.id}`, token)
  expect(states.body.items.map((item: { detailsState: string }) => item.detailsState)).toEqual(['erased'])
  const entries = await world.ask('GET', `/api/history?aboutKind=erasure&aboutId=${done.id}`, token)
  expect(entries.body.items.map(({ action }: { action: string }) => action)).toEqual([
    'erasure.finished',
    'erasure.applied',
    'erasure.requested',
  ])

  // A database of which the alerts were lost, and what the detector, who knows nothing of it, says next.
  await world.admin('DELETE FROM alerts WHERE organization_id = $1', [organizationId])
  await applyFromTheStart(organization, [...log, about(organizationId, person), { ...first, revision: 2, count: 9 }])
  expect(await allTexts(organization)).not.toMatch(alone)
  expect(await found(pseudonym)).toHaveLength(2)

  const { body: theirs } = await world.ask('GET', `/api/alerts/${elsewhere.id}`, other.token)
  expect(theirs).toMatchObject({ title: elsewhere.title, group: elsewhere.group, metadata: elsewhere.metadata })
  expect((await world.ask('GET', `/api/erasures/${done.id}`, other.token)).status).toBe(404)
  expect((await world.ask('GET', '/api/erasures', other.token)).body).toEqual({ items: [] })
})

test('an erasure that was stopped in the middle goes on where it was, and two instances at once do each alert once', async () => {
  const organization = await world.newOrganization('Stopped')
  const person = 'Grace Hopper'
  for (let n = 0; n < 7; n++)
    await world.addAlert(
      organization.organizationId,
      about(organization.organizationId, person, { createdAt: `2026-03-01T10:04:00.10${n % 3}Z` }),
    )
  const { body } = await erase(organization, person)
  expect(await round(2)).toBe('more')
  expect(await erasure(organization, body.id)).toMatchObject({ state: 'running', touched: 2 })
  // A batch that fails in the end leaves nothing behind.
  await world.admin('ALTER TABLE outbox ADD CONSTRAINT no_more CHECK (false) NOT VALID')
  await expect(round(2)).rejects.toThrow()
  await world.admin('ALTER TABLE outbox DROP CONSTRAINT no_more')
  expect(await erasure(organization, body.id)).toMatchObject({ state: 'running', touched: 2 })
  while ((await Promise.all([round(2), round(2)])).includes('more'));
  await finish()
  expect(await erasure(organization, body.id)).toMatchObject({ state: 'done', touched: 7, held: 0 })
  expect(await allTexts(organization)).not.toContain(person)
})

test('a legal hold on the person or on everything refuses the erasure by its id, and alerts under another hold are passed over and counted', async () => {
  const organization = await world.newOrganization('Held')
  const person = 'held-person'
  const held = await world.addAlert(organization.organizationId, about(organization.organizationId, person))
  const free = await world.addAlert(organization.organizationId, about(organization.organizationId, person))
  const hold = async (scope: object) =>
    (await world.ask('POST', '/api/holds', organization.token, { scope, reason: 'case 17' })).body.id as string
  const release = (id: string) => world.ask('DELETE', `/api/holds/${id}`, organization.token)
  for (const scope of [{ subject: person }, { everything: true }]) {
    const id = await hold(scope)
    const { status, body } = await erase(organization, person)
    expect([status, body.code, body.holdId]).toEqual([409, 'LEGAL_HOLD', id])
    await release(id)
  }
  const onOne = await hold({ alertIds: [held.id] })
  const first = await erase(organization, person)
  await finish()
  expect(await erasure(organization, first.body.id)).toMatchObject({ state: 'done', touched: 1, held: 1 })
  const titles = async () =>
    Promise.all([held, free].map(async ({ id }) => (await world.ask('GET', `/api/alerts/${id}`, organization.token)).body.title))
  const erased = `Failed sign-ins of ${first.body.pseudonym}`
  expect(await titles()).toEqual([held.title, erased])
  // Asked again after the release, what is left goes too.
  await release(onOne)
  await erase(organization, person)
  await finish()
  expect(await titles()).toEqual([erased, erased])
})
