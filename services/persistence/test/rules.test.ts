import { createHash } from 'node:crypto'
import { inOrganization } from '@tocsin/postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { publishRulePack } from '../src/rule-pack.ts'
import { createWorld, PARTITIONS, type World } from './world.ts'

type Organization = Awaited<ReturnType<World['newOrganization']>>
let world: World
let acme: Organization
let other: Organization
const PACK_RULE = 'tocsin.deletions'

beforeAll(async () => {
  world = await createWorld()
  const content = ruleText(PACK_RULE)
  const hash = createHash('sha256').update(content).digest('hex')
  await publishRulePack(world.workerPool, [{ ruleId: PACK_RULE, title: 'Deletions', content, hash }], PARTITIONS)
  acme = await world.newOrganization('Acme')
  other = await world.newOrganization('Other')
})
afterAll(() => world.close())

/** A detection of an action, with a test that expects `count` alerts of three such events. */
function ruleText(id: string, { action = 'app.delete', count = 1 } = {}): string {
  return [
    `title: ${id}`,
    'logsource: { product: tocsin }',
    `detection: { s: { action: ${action} }, condition: s }`,
    'x-tocsin:',
    `  id: ${id}`,
    '  tests:',
    '    - name: three are one',
    `      events: [{ action: ${action}, principalId: u1, repeat: 3, every: 1s }]`,
    `      alerts: [${Array.from({ length: count }, () => '{ count: 3 }').join(', ')}]`,
    '',
  ].join('\n')
}

const reason = 'because of a test'
const save = (id: string, content: string, as = acme) => world.ask('PUT', `/api/rules/${id}`, as.token, { content, reason })
const act = (id: string, what: string, as = acme) => world.ask('POST', `/api/rules/${id}/${what}`, as.token, { reason })
const read = async (id: string, as = acme) => (await world.ask('GET', `/api/rules/${id}`, as.token)).body
const list = async (as = acme) =>
  (await world.ask('GET', '/api/rules', as.token)).body.items as { ruleId: string; state: string }[]
const apply = (folder: string, rules: Record<string, string>, over: object = {}) =>
  world.ask('POST', '/api/rules/apply', acme.token, {
    folder,
    rules: Object.entries(rules).map(([ruleId, content]) => ({ ruleId, content })),
    reason,
    ...over,
  })
/** What the detector and the topic `rules` are told of a rule of an organization, in order. */
const published = async (id: string, as = acme) => {
  const rows = await world.admin<{ topic: string; partition: number; key: string; value: string }>(
    `SELECT topic, partition, key, value FROM outbox WHERE organization_id = $1 ORDER BY id`,
    [as.organizationId],
  )
  return rows
    .map(({ value, ...row }) => ({ ...row, value: JSON.parse(value) }))
    .filter(({ value }) => value.rule?.ruleId === id || value.ruleId === id)
}
const versionsTold = async (id: string) =>
  (await published(id)).filter(({ topic }) => topic === 'audit.events').map(({ value }) => [value.rule.version, value.rule.state])

