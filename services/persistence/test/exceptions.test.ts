import type { AlertFigures } from '@tocsin/contracts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { publishRulePack } from '../src/rule-pack.ts'
import { createWorld, figuresOf, PARTITIONS, type World } from './world.ts'

type Organization = Awaited<ReturnType<World['newOrganization']>>
let world: World
let acme: Organization
let other: Organization
beforeAll(async () => {
  world = await createWorld()
  acme = await world.newOrganization('Acme')
  other = await world.newOrganization('Other')
})
afterAll(() => world.close())

const RULE = { id: 'r.deletion', name: 'Deletion', version: 1, hash: 'ab'.repeat(32) }
const evidence = (...actions: string[]) =>
  actions.map((action, n) => ({ ...(figuresOf('').evidence[0] as object), id: `e${n}`, action, ip: '192.0.2.7' }) as never)
const alert = (actions: string[], over: object = {}, of = acme) =>
  world.addAlert(of.organizationId, {
    rule: RULE,
    group: { principalId: 'svc' },
    createdAt: new Date().toISOString(),
    evidence: evidence(...actions),
    ...over,
  })
/** Alerts that the system itself has raised of acts. */
const raised = async () =>
  (
    await world.admin<{ value: string }>(
      `SELECT value FROM outbox WHERE organization_id = $1 AND headers ->> 'tocsin-type' = 'alert.created' ORDER BY id`,
      [acme.organizationId],
    )
  ).map(({ value }) => JSON.parse(value) as AlertFigures)
const post = async (path: string, body: object, as = acme) => (await world.ask('POST', path, as.token, body)).body

test('an exception says what it would have hidden: alerts of which all evidence matches, and what it could not decide', async () => {
  const all = await alert(['tmp.delete', 'tmp.delete'])
  await alert(['tmp.delete', 'data.delete'])
  await alert(['tmp.delete'], { createdAt: '2020-01-01T00:00:00.000Z' })
  await alert(['tmp.delete'], { rule: { ...RULE, id: 'r.other' } })
  await alert(['tmp.delete'], {}, other)
  const match = { 'action|startswith': 'tmp.', principalId: 'svc' }
  expect(await post('/api/exceptions/preview', { ruleId: RULE.id, match })).toMatchObject({
    lookedAt: { alerts: 2, events: 4, complete: true },
    hidden: [{ id: all.id, severity: 'HIGH', ruleId: RULE.id }],
    partly: 1,
    unknownFields: [],
  })
  const undecided = { ...match, 'details.ticket|exists': false }
  expect(await post('/api/exceptions/preview', { ruleId: RULE.id, match: undecided })).toMatchObject({
    hidden: [],
    unknownFields: ['details.ticket'],
  })
  expect(await post('/api/exceptions/preview', { ruleId: null, match: { 'a|sounds': 1 } })).toMatchObject({
    status: 422,
    code: 'INVALID_MATCH',
  })
})

