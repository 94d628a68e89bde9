import { generateKey, hashKey, issueServiceToken, openCursor, sealPage } from '@tocsin/access'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createWorld, OPERATOR, type World } from './world.ts'

type Organization = Awaited<ReturnType<World['newOrganization']>>
let world: World
let acme: Organization
let other: Organization
beforeAll(async () => {
  world = await createWorld()
  acme = await world.newOrganization('Acme & Söhne')
  other = await world.newOrganization('Other')
})
afterAll(() => world.close())

const list = async (query: string, token = acme.token) => (await world.ask('GET', `/api/alerts${query}`, token)).body
const outboxOf = (organizationId: string) =>
  world.admin<{ topic: string; partition: number; headers: Record<string, string>; value: string }>(
    'SELECT topic, partition, headers, value FROM outbox WHERE organization_id = $1 ORDER BY id',
    [organizationId],
  )

describe('organizations', () => {
  test('a new one gets a slug of its name, a key, an admin token, and says that nobody would be told', async () => {
    expect(acme.slug).toBe('acme-sohne')
    expect(acme.ingestKey).toMatch(/^tk_[\w-]{43}$/)
    expect(acme.warnings).toEqual([expect.stringMatching(/^NOBODY_TOLD: /)])
    const me = await world.ask('GET', '/api/me', acme.token)
    expect(me.body).toEqual({
      subject: 'admin@acme-sohne',
      operator: false,
      organizations: [{ organizationId: acme.organizationId, slug: 'acme-sohne', name: 'Acme & Söhne', role: 'admin' }],
    })
  })

  test('its settings are published as a control record to its partition, then to tenants and access', async () => {
    const [control, tenant, access] = await outboxOf(acme.organizationId)
    expect(control).toMatchObject({ topic: 'audit.events', partition: acme.partition, headers: { 'tocsin-type': 'control' } })
    expect(tenant).toMatchObject({ topic: 'tenants', partition: 0 })
    expect(access).toMatchObject({ topic: 'access', partition: 0 })
    expect(JSON.parse(control?.value ?? '')).toEqual({ kind: 'organization', organization: JSON.parse(tenant?.value ?? '') })
    expect(JSON.parse(tenant?.value ?? '')).toMatchObject({
      version: 1,
      partition: acme.partition,
      keys: [{ scopes: ['events:write'] }],
    })
    expect(tenant?.value).not.toContain(acme.ingestKey)
    expect(JSON.parse(access?.value ?? '')).toMatchObject({ subject: 'admin@acme-sohne', memberships: [{ role: 'admin' }] })
  })

  test('the next one goes to the partition with the fewest', async () => {
    const before = await world.admin<{ partition: number }>(
      'SELECT partition FROM partition_load ORDER BY organizations, partition LIMIT 1',
    )
    const next = await world.newOrganization('Next')
    expect(next.partition).toBe(before[0]?.partition)
    const created = await Promise.all(Array.from({ length: 8 }, (_, at) => world.newOrganization(`Crowd ${at}`)))
    expect(created).toHaveLength(8)
    const [spread] = await world.admin<{ spread: number }>(
      'SELECT max(organizations) - min(organizations) AS spread FROM partition_load',
    )
    expect(spread?.spread).toBeLessThanOrEqual(1)
  })

  test('only an operator creates one, and an operator is no member of it', async () => {
    expect((await world.ask('POST', '/api/organizations', acme.token, { name: 'Mine' })).status).toBe(403)
    const operator = await world.tokenOf(OPERATOR)
    expect((await world.ask('GET', `/api/organizations/${acme.organizationId}`, operator)).status).toBe(404)
    expect((await world.ask('GET', `/api/alerts?organizationId=${acme.organizationId}`, operator)).status).toBe(404)
  })

  test('a slug that was asked for and is taken is refused, one made of the name gets an ending', async () => {
    const operator = await world.tokenOf(OPERATOR)
    expect((await world.ask('POST', '/api/organizations', operator, { name: 'X', slug: 'other' })).body).toMatchObject({
      status: 409,
      code: 'SLUG_TAKEN',
    })
    expect((await world.newOrganization('Other')).slug).toMatch(/^other-[0-9a-f]{6}$/)
  })

  test('a change of settings replaces the fields it names and is published under the next version', async () => {
    const url = `/api/organizations/${other.organizationId}`
    await world.ask('PATCH', url, other.token, { settings: { failedAuthThreshold: 7, notificationDelaysMs: { HIGH: 1 } } })
    const { body } = await world.ask('PATCH', url, other.token, {
      settings: { zone: 'Europe/Berlin', notificationDelaysMs: { LOW: 2 } },
      recipients: { emails: ['soc@example.org'] },
    })
    expect(body).toMatchObject({
      version: 3,
      settings: { failedAuthThreshold: 7, zone: 'Europe/Berlin', notificationDelaysMs: { HIGH: 1, LOW: 2 } },
      recipients: { emails: ['soc@example.org'], slackChannels: [], phoneNumbers: [] },
      health: { status: 'OK', problems: [] },
    })
    const published = (await outboxOf(other.organizationId)).filter((row) => row.topic === 'tenants')
    expect(published.map((row) => JSON.parse(row.value).version)).toEqual([1, 2, 3])
    expect((await world.ask('GET', url, other.token)).body).toEqual(body)
  })

  test('settings of single rules and exceptions are published whole', async () => {
    const settings = {
      rules: { 'tocsin.failed-auth': { threshold: 9, severity: 'CRITICAL' }, 'own.rule': { timespanMs: 60_000 } },
      exceptions: [
        {
          id: 'scanner',
          ruleId: 'tocsin.failed-auth',
          match: [{ principalId: 'scanner', 'sessionContext.ipAddress|cidr': '10.0.0.0/8' }],
          reason: 'the nightly scan',
          owner: 'soc@example.org',
          expiresAt: '2030-01-01T00:00:00Z',
        },
      ],
    }
    const quiet = await world.newOrganization('Quiet')
    const { status } = await world.ask('PATCH', `/api/organizations/${quiet.organizationId}`, quiet.token, { settings })
    expect(status).toBe(200)
    const controls = (await outboxOf(quiet.organizationId)).filter((row) => row.headers['tocsin-type'] === 'control')
    expect(JSON.parse(controls.at(-1)?.value ?? '')).toMatchObject({ organization: { version: 2, settings } })
  })

  test.each([
    [{ settings: { zone: 'Mars/Olympus' } }, '/settings/zone'],
    [{ settings: { zone: '+02:00' } }, '/settings/zone'],
    [{ settings: { holidays: ['2026-02-30'] } }, '/settings/holidays/0'],
    [
      { settings: { failedAuthThreshold: 4, rules: { 'tocsin.failed-auth': { threshold: 3 } } } },
      '/settings/rules/tocsin.failed-auth/threshold',
    ],
    [
      {
        settings: {
          exceptions: [{ id: 'a', ruleId: null, match: { 'ip|near': 'x' }, reason: 'why', owner: 'me', expiresAt: null }],
        },
      },
      '/settings/exceptions/0/match/ip|near',
    ],
    [{ recipients: { emails: ['a@b.c\r\nBcc: x@y.z'] } }, '/recipients/emails/0'],
    [{ recipients: { slackChannels: [' '] } }, '/recipients/slackChannels/0'],
  ])('settings that would break somebody later are refused by place: %j', async (body, pointer) => {
    const answer = await world.ask('PATCH', `/api/organizations/${acme.organizationId}`, acme.token, body)
    expect(answer.body).toMatchObject({ status: 422, code: 'INVALID_SETTINGS', errors: [{ pointer }] })
  })
})