describe('the life of a rule', () => {
  test('a draft tells the detector nothing; active, it goes to its organization’s partition first and then to rules', async () => {
    const saved = await save('life', ruleText('life'))
    expect(saved.status).toBe(200)
    expect(saved.body).toMatchObject({ state: 'draft', version: 1, draft: 1, inForce: null, owner: 'api', author: 'admin@acme' })
    expect(await published('life')).toEqual([])
    expect((await act('life', 'activate')).body).toMatchObject({ state: 'active', version: 1, draft: null, inForce: 1 })
    const [control, rules, ...more] = await published('life')
    expect(more).toEqual([])
    expect(control).toMatchObject({ topic: 'audit.events', partition: acme.partition, key: acme.organizationId })
    expect(control?.value).toMatchObject({
      kind: 'rule',
      rule: { organizationId: acme.organizationId, version: 1, state: 'active' },
    })
    expect(rules).toMatchObject({ topic: 'rules', partition: 0, key: `${acme.organizationId}/life`, value: control?.value.rule })
  })

  test('a new draft leaves what is in force; every text is kept, and the detector sees rising versions', async () => {
    await save('steps', ruleText('steps'))
    await act('steps', 'activate')
    await save('steps', ruleText('steps', { action: 'app.drop' }))
    expect(await read('steps')).toMatchObject({ state: 'active', version: 2, inForce: 1, draft: 2 })
    expect((await act('steps', 'pause')).body).toMatchObject({ state: 'paused', version: 3, inForce: 3, draft: 2 })
    expect((await act('steps', 'resume')).body).toMatchObject({ state: 'active', version: 4, inForce: 4, draft: 2 })
    expect((await act('steps', 'activate')).body).toMatchObject({ state: 'active', version: 5, inForce: 5, draft: null })
    const back = await world.ask('POST', '/api/rules/steps/revert', acme.token, { version: 1, reason })
    expect(back.body).toMatchObject({
      state: 'active',
      version: 6,
      draft: 6,
      text: { act: 'reverted', content: ruleText('steps') },
    })
    expect((await act('steps', 'retire')).body).toMatchObject({ state: 'retired', version: 7, draft: null })
    expect(await versionsTold('steps')).toEqual([
      [1, 'active'],
      [3, 'paused'],
      [4, 'active'],
      [5, 'active'],
      [7, 'retired'],
    ])
    const { items } = (await world.ask('GET', '/api/rules/steps/versions', acme.token)).body
    expect(items.map((each: { version: number; act: string }) => [each.version, each.act])).toEqual([
      [7, 'retired'],
      [6, 'reverted'],
      [5, 'activated'],
      [4, 'resumed'],
      [3, 'paused'],
      [2, 'saved'],
      [1, 'saved'],
    ])
    const { diff } = (await world.ask('GET', '/api/rules/steps/diff?from=1&to=2', acme.token)).body
    expect(diff).toContain(
      '-detection: { s: { action: app.delete }, condition: s }\n+detection: { s: { action: app.drop }, condition: s }',
    )
    const history = await world.admin<{ action: string }>(
      `SELECT action FROM history WHERE organization_id = $1 AND about_kind = 'rule' AND about_id = 'steps' ORDER BY position`,
      [acme.organizationId],
    )
    expect(history.map(({ action }) => action.replace('rule.', ''))).toEqual([
      'saved',
      'activated',
      'saved',
      'paused',
      'resumed',
      'activated',
      'saved',
      'retired',
    ])
  })

  test('its own tests run before it becomes active; one that fails is told and nothing changes', async () => {
    await save('failing', ruleText('failing', { count: 2 }))
    const refused = await act('failing', 'activate')
    expect(refused.body).toMatchObject({
      status: 422,
      code: 'RULE_TEST_FAILED',
      tests: [
        { ruleId: 'failing', test: 'three are one', differences: ['2 alerts are expected, 1 were raised: MEDIUM failing: u1'] },
      ],
    })
    expect(await read('failing')).toMatchObject({ state: 'draft', inForce: null })
    expect(await published('failing')).toEqual([])
  })

  test('what does not apply is refused with the present state', async () => {
    await save('refused', ruleText('refused'))
    expect((await act('refused', 'pause')).body).toMatchObject({ status: 409, code: 'WRONG_STATE', present: 'draft' })
    await act('refused', 'activate')
    expect((await act('refused', 'activate')).body).toMatchObject({ code: 'WRONG_STATE', reason: 'noDraft' })
    expect((await act('refused', 'resume')).body).toMatchObject({ code: 'WRONG_STATE', reason: 'notPaused' })
    expect((await act('nowhere', 'pause')).status).toBe(404)
  })

  test('of two who read the same, the second is told who was first', async () => {
    const saved = await world.api.inject({
      method: 'PUT',
      url: '/api/rules/race',
      headers: { authorization: `Bearer ${acme.token}` },
      payload: { content: ruleText('race'), reason },
    })
    const withTag = (tag: string) =>
      world.api.inject({
        method: 'POST',
        url: '/api/rules/race/retire',
        headers: { authorization: `Bearer ${acme.token}`, 'if-match': tag },
        payload: { reason },
      })
    const tag = String(saved.headers['etag'])
    const answers = await Promise.all([withTag(tag), withTag(tag)])
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 412])
    expect(answers.find(({ statusCode }) => statusCode === 412)?.json()).toMatchObject({
      code: 'OVERTAKEN',
      actor: 'admin@acme',
      present: 'retired',
    })
  })
})

