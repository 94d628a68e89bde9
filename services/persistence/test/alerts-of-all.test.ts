import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorld, OPERATOR, type World } from './world.ts'

type Organization = Awaited<ReturnType<World['newOrganization']>>
const CANARY = 'canary-77d1'
const SOC = 'soc@example.org'

let world: World
let organizations: readonly [Organization, Organization, Organization]
let soc: string
let operator: string
beforeAll(async () => {
  world = await createWorld()
  organizations = [await world.newOrganization('One'), await world.newOrganization('Two'), await world.newOrganization('Three')]
  soc = await world.tokenOf(SOC)
  operator = await world.tokenOf(OPERATOR)
  for (const { organizationId } of organizations)
    for (const severity of ['HIGH', 'LOW', 'LOW'] as const)
      await world.addAlert(organizationId, {
        severity,
        title: CANARY,
        description: CANARY,
        group: { principalId: CANARY },
        metadata: { note: CANARY },
      })
})
afterAll(() => world.close())

const grant = (permissions: readonly string[], as = operator) =>
  world.ask('PUT', `/api/grants/${encodeURIComponent(SOC)}`, as, { permissions, reason: 'night shift' })
const list = (query = '', as = soc) => world.ask('GET', `/api/all/alerts${query}`, as)
const act = (body: object, as = soc, headers = {}) => world.ask('POST', '/api/all/alerts/bulk', as, body, headers)
const idsOf = async ({ organizationId, token }: Organization, query = '') =>
  (await world.ask('GET', `/api/alerts?organizationId=${organizationId}${query}`, token)).body.items.map(
    ({ id }: { id: string }) => id,
  ) as string[]
const entriesOf = async (organization: Organization, action: string) =>
  (await world.ask('GET', `/api/history?action=${action}`, organization.token)).body.items as {
    actor: string
    details: Record<string, unknown>
  }[]
const everywhere = () => organizations.map(({ organizationId }) => ({ organizationId }))

test('nobody has a permission in every organization by being an operator, an admin or a key, and only an operator gives one', async () => {
  const [one] = organizations
  const { body: key } = await world.ask('POST', '/api/keys', one.token, { name: 'k', scopes: ['read', 'alerts:write'] })
  for (const as of [soc, operator, one.token, key.key]) {
    expect((await list('', as)).status).toBe(403)
    const body = { do: { act: 'acknowledge' }, organizations: everywhere(), filter: {} }
    expect((await act(body, as)).status).toBe(403)
  }
  expect((await grant(['alerts:view:all'], one.token)).status).toBe(403)
  expect((await world.ask('GET', '/api/grants', one.token)).status).toBe(403)
  for (const organization of organizations) expect(await entriesOf(organization, 'alerts.viewed')).toEqual([])
})