describe('the list of alerts', () => {
  let organization: Organization
  const ids: string[] = []
  beforeAll(async () => {
    organization = await world.newOrganization('Lists')
    for (let at = 0; at < 25; at++) {
      // Groups of five were made in the same millisecond.
      const createdAt = new Date(Date.UTC(2026, 2, 1, 0, Math.floor(at / 5))).toISOString()
      const severity = at % 2 === 0 ? 'HIGH' : 'LOW'
      const alert = await world.addAlert(organization.organizationId, {
        createdAt,
        severity,
        source: at === 3 ? 'api:scanner' : 'detector',
      })
      ids.push(alert.id)
    }
  })

  test('comes newest first in pages that join without a gap or a repeat', async () => {
    const seen: string[] = []
    let cursor: string | null = ''
    for (let page = 0; cursor !== null && page < 10; page++) {
      const body = await list(`?limit=7${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`, organization.token)
      seen.push(...body.items.map((item: { id: string }) => item.id))
      cursor = body.nextCursor
    }
    expect(new Set(seen).size).toBe(25)
    expect([...seen].sort()).toEqual([...ids].sort())
    const all = await list('?limit=500', organization.token)
    expect(all.items.map((item: { id: string }) => item.id)).toEqual(seen)
    const times = all.items.map((item: { createdAt: string }) => item.createdAt)
    expect(times).toEqual([...times].sort().reverse())
    expect(all.nextCursor).toBeNull()
  })

  test('is narrowed by status, severity, type, source and time, and without a filter shows every status', async () => {
    const count = async (query: string) => (await list(`?limit=500&${query}`, organization.token)).items.length
    await world.ask('POST', `/api/alerts/${ids[0]}/dismiss`, organization.token, { reason: 'test' })
    expect(await count('')).toBe(25)
    expect(await count('status=dismissed')).toBe(1)
    expect(await count('status=active&status=dismissed')).toBe(25)
    expect(await count('severity=HIGH')).toBe(13)
    expect(await count('type=COMPLIANCE')).toBe(0)
    expect(await count('source=api:scanner')).toBe(1)
    expect(await count('from=2026-03-01T00:04:00Z')).toBe(5)
    expect(await count('to=2026-03-01T00:01:00.000Z')).toBe(5)
  })

  test.each([`source=${encodeURIComponent("' OR 1=1 --")}`, `source=${encodeURIComponent("x'; DROP TABLE alerts; --")}`])(
    'takes what looks like SQL as plain text: %s',
    async (query) => {
      expect((await list(`?${query}`, organization.token)).items).toEqual([])
      expect((await list('?limit=1', organization.token)).items).toHaveLength(1)
    },
  )

  test.each([
    'status=nonsense',
    'limit=0',
    'limit=1e9',
    'from=yesterday',
    'from=0000-01-01T00:00:00Z',
    'sort=id',
    'source=%00',
    'organizationId=1',
    'status=active;--',
  ])('refuses a filter that is none: %s', async (query) => {
    expect((await world.ask('GET', `/api/alerts?${query}`, organization.token)).status).toBe(400)
  })

  test('refuses a cursor that is forged or of another organization', async () => {
    const foreign = sealPage(world.ring, {
      organizationId: acme.organizationId,
      createdAt: '2026-03-01T00:00:00.000Z',
      id: ids[0] ?? '',
    })
    for (const cursor of ['x', 'k1.AAAA', foreign])
      expect((await world.ask('GET', `/api/alerts?cursor=${encodeURIComponent(cursor)}`, organization.token)).body.code).toBe(
        'INVALID_CURSOR',
      )
  })

  test('names the position of alerts that it contains', async () => {
    const { streamCursor } = await list('', organization.token)
    const { organizationId, partition } = organization
    expect(openCursor(world.ring, streamCursor)).toEqual({ organizationId, partition, offset: 0n })
    await world.admin(
      `INSERT INTO offsets VALUES ('alerts', $1, 42, 'c') ON CONFLICT (topic, partition) DO UPDATE SET next = 42`,
      [partition],
    )
    expect(openCursor(world.ring, (await list('', organization.token)).streamCursor).offset).toBe(42n)
  })
})