test('the list says how often a rule fired, when last, and which share people dismissed as false', async () => {
  const rule = { id: PACK_RULE, name: 'Deletions', version: 1, hash: 'ab'.repeat(32) }
  const at = (day: number) => `2026-03-0${day}T10:00:00.000Z`
  const alerts = await Promise.all([1, 3, 2, 4].map((day) => world.addAlert(other.organizationId, { rule, createdAt: at(day) })))
  for (const [index, dismissed] of [{ reason: 'false positive' }, { reason: 'benign' }].entries())
    await world.ask('POST', `/api/alerts/${alerts[index]?.id}/dismiss`, other.token, dismissed)
  const [listed] = (await list(other)).filter(({ ruleId }) => ruleId === PACK_RULE)
  expect(listed).toMatchObject({ fires: 4, falsePositiveShare: 0.25, lastFired: at(4) })
  const [quiet] = (await list()).filter(({ ruleId }) => ruleId === PACK_RULE)
  expect(quiet).toMatchObject({ fires: 0, falsePositiveShare: null, lastFired: null })
})

describe('rules of the installation', () => {
  test('an organization can pause and resume one, for itself only, and change nothing else of it', async () => {
    expect(await list()).toContainEqual(
      expect.objectContaining({ ruleId: PACK_RULE, state: 'active', owner: 'pack', organizationId: null }),
    )
    expect((await save(PACK_RULE, ruleText(PACK_RULE))).body).toMatchObject({ status: 409, code: 'OWNED_BY_INSTALLATION' })
    expect((await act(PACK_RULE, 'retire')).body).toMatchObject({ status: 409, code: 'OWNED_BY_INSTALLATION' })
    expect((await act(PACK_RULE, 'pause')).body).toMatchObject({ state: 'paused', organizationId: acme.organizationId })
    expect(await read(PACK_RULE, other)).toMatchObject({ state: 'active', organizationId: null })
    expect((await act(PACK_RULE, 'resume')).body).toMatchObject({ state: 'active', organizationId: null })
    await act(PACK_RULE, 'pause')
    expect(await versionsTold(PACK_RULE)).toEqual([
      [1, 'paused'],
      [2, 'retired'],
      [3, 'paused'],
    ])
  })
})