test('who may view all sees each alert once, masked, page by page, and each organization’s history says so', async () => {
  expect((await grant(['alerts:view:all'])).body.items).toMatchObject([
    { subject: SOC, permission: 'alerts:view:all', reason: 'night shift', grantedBy: OPERATOR, endedAt: null },
  ])
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const { status, body }: { status: number; body: { items: { id: string }[]; nextCursor: string | null } } = await list(
      `?limit=2${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    )
    expect([status, body.items.length <= 2]).toEqual([200, true])
    expect(JSON.stringify(body)).not.toContain(CANARY)
    seen.push(...body.items.map(({ id }) => id))
    cursor = body.nextCursor
  }
  const all = (await Promise.all(organizations.map((each) => idsOf(each)))).flat()
  expect(seen.toSorted()).toEqual(all.toSorted())
  for (const organization of organizations) {
    const entries = await entriesOf(organization, 'alerts.viewed')
    expect(new Set(entries.map(({ actor }) => actor))).toEqual(new Set([SOC]))
    expect(entries.flatMap(({ details }) => details['alertIds'] as string[]).toSorted()).toEqual(
      (await idsOf(organization)).toSorted(),
    )
  }
  expect((await list('?severity=HIGH')).body.items).toHaveLength(3)
  expect((await list(`?q=${CANARY}`)).status).toBe(400)
})

test('a grant is for these operations alone, and for what it names', async () => {
  const [{ organizationId }] = organizations
  expect((await world.ask('GET', `/api/alerts?organizationId=${organizationId}`, soc)).status).toBe(404)
  expect((await world.ask('GET', '/api/organizations', soc)).status).toBe(403)
  const body = { organizations: everywhere(), filter: {} }
  expect((await act({ ...body, do: { act: 'acknowledge' } })).status).toBe(403)
  await grant(['alerts:acknowledge:all'])
  expect((await list()).status).toBe(403)
  expect((await act({ ...body, do: { act: 'dismiss', reason: 'test' } })).status).toBe(403)
  expect((await act({ ...body, do: { act: 'resolve', notes: 'x' } })).status).toBe(403)
  expect((await act({ ...body, do: { act: 'acknowledge' }, dryRun: true })).body).toMatchObject({ matched: 9, done: 0 })
})

test('acts by filter and by ids, each organization for itself: what is missing in one leaves the others done, and a key does it once', async () => {
  await grant(['alerts:acknowledge:all', 'alerts:dismiss:all'])
  const [one, two, three] = organizations
  const [foreign = ''] = await idsOf(two, '&severity=LOW')
  const [own = ''] = await idsOf(one, '&severity=LOW')
  const body = {
    do: { act: 'acknowledge', comment: 'all of them' },
    organizations: [
      // An id of another organization is not found in this one.
      { organizationId: one.organizationId, ids: [own, foreign] },
      { organizationId: crypto.randomUUID() },
      { organizationId: three.organizationId },
    ],
    filter: { severity: 'LOW' },
  }
  const first = await act(body, soc, { 'idempotency-key': 'night' })
  expect(first.body).toMatchObject({
    matched: 3,
    done: 3,
    organizations: [
      {
        organizationId: one.organizationId,
        outcome: 'done',
        done: 1,
        items: expect.arrayContaining([expect.objectContaining({ id: foreign, outcome: 'missing' })]),
      },
      { outcome: 'missing' },
      { organizationId: three.organizationId, outcome: 'done', done: 2 },
    ],
  })
  expect((await act(body, soc, { 'idempotency-key': 'night' })).body).toEqual(first.body)
  expect(await idsOf(two, '&status=acknowledged')).toEqual([])
  for (const [organization, count] of [
    [one, 1],
    [two, 0],
    [three, 2],
  ] as const)
    expect((await entriesOf(organization, 'alert.acknowledged')).map(({ actor }) => actor)).toEqual(Array(count).fill(SOC))
  expect((await act({ ...body, organizations: [body.organizations[0], body.organizations[0]] })).status).toBe(400)
  expect((await act({ ...body, filter: undefined })).status).toBe(400)
})

test('a grant ends at once, stays on record, and a deleted organization is missing', async () => {
  await grant(['alerts:view:all', 'alerts:acknowledge:all'])
  const [, two] = organizations
  const gone = { confirm: two.slug, reason: 'the end' }
  expect((await world.ask('POST', `/api/organizations/${two.organizationId}/delete`, operator, gone)).status).toBe(202)
  expect(JSON.stringify((await list()).body)).not.toContain(two.organizationId)
  const body = { do: { act: 'acknowledge' }, organizations: [{ organizationId: two.organizationId }], filter: {} }
  expect((await act(body)).body.organizations).toMatchObject([{ outcome: 'missing' }])

  expect((await grant([])).body.items).toEqual([])
  expect((await list()).status).toBe(403)
  const { items } = (await world.ask('GET', '/api/grants', operator)).body
  expect(items).toHaveLength(4)
  expect(items.every((each: { endedBy: string | null }) => each.endedBy === OPERATOR)).toBe(true)
})