describe('what people do to an alert', () => {
  test('acknowledging, then resolving leaves row, history and outbox in step', async () => {
    const organization = await world.newOrganization('Steps')
    const { id } = await world.addAlert(organization.organizationId)
    const acknowledged = await world.ask('POST', `/api/alerts/${id}/acknowledge`, organization.token)
    expect(acknowledged.body).toMatchObject({
      status: 'acknowledged',
      acknowledged: true,
      acknowledgedBy: 'admin@steps',
      version: 1,
      resolved: false,
    })
    const resolved = await world.ask('POST', `/api/alerts/${id}/resolve`, organization.token, { notes: 'locked the account' })
    expect(resolved.body).toMatchObject({
      status: 'resolved',
      resolved: true,
      resolvedBy: 'admin@steps',
      resolutionNotes: 'locked the account',
      version: 2,
    })

    const one = (await world.ask('GET', `/api/alerts/${id}`, organization.token)).body
    expect(one).toMatchObject({ ...resolved.body, evidence: [{ id: 'e1', offset: '7' }] })
    const history = await world.admin(
      'SELECT version, actor, action FROM history WHERE about_id = $1 AND version IS NOT NULL ORDER BY version',
      [id],
    )
    expect(history).toEqual([
      { version: 1, actor: 'admin@steps', action: 'alert.acknowledged' },
      { version: 2, actor: 'admin@steps', action: 'alert.resolved' },
    ])
    const published = (await outboxOf(organization.organizationId)).filter((row) => row.topic === 'alerts')
    expect(published.map((row) => [row.partition, row.headers['tocsin-type']])).toEqual([
      [organization.partition, 'alert.acknowledged'],
      [organization.partition, 'alert.resolved'],
    ])
    const { changes, ...rest } = JSON.parse(published[0]?.value ?? '')
    expect(rest).toMatchObject({ id, organizationId: organization.organizationId, version: 1, actor: 'admin@steps' })
    // Only the fields that the act touched.
    expect(Object.keys(changes).sort()).toEqual([
      'acknowledged',
      'acknowledgedAt',
      'acknowledgedBy',
      'acknowledgementExpiresAt',
      'status',
    ])
  })

  test('a wrong transition is a conflict that names the present state and changes nothing', async () => {
    const { id } = await world.addAlert(acme.organizationId)
    await world.ask('POST', `/api/alerts/${id}/dismiss`, acme.token, { reason: 'false positive', notes: 'a drill' })
    for (const [action, body] of [
      ['acknowledge', undefined],
      ['resolve', { notes: 'x' }],
      ['dismiss', { reason: 'test' }],
    ] as const)
      expect((await world.ask('POST', `/api/alerts/${id}/${action}`, acme.token, body)).body).toMatchObject({
        status: 409,
        code: 'WRONG_STATE',
        present: 'dismissed',
      })
    expect((await world.ask('GET', `/api/alerts/${id}`, acme.token)).body).toMatchObject({
      version: 1,
      dismissReason: 'false positive',
      resolutionNotes: 'a drill',
    })
  })

  test('of ten people at once one acts, and the others learn the state that person made', async () => {
    const { id } = await world.addAlert(acme.organizationId)
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => world.ask('POST', `/api/alerts/${id}/acknowledge`, acme.token)),
    )
    expect(answers.filter((each) => each.status === 200)).toHaveLength(1)
    expect(answers.filter((each) => each.status === 409 && each.body.present === 'acknowledged')).toHaveLength(9)
  })

  test('an act without a body is understood whatever content type it names; one that needs a body asks for it', async () => {
    const { id } = await world.addAlert(acme.organizationId)
    const post = (action: string, payload: string) =>
      world.api.inject({
        method: 'POST',
        url: `/api/alerts/${id}/${action}`,
        headers: { authorization: `Bearer ${acme.token}`, 'content-type': 'application/json' },
        payload,
      })
    expect((await post('resolve', '')).statusCode).toBe(400)
    expect((await post('resolve', '{"notes":"x","__proto__":{"a":1}}')).statusCode).toBe(400)
    expect((await post('acknowledge', '')).statusCode).toBe(200)
  })

  test.each([
    ['resolve', {}],
    ['resolve', { notes: '' }],
    ['resolve', { notes: 'a\u0000b' }],
    ['resolve', { notes: '\ud800' }],
    ['dismiss', { reason: 'because' }],
  ])('%s with %j is refused', async (action, body) => {
    const { id } = await world.addAlert(acme.organizationId)
    expect((await world.ask('POST', `/api/alerts/${id}/${action}`, acme.token, body)).status).toBe(400)
  })
})