describe('a folder', () => {
  test('is applied by a plan; the same again changes nothing; what is gone is retired; what was paused stays so', async () => {
    const texts = { 'f.a': ruleText('f.a'), 'f.b': ruleText('f.b'), 'f.c': ruleText('f.c') }
    const changes = (answer: { body: { items: { ruleId: string; change: string }[] } }) =>
      answer.body.items.map(({ ruleId, change }) => [ruleId, change])
    const planned = await apply('ops', texts, { dryRun: true })
    expect(planned.body).toMatchObject({ applied: false })
    expect(changes(planned)).toEqual([
      ['f.a', 'new'],
      ['f.b', 'new'],
      ['f.c', 'new'],
    ])
    expect((await world.ask('GET', '/api/rules/f.a', acme.token)).status).toBe(404)
    expect(changes(await apply('ops', texts))).toEqual(changes(planned))
    expect(await read('f.a')).toMatchObject({ state: 'active', owner: 'folder:ops', version: 1, inForce: 1 })
    expect(changes(await apply('ops', texts))).toEqual([
      ['f.a', 'unchanged'],
      ['f.b', 'unchanged'],
      ['f.c', 'unchanged'],
    ])
    expect(await versionsTold('f.a')).toHaveLength(1)
    await act('f.b', 'pause')
    const next = { 'f.a': ruleText('f.a', { action: 'app.drop' }), 'f.b': ruleText('f.b', { action: 'app.drop' }) }
    expect(changes(await apply('ops', next))).toEqual([
      ['f.a', 'changed'],
      ['f.b', 'paused'],
      ['f.c', 'retired'],
    ])
    expect(await read('f.a')).toMatchObject({ state: 'active', version: 2 })
    expect(await read('f.b')).toMatchObject({ state: 'paused', text: { content: next['f.b'] } })
    expect(await read('f.c')).toMatchObject({ state: 'retired' })
    expect((await apply('ops', next)).body.items.map(({ change }: { change: string }) => change)).toEqual(['unchanged', 'paused'])
  })

  test('keeps its rules to itself and takes nobody else’s', async () => {
    await apply('mine', { 'g.a': ruleText('g.a') })
    expect((await save('g.a', ruleText('g.a'))).body).toMatchObject({
      status: 409,
      code: 'OWNED_BY_FOLDER',
      owner: 'folder:mine',
    })
    expect((await act('g.a', 'retire')).body.detail).toContain('belongs to the folder mine')
    await save('g.own', ruleText('g.own'))
    const taken = await apply('mine', { 'g.a': ruleText('g.a', { action: 'x.y' }), 'g.own': ruleText('g.own') })
    expect(taken.body).toMatchObject({ status: 409, code: 'OWNED_BY_OTHERS', foreign: [{ ruleId: 'g.own', owner: 'api' }] })
    expect(await read('g.a')).toMatchObject({ version: 1 })
  })

  test('with one bad rule among good ones changes nothing', async () => {
    const bad = await apply('half', { 'h.a': ruleText('h.a'), 'h.b': ruleText('h.b', { count: 5 }) })
    expect(bad.body).toMatchObject({ status: 422, code: 'RULE_TEST_FAILED' })
    expect((await apply('half', { 'h.a': ruleText('h.a'), 'h.c': 'title: [' })).body).toMatchObject({ code: 'RULE_REFUSED' })
    expect((await list()).filter(({ ruleId }) => ruleId.startsWith('h.'))).toEqual([])
  })
})

