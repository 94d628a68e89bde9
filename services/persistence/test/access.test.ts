import { issueServiceToken } from '@tocsin/access'
import { forgedTokens } from '@tocsin/access/forged-tokens'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createWorld, OPERATOR, type World } from './world.ts'

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

/** The newest record of a topic, for a key, in the outbox. */
const newest = async (topic: string, key: string) => {
  const [row] = await world.admin<{ value: string }>(
    'SELECT value FROM outbox WHERE topic = $1 AND key = $2 ORDER BY id DESC LIMIT 1',
    [topic, key],
  )
  return JSON.parse(row?.value ?? 'null')
}
const actions = async (organizationId: string, id: string) =>
  (
    await world.admin<{ actor: string; action: string }>(
      'SELECT actor, action FROM history WHERE organization_id = $1 AND about_id = $2 ORDER BY position',
      [organizationId, id],
    )
  ).map(({ actor, action }) => `${actor} ${action}`)

describe('organizations', () => {
  test('an admin renames one, an operator limits it, and both are published and remembered', async () => {
    const { organizationId, token } = await world.newOrganization('Before')
    const url = `/api/organizations/${organizationId}`
    const limits = { eventsPerSecond: 50, eventsBurst: 100 }
    expect((await world.ask('PATCH', url, token, { name: 'After' })).body).toMatchObject({ name: 'After', limits: {} })
    expect((await world.ask('PUT', `${url}/limits`, token, limits)).status).toBe(403)
    const operator = await world.tokenOf(OPERATOR)
    expect((await world.ask('PUT', `${url}/limits`, operator, limits)).body).toEqual(limits)
    expect((await world.ask('PUT', `/api/organizations/${crypto.randomUUID()}/limits`, operator, limits)).status).toBe(404)
    expect(await newest('tenants', organizationId)).toMatchObject({ version: 3, name: 'After', limits })
    expect(await actions(organizationId, organizationId)).toEqual([
      `${OPERATOR} organization.created`,
      'admin@before organization.changed',
      `${OPERATOR} organization.limited`,
    ])
  })

  test('an operator lists all of them in pages, and nobody else does', async () => {
    const operator = await world.tokenOf(OPERATOR)
    const seen: string[] = []
    let after: string | null = ''
    while (after !== null) {
      const { body }: { body: { items: { slug: string }[]; nextAfter: string | null } } = await world.ask(
        'GET',
        `/api/organizations?limit=2&after=${after}`,
        operator,
      )
      expect(body.items.length).toBeLessThanOrEqual(2)
      seen.push(...body.items.map(({ slug }) => slug))
      after = body.nextAfter
    }
    expect(seen).toEqual([...new Set(seen)].sort())
    expect(seen).toEqual(expect.arrayContaining(['acme', 'other']))
    expect((await world.ask('GET', '/api/organizations', acme.token)).status).toBe(403)
  })
})