test('one is added with its owner, goes to the detector with the settings, warns of a hidden CRITICAL, and is removed', async () => {
  const critical = await alert(['vault.open'], { severity: 'CRITICAL', group: { principalId: 'root' } })
  const added = await post('/api/exceptions', {
    id: 'x1',
    ruleId: RULE.id,
    match: { principalId: 'root' },
    reason: 'a test',
    expiresAt: '2030-01-01T00:00:00Z',
  })
  expect(added).toMatchObject({ exception: { id: 'x1', owner: 'admin@acme' }, hidden: { hidden: [{ id: critical.id }] } })
  expect(added.warnings[0]).toContain(`CRITICAL alert ${critical.id}`)
  const [control] = await world.admin<{ topic: string; value: string }>(
    `SELECT topic, value FROM outbox WHERE organization_id = $1 AND headers ->> 'tocsin-type' = 'control' ORDER BY id DESC LIMIT 1`,
    [acme.organizationId],
  )
  expect(control?.topic).toBe('audit.events')
  expect(JSON.parse(control?.value ?? '').organization.settings.exceptions).toMatchObject([{ id: 'x1', owner: 'admin@acme' }])
  const [told, ...more] = (await raised()).filter(({ metadata }) => metadata['exception'] === 'x1')
  expect(more).toEqual([])
  expect(told).toMatchObject({
    severity: 'HIGH',
    source: 'tocsin',
    title: 'An exception would have hidden CRITICAL alerts',
    description: expect.stringContaining('admin@acme: exception.added x1'),
    metadata: { actor: 'admin@acme', alerts: [critical.id] },
  })
  const again = await post('/api/exceptions', { id: 'x1', ruleId: null, match: { a: 1 }, reason: 'r', expiresAt: null })
  expect(again).toMatchObject({ status: 422, code: 'INVALID_SETTINGS' })
  const list = async (as = acme) => (await world.ask('GET', '/api/exceptions', as.token)).body.items
  expect(await list()).toMatchObject([{ id: 'x1', expired: false, hits: 7 }])
  expect((await world.ask('DELETE', '/api/exceptions/x1', other.token)).status).toBe(404)
  expect((await world.ask('DELETE', '/api/exceptions/x1', acme.token)).body).toMatchObject({ id: 'x1' })
  expect(await list()).toEqual([])
  const history = await world.admin<{ action: string }>(
    `SELECT action FROM history WHERE organization_id = $1 AND about_kind = 'exception' ORDER BY position`,
    [acme.organizationId],
  )
  expect(history.map(({ action }) => action)).toEqual(['exception.added', 'exception.removed'])
})

test('one that comes with the settings is told of as well, when it is new', async () => {
  const critical = await alert(['vault.read'], { severity: 'CRITICAL', group: { principalId: 'backup' } })
  const exception = { id: 'x9', ruleId: RULE.id, match: { principalId: 'backup' }, reason: 'r', owner: 'me', expiresAt: null }
  const set = (reason: string) =>
    world.ask('PATCH', `/api/organizations/${acme.organizationId}`, acme.token, {
      settings: { exceptions: [{ ...exception, reason }] },
    })
  for (const reason of ['a backup', 'the nightly backup']) expect((await set(reason)).status).toBe(200)
  expect((await raised()).filter(({ metadata }) => metadata['exception'] === 'x9')).toMatchObject([
    { severity: 'HIGH', metadata: { action: 'organization.changed', alerts: [critical.id] } },
  ])
})

test('stopping a rule that has found something CRITICAL within a week is told of too, and nothing else is', async () => {
  const before = (await raised()).length
  const id = 'tocsin.failed-auth'
  const rule = { id, name: 'Failed authentication', version: 1, hash: 'ab'.repeat(32) }
  for (const [severity, days] of [
    ['HIGH', 0],
    ['CRITICAL', 8],
  ] as const)
    await alert(['auth.login'], { rule, severity, createdAt: new Date(Date.now() - days * 86_400_000).toISOString() })
  const step = async (act: string) => (await world.ask('POST', `/api/rules/${id}/${act}`, acme.token, { reason: 'noise' })).status
  await publishRulePack(world.workerPool, [{ ruleId: id, title: rule.name, content: 'title: x', hash: rule.hash }], PARTITIONS)
  expect([await step('pause'), await step('resume')]).toEqual([200, 200])
  expect(await raised()).toHaveLength(before)
  const critical = await alert(['auth.login'], { rule, severity: 'CRITICAL' })
  expect(await step('pause')).toBe(200)
  expect((await raised()).slice(before)).toMatchObject([
    { title: 'A rule that has found something CRITICAL was stopped', metadata: { rule: id, alerts: [critical.id] } },
  ])
})

test('an alert proposes one of its rule and group, for 30 days, to those who may add it', async () => {
  const made = await alert(['disk.wipe'], { group: { principalId: 'wiper' } })
  const proposed = await world.ask('GET', `/api/alerts/${made.id}/exception`, acme.token)
  expect(proposed.body).toMatchObject({
    ruleId: RULE.id,
    match: { principalId: 'wiper' },
    owner: 'admin@acme',
    hidden: { hidden: [{ id: made.id }] },
  })
  expect((await world.ask('GET', `/api/alerts/${made.id}/exception`, other.token)).status).toBe(404)
  const viewer = await world.addMember('viewer@acme', acme.organizationId, 'viewer')
  expect((await world.ask('GET', `/api/alerts/${made.id}/exception`, viewer)).status).toBe(403)
})