describe('texts that are tried', () => {
  const post = async (what: string, body: object) => (await world.ask('POST', `/api/rules/${what}`, acme.token, body)).body

  test('lint tells every fault with line and column, and that a rule is idle', async () => {
    const content = ruleText('x').replace('condition: s', 'condition: t').replace('tocsin }', 'nowhere }')
    expect(await post('lint', { content })).toMatchObject({
      title: null,
      faults: [{ line: 3, column: 52, message: 'The condition names "t", which is not a selection of this rule.' }],
    })
    expect(await post('lint', { content: ruleText('x').replace('product: tocsin', 'product: elsewhere') })).toMatchObject({
      title: 'x',
      faults: [],
      notes: [{ line: 2, message: 'no source gives events of elsewhere, so the rule is idle.' }],
    })
    expect(await post('lint', { content: ruleText('x'), ruleId: 'y' })).toMatchObject({
      faults: [{ line: 5, message: 'The text calls the rule "x", and it is to be "y".' }],
    })
  })

  test('test runs what stands in the text', async () => {
    expect(await post('test', { content: ruleText('x') })).toMatchObject({
      passed: true,
      tests: [{ name: 'three are one', differences: [] }],
    })
    expect(await post('test', { content: ruleText('x', { count: 2 }) })).toMatchObject({ passed: false })
  })

  test('explain holds events against it', async () => {
    const event = { action: 'app.delete', status: 'success', principalId: 'ada', timestamp: '2026-03-02T12:00:00Z', id: 'e1' }
    const explained = await post('explain', {
      content: ruleText('x'),
      events: [event, { ...event, id: 'e2', action: 'app.read' }, 7],
    })
    expect(
      explained.events.map(({ detections }: { detections: { holds: boolean }[] }) => detections.map(({ holds }) => holds)),
    ).toEqual([[true], [false]])
    expect(explained).toMatchObject({
      windows: [{ raised: true, group: { principalId: 'ada' }, count: 1 }],
      unread: [{ line: 3 }],
    })
  })

  test.each([
    [
      'a YAML bomb',
      `a: &a [x, x, x, x, x, x, x, x]\n${Array.from({ length: 9 }, (_, n) => `b${n}: &b${n} [${`*${n === 0 ? 'a' : `b${n - 1}`}, `.repeat(8)}x]`).join('\n')}`,
      /more than 50000 values|uses more than 1000 aliases/,
    ],
    ['nested without end', `a: ${'['.repeat(20_000)}`, /not valid YAML|nested/],
    [
      'a regular expression that backtracks',
      ruleText('x').replace('action: app.delete }', () => `action|re: '(a+)+(?=b)$' }`),
      /lookahead/,
    ],
    ['larger than 256 KiB in bytes', `title: ${'ä'.repeat(140_000)}`, /larger than 262144 bytes/],
  ])('%s is refused with its reason', async (_, content, why) => {
    const { faults } = await post('lint', { content })
    expect(faults[0].message).toMatch(why)
    expect((await save('hostile', content)).body).toMatchObject({ status: 422, code: 'RULE_REFUSED' })
  })

  test('a text of more characters than may be is not even read', async () => {
    expect((await post('lint', { content: 'x'.repeat(262_145) })).status).toBe(400)
  })

  test('tests that would run for ever are ended, and the API answers meanwhile', async () => {
    const content = ruleText('forever')
      .replace('repeat: 3', 'repeat: 100000')
      .replace(/ {4}- name[\s\S]*$/, (one) => Array.from({ length: 90 }, () => one).join(''))
    const endless = post('test', { content })
    const started = performance.now()
    expect((await world.ask('GET', '/api/me', acme.token)).status).toBe(200)
    expect(performance.now() - started).toBeLessThan(5_000)
    expect(await endless).toMatchObject({ status: 422, code: 'RULE_TOO_SLOW' })
    expect(await post('test', { content: ruleText('x') })).toMatchObject({ passed: true })
  })
})

describe('between organizations', () => {
  test('the same id is two rules, and nobody sees the other’s', async () => {
    await save('same', ruleText('same'))
    expect((await world.ask('GET', '/api/rules/same', other.token)).status).toBe(404)
    await save('same', ruleText('same', { action: 'b.c' }), other)
    expect(await read('same')).toMatchObject({ version: 1, text: { content: ruleText('same') } })
    expect((await list(other)).map(({ ruleId }) => ruleId)).toEqual(['same', PACK_RULE])
  })

  test('the role of the routes cannot change a version, nor a rule of the installation or of another organization', async () => {
    const as = (sql: string, values: unknown[] = []) =>
      inOrganization(world.apiPool, acme.organizationId, (query) => query(sql, values))
    await save('walls', ruleText('walls'), other)
    const denied = { code: '42501' }
    for (const sql of [
      `UPDATE rule_versions SET reason = ''`,
      'DELETE FROM rule_versions',
      'DELETE FROM rules',
      `UPDATE rules SET rule_id = 'x'`,
    ])
      await expect(as(sql)).rejects.toMatchObject(denied)
    expect(
      await as(`UPDATE rules SET state = 'retired' WHERE organization_id IS DISTINCT FROM $1 RETURNING rule_id`, [
        acme.organizationId,
      ]),
    ).toEqual([])
    const add = `INSERT INTO rule_versions (organization_id, rule_id, version, act, title, content, hash, author, reason) VALUES ($1, 'z', 1, 'saved', '', '', '', '', '')`
    for (const organization of [other.organizationId, null]) await expect(as(add, [organization])).rejects.toMatchObject(denied)
  })
})