describe('members', () => {
  test('are added, given another role and removed; each step is published with the subject’s next version', async () => {
    const url = '/api/members/ada%40example.org'
    const token = await world.tokenOf('ada@example.org')
    for (const [method, body, memberships] of [
      ['PUT', { role: 'viewer' }, [{ organizationId: acme.organizationId, role: 'viewer' }]],
      ['PUT', { role: 'responder' }, [{ organizationId: acme.organizationId, role: 'responder' }]],
      ['DELETE', undefined, []],
    ] as const) {
      const before = (await newest('access', 'ada@example.org'))?.version ?? 0
      expect((await world.ask(method, url, acme.token, body)).status).toBe(200)
      expect(await newest('access', 'ada@example.org')).toMatchObject({ version: before + 1, memberships })
      const status = memberships.length === 0 ? 404 : 200
      expect((await world.ask('GET', `/api/alerts?organizationId=${acme.organizationId}`, token)).status).toBe(status)
    }
    expect((await world.ask('DELETE', url, acme.token)).status).toBe(404)
    expect(await actions(acme.organizationId, 'ada@example.org')).toEqual([
      'admin@acme member.added',
      'admin@acme member.changed',
      'admin@acme member.removed',
    ])
  })

  test('the record of a member of two holds both, while neither organization learns of the other', async () => {
    for (const { token } of [acme, other]) await world.ask('PUT', '/api/members/both', token, { role: 'viewer' })
    expect((await newest('access', 'both')).memberships).toHaveLength(2)
    const { items } = (await world.ask('GET', '/api/members', acme.token)).body
    expect(items).toContainEqual({ subject: 'both', role: 'viewer' })
    expect(JSON.stringify(items)).not.toContain('admin@other')
  })

  test('an organization keeps an admin, also when two admins remove each other at once', async () => {
    const { token } = await world.newOrganization('Last')
    for (const ask of [
      () => world.ask('DELETE', '/api/members/admin%40last', token),
      () => world.ask('PUT', '/api/members/admin%40last', token, { role: 'viewer' }),
    ])
      expect((await ask()).body).toMatchObject({ status: 409, code: 'LAST_ADMIN' })
    await world.ask('PUT', '/api/members/second', token, { role: 'admin' })
    const answers = await Promise.all([
      world.ask('DELETE', '/api/members/admin%40last', await world.tokenOf('second')),
      world.ask('DELETE', '/api/members/second', token),
    ])
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  test('names of the system are nobody’s', async () => {
    for (const subject of ['system', 'key:1'])
      expect((await world.ask('PUT', `/api/members/${subject}`, acme.token, { role: 'admin' })).body.code).toBe(
        'RESERVED_SUBJECT',
      )
  })

  test('a member that was signed out needs a new token, and so does who revokes the own ones', async () => {
    const token = await world.addMember('mia', acme.organizationId, 'viewer')
    expect((await world.ask('POST', '/api/members/mia/sign-out', acme.token)).status).toBe(200)
    expect((await world.ask('GET', '/api/me', token)).status).toBe(401)
    expect((await newest('access', 'mia')).notBefore).toEqual(expect.any(String))
    expect((await world.ask('POST', '/api/members/nobody/sign-out', acme.token)).status).toBe(404)

    const own = await world.addMember('max', acme.organizationId, 'viewer')
    const made = await world.ask('POST', '/api/me/tokens', own, { days: 1 })
    expect((await world.ask('GET', '/api/me', made.body.token)).body).toMatchObject({ subject: 'max' })
    expect((await world.ask('DELETE', '/api/me/tokens', own)).status).toBe(200)
    for (const gone of [own, made.body.token]) expect((await world.ask('GET', '/api/me', gone)).status).toBe(401)
    expect(await actions(acme.organizationId, 'max')).toEqual(['max token.issued', 'max token.revoked'])
  })
})

describe('API keys', () => {
  const hashes = async () => (await newest('tenants', acme.organizationId)).keys.map((key: { id: string }) => key.id)

  test('are shown once, live twice while they are rotated, and end when revoked; tenants is told each time', async () => {
    const made = await world.ask('POST', '/api/keys', acme.token, { name: 'siem', scopes: ['read'], source: 'siem' })
    expect(made.status).toBe(201)
    const { key, ...shown } = made.body
    expect(shown).toMatchObject({ name: 'siem', scopes: ['read'], source: 'siem', createdBy: 'admin@acme', expiresAt: null })
    expect((await world.ask('GET', '/api/keys', acme.token)).body.items).toContainEqual(shown)
    expect(await hashes()).toContain(shown.id)

    const next = await world.ask('POST', `/api/keys/${shown.id}/rotate?graceSeconds=60`, acme.token)
    expect(next.body).toMatchObject({ name: 'siem', scopes: ['read'], source: 'siem' })
    for (const live of [key, next.body.key]) expect((await world.ask('GET', '/api/alerts', live)).status).toBe(200)
    const tenant = await newest('tenants', acme.organizationId)
    expect(tenant.keys.find((each: { id: string }) => each.id === shown.id).expiresAt).toEqual(expect.any(String))
    expect((await world.ask('POST', `/api/keys/${shown.id}/rotate`, acme.token)).body.code).toBe('KEY_ENDS')
    await world.admin(`UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = $1`, [shown.id])
    expect((await world.ask('GET', '/api/alerts', key)).status).toBe(401)

    expect((await world.ask('DELETE', `/api/keys/${next.body.id}`, acme.token)).status).toBe(200)
    expect((await world.ask('GET', '/api/alerts', next.body.key)).status).toBe(401)
    const left = await hashes()
    for (const id of [shown.id, next.body.id]) expect(left).not.toContain(id)
    expect(await actions(acme.organizationId, next.body.id)).toEqual(['admin@acme key.rotated', 'admin@acme key.revoked'])
    expect(JSON.stringify((await world.ask('GET', '/api/keys', acme.token)).body)).not.toMatch(/tk_|[0-9a-f]{64}/)
  })

  test('only an admin makes or sees them, and no key makes another', async () => {
    const responder = await world.addMember('rob', acme.organizationId, 'responder')
    const { body } = await world.ask('POST', '/api/keys', acme.token, {
      name: 'all',
      scopes: ['read', 'alerts:write', 'events:write'],
    })
    for (const caller of [responder, body.key]) {
      expect((await world.ask('GET', '/api/keys', caller)).status).toBe(403)
      expect((await world.ask('POST', '/api/keys', caller, { name: 'x', scopes: ['read'] })).status).toBe(403)
    }
    for (const wrong of [
      { name: 'x', scopes: [] },
      { name: 'x', scopes: ['admin'] },
      { name: 'x', scopes: ['read', 'read'] },
    ])
      expect((await world.ask('POST', '/api/keys', acme.token, wrong)).status).toBe(400)
  })
})

test('no forged token of an admin is taken, nor one from before the admin was signed out', async () => {
  const { token, organizationId } = await world.newOrganization('Forged')
  for (const [wrong, forged] of Object.entries(await forgedTokens(world.ring, 'admin@forged'))) {
    const { status, body } = await world.ask('GET', `/api/alerts?organizationId=${organizationId}`, forged)
    expect([wrong, status, body.code]).toEqual([wrong, 401, 'UNAUTHENTICATED'])
  }
  expect((await world.ask('GET', '/api/alerts', token)).status).toBe(200)
  await world.ask('POST', '/api/members/admin%40forged/sign-out', token)
  expect((await world.ask('GET', '/api/alerts', token)).status).toBe(401)
})

test('bootstrap makes the first operator with the key ring, once, and nothing else may', async () => {
  const fresh = await createWorld({ operator: false })
  try {
    const wanted = { organization: 'First', admin: 'ada', operator: 'root' }
    const token = () => issueServiceToken(fresh.ring, { caller: 'bootstrap', audience: 'persistence' })
    const stranger = await issueServiceToken(fresh.ring, { caller: 'gateway', audience: 'persistence' })
    for (const caller of [await fresh.tokenOf('root'), stranger])
      expect((await fresh.ask('POST', '/api/bootstrap', caller, wanted)).status).toBe(403)
    const answers = await Promise.all([1, 2].map(async () => fresh.ask('POST', '/api/bootstrap', await token(), wanted)))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409])
    expect((await fresh.ask('GET', '/api/me', await fresh.tokenOf('ada'))).body.organizations).toMatchObject([
      { slug: 'first', role: 'admin' },
    ])
    expect((await fresh.ask('GET', '/api/me', await fresh.tokenOf('root'))).body).toMatchObject({
      operator: true,
      organizations: [],
    })
    expect((await fresh.ask('POST', '/api/bootstrap', await token(), { ...wanted, operator: 'eve' })).body.code).toBe(
      'ALREADY_BOOTSTRAPPED',
    )
    expect(await fresh.admin('SELECT subject FROM subjects WHERE operator')).toEqual([{ subject: 'root' }])
    expect(await fresh.admin('SELECT slug FROM organizations')).toHaveLength(1)
  } finally {
    await fresh.close()
  }
})