describe('who may', () => {
  test('a member of two must name one, and a subject without any finds nothing', async () => {
    const token = await world.addMember('eve@both', acme.organizationId, 'viewer')
    await world.admin('INSERT INTO memberships VALUES ($1, $2, $3)', ['eve@both', other.organizationId, 'responder'])
    expect((await world.ask('GET', '/api/alerts', token)).body.code).toBe('ORGANIZATION_REQUIRED')
    expect((await world.ask('GET', `/api/alerts?organizationId=${other.organizationId}`, token)).status).toBe(200)
    expect((await world.ask('GET', '/api/me', token)).body.organizations).toHaveLength(2)
    expect((await world.ask('GET', '/api/me', await world.tokenOf('nobody@nowhere'))).body).toMatchObject({
      operator: false,
      organizations: [],
    })
  })

  test('a viewer reads and may not act; a responder acts and may not change settings', async () => {
    const { id } = await world.addAlert(acme.organizationId)
    const viewer = await world.addMember('viewer@acme', acme.organizationId, 'viewer')
    const responder = await world.addMember('responder@acme', acme.organizationId, 'responder')
    expect((await world.ask('GET', `/api/alerts/${id}`, viewer)).status).toBe(200)
    expect((await world.ask('POST', `/api/alerts/${id}/acknowledge`, viewer)).body).toMatchObject({
      status: 403,
      code: 'FORBIDDEN',
    })
    expect((await world.ask('POST', `/api/alerts/${id}/acknowledge`, responder)).status).toBe(200)
    expect((await world.ask('PATCH', `/api/organizations/${acme.organizationId}`, responder, { settings: {} })).status).toBe(403)
  })

  test('a token issued before the revocation is refused at once', async () => {
    const token = await world.addMember('gone@acme', acme.organizationId, 'admin')
    expect((await world.ask('GET', '/api/me', token)).status).toBe(200)
    await world.admin(`UPDATE subjects SET not_before = now() + interval '2 s' WHERE subject = 'gone@acme'`)
    expect((await world.ask('GET', '/api/me', token)).status).toBe(401)
  })

  test('a key reads with the scope read, acts on nothing, and answers for its own organization only', async () => {
    const { id } = await world.addAlert(acme.organizationId)
    const keyWith = async (scopes: string[], more = {}) => {
      const key = generateKey()
      const row = { scopes, expires_at: null, revoked_at: null, ...more }
      await world.admin(
        `INSERT INTO api_keys (id, organization_id, hash, scopes, expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6)`,
        [crypto.randomUUID(), acme.organizationId, hashKey(key), row.scopes, row.expires_at, row.revoked_at],
      )
      return key
    }
    const reader = await keyWith(['read'])
    expect((await world.ask('GET', '/api/alerts', reader)).status).toBe(200)
    expect((await world.ask('GET', `/api/alerts/${id}`, reader)).body).toMatchObject({ id })
    expect((await world.ask('GET', `/api/organizations/${acme.organizationId}`, reader)).status).toBe(200)
    expect((await world.ask('GET', `/api/organizations/${other.organizationId}`, reader)).status).toBe(404)
    expect((await world.ask('GET', `/api/alerts?organizationId=${other.organizationId}`, reader)).status).toBe(404)
    expect((await world.ask('POST', `/api/alerts/${id}/acknowledge`, reader)).body).toMatchObject({ status: 403 })
    expect((await world.ask('GET', '/api/me', reader)).status).toBe(403)
    expect((await world.ask('GET', '/api/alerts', acme.ingestKey)).status).toBe(403)
    expect((await world.ask('GET', '/api/alerts', await keyWith(['alerts:write']))).status).toBe(403)
    const past = new Date(Date.now() - 1_000)
    for (const ended of [{ expires_at: past }, { revoked_at: past }])
      expect((await world.ask('GET', '/api/alerts', await keyWith(['read'], ended))).status).toBe(401)
    expect((await world.ask('GET', '/api/alerts', generateKey())).status).toBe(401)
  })

  test('another service reads one alert of the organization that it names, and nothing else', async () => {
    const { id } = await world.addAlert(acme.organizationId)
    const token = await issueServiceToken(world.ring, { caller: 'gateway', audience: 'persistence' })
    const foreign = await issueServiceToken(world.ring, { caller: 'gateway', audience: 'notifier' })
    const at = `/api/alerts/${id}?organizationId=${acme.organizationId}`
    expect((await world.ask('GET', at, token)).body).toMatchObject({ id })
    expect((await world.ask('GET', at, foreign)).status).toBe(401)
    expect((await world.ask('GET', `/api/alerts/${id}`, token)).body.code).toBe('ORGANIZATION_REQUIRED')
    expect((await world.ask('GET', `/api/alerts/${id}?organizationId=${other.organizationId}`, token)).status).toBe(404)
    for (const [method, url] of [
      ['GET', '/api/alerts'],
      ['GET', '/api/me'],
      ['POST', `/api/alerts/${id}/acknowledge`],
    ] as const)
      expect((await world.ask(method, url, token)).status).toBe(403)
  })
})