test('wrong keys and tokens of one address are refused after a while, right ones from there are not; and nobody asks without end', async () => {
  const strict = await createWorld({ failuresPerMinute: 4, requestBurst: 8 })
  try {
    const { token, ingestKey } = await strict.newOrganization('Strict')
    const { body: reader } = await strict.ask('POST', '/api/keys', token, { name: 'r', scopes: ['read'] })
    expect((await strict.ask('GET', '/api/alerts', reader.key)).status).toBe(200)
    const statuses: number[] = []
    for (const wrong of ['tk_wrong1', 'a.b.c', 'tk_wrong2', 'd.e.f', 'tk_wrong3', 'g.h.i'])
      statuses.push((await strict.ask('GET', '/api/alerts', wrong)).status)
    expect(statuses).toEqual([401, 401, 401, 401, 429, 429])
    expect((await strict.ask('GET', '/api/alerts', reader.key)).status).toBe(200)
    expect((await strict.ask('GET', '/api/alerts', token)).status).toBe(200)
    // Not used here before, so it looks like a guess.
    expect((await strict.ask('GET', '/api/alerts', ingestKey)).status).toBe(429)
    const many = await Promise.all(
      Array.from({ length: 12 }, () => strict.api.inject({ url: '/api/me', headers: { authorization: `Bearer ${token}` } })),
    )
    const refused = many.find(({ statusCode }) => statusCode === 429)
    expect(refused?.json()).toMatchObject({ code: 'RATE_LIMITED' })
    expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(0)
  } finally {
    await strict.close()
  }
})
