/**
 * Nothing of one organization is for another (faults 53): every operation that this service answers is asked by a stranger, with
 * the ids of somebody else's things in every place that a request has. Each operation is walked: one that needs more than its
 * schema says to be well-formed must be given it in SPECIAL, or the walk fails.
 */
import { type ApiOperation, INSTALLATION_PERMISSIONS, OPERATIONS_TABLE } from '@tocsin/contracts'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { sampleOf } from './schema-sample.ts'
import { type Answer, createWorld, OPERATOR, type World } from './world.ts'

type Organization = Awaited<ReturnType<World['newOrganization']>>
/** Planted in everything of the victim; must be in no answer to anybody else. */
const CANARY = 'canary-9f2c'
/** A walk is some thousand requests, on a machine that does other things too. */
vi.setConfig({ testTimeout: 300_000 })
/** These are about the installation or the caller, and name no organization's things. */
const NOT_IN_AN_ORGANIZATION = new Set<string>(['operator', 'self', 'service', 'key', ...INSTALLATION_PERMISSIONS])
/** Parts that a schema cannot tell: what a sensible request of this operation looks like. */
const SPECIAL: Readonly<Record<string, { readonly body?: unknown; readonly query?: Readonly<Record<string, string>> }>> = {
  actOnAlerts: { body: { do: { act: 'acknowledge' }, filter: {} } },
  runBacktest: { body: { content: 'no rule', hours: 1 } },
}

const operations = (Object.entries(OPERATIONS_TABLE) as [string, ApiOperation][]).filter(
  ([, { service }]) => service === 'persistence',
)
const inOrganization = operations.filter(([, { permission }]) => !NOT_IN_AN_ORGANIZATION.has(permission))

let world: World
let victim: Organization
let stranger: Organization
/** Ids of the victim's things. */
let things: readonly string[]
beforeAll(async () => {
  world = await createWorld()
  victim = await world.newOrganization(`Victim ${CANARY}`)
  stranger = await world.newOrganization('Stranger')
  const { organizationId, token } = victim
  const alert = await world.addAlert(organizationId, {
    title: CANARY,
    description: CANARY,
    group: { principalId: CANARY },
    metadata: { note: CANARY },
    tags: [CANARY],
  })
  await world.ask('POST', `/api/alerts/${alert.id}/acknowledge`, token)
  await world.ask('PATCH', `/api/organizations/${organizationId}`, token, { recipients: { emails: [`${CANARY}@example.org`] } })
  const { body: key } = await world.ask('POST', '/api/keys', token, { name: CANARY, scopes: ['read'] })
  await world.ask('PUT', `/api/members/${CANARY}`, token, { role: 'viewer' })
  const content = `title: ${CANARY}\nlogsource: { product: tocsin }\ndetection: { s: { action: x.y }, condition: s }\n`
  const { body: backtest } = await world.ask('POST', '/api/rules/backtest', token, { content, events: CANARY })
  const { body: erasure } = await world.ask('POST', '/api/erasures', token, { subject: 'nobody', reason: CANARY })
  things = [alert.id, key.id, backtest.id, erasure.id]
})
afterAll(() => world.close())

type Properties = Readonly<Record<string, { readonly type?: string }>>
const propertiesOf = (schema: object | undefined): Properties =>
  (schema as { properties?: Properties } | undefined)?.properties ?? {}

/** A request of the operation with `path` in its parameters and `organizationId` wherever the schema has a place for one. */
function requestOf(
  name: string,
  { url, schema }: ApiOperation,
  path: (parameter: string) => string,
  organizationId: string,
): { readonly url: string; readonly body: unknown } {
  const special = SPECIAL[name] ?? {}
  const filled = url.replace(/:(\w+)/g, (_, parameter: string) => {
    const known = propertiesOf(schema.params)[parameter] ?? {}
    return encodeURIComponent(known.type === 'string' ? path(parameter) : String(sampleOf(known)))
  })
  const query = new URLSearchParams({
    ...(sampleOf(schema.querystring ?? { type: 'object' }) as Record<string, string>),
    ...('organizationId' in propertiesOf(schema.querystring) ? { organizationId } : {}),
    ...special.query,
  })
  const body = special.body ?? (schema.body === undefined ? undefined : sampleOf(schema.body, { organizationId }))
  return { url: query.size === 0 ? filled : `${filled}?${query}`, body }
}
const hasThing = ({ url }: ApiOperation) => url.replace(':organizationId', '').replace(':subject', '').includes(':')

const ask = (
  operation: ApiOperation,
  token: string,
  request: { readonly url: string; readonly body: unknown },
): Promise<Answer> => world.ask(operation.method, request.url, token, request.body)

/** Every row of the victim in every table, as one text; made by the system's own work: outbox (published and gone) is not compared. */
async function rowsOfVictim(): Promise<string> {
  const tables = await world.admin<{ relname: string; column: string }>(
    `SELECT c.relname, a.attname AS column FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE c.relnamespace = 'persistence'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND (a.attname = 'organization_id' OR (c.relname = 'organizations' AND a.attname = 'id'))
      ORDER BY c.relname`,
  )
  const parts: string[] = []
  for (const { relname, column } of tables) {
    const rows = await world.admin<{ row: string }>(`SELECT t::text AS row FROM ${relname} t WHERE ${column} = $1 ORDER BY 1`, [
      victim.organizationId,
    ])
    parts.push(`${relname}: ${rows.map(({ row }) => row).join('\n')}`)
  }
  return parts.join('\n')
}

test('no operation answers without a token, and none says whether its address exists', async () => {
  for (const [name, operation] of operations) {
    const request = requestOf(name, operation, () => victim.organizationId, victim.organizationId)
    for (const token of ['', 'forged.token.here', 'tk_forged'])
      expect([name, (await ask(operation, token, request)).status]).toEqual([name, 401])
  }
})

test('the walk knows every operation: asked by the organization’s own admin, each request is well-formed', async () => {
  for (const [name, operation] of inOrganization) {
    // Of things that there are not, so that nothing is changed; what is no thing of its own is asked of the stranger.
    const request = requestOf(
      name,
      operation,
      (parameter) => (parameter === 'organizationId' ? stranger.organizationId : crypto.randomUUID()),
      stranger.organizationId,
    )
    const { status, body } = await ask(operation, stranger.token, request)
    expect([name, status, body?.code], `${name}: ${JSON.stringify(body)}; give it what it needs in SPECIAL`).not.toEqual([
      name,
      400,
      body?.code,
    ])
    expect([name, status < 500]).toEqual([name, true])
  }
})

test('a stranger learns nothing, finds nothing and changes nothing, whatever it puts the other’s ids into', async () => {
  const before = await rowsOfVictim()
  const reader = (await world.ask('POST', '/api/keys', stranger.token, { name: 'reader', scopes: ['read', 'alerts:write'] })).body
    .key
  const callers = { admin: stranger.token, key: reader, operator: await world.tokenOf(OPERATOR) }
  for (const [name, operation] of inOrganization)
    for (const [who, token] of Object.entries(callers)) {
      const missing = requestOf(name, operation, () => crypto.randomUUID(), crypto.randomUUID())
      const nothing = await ask(operation, token, missing)
      for (const thing of hasThing(operation) ? (who === 'admin' ? things : things.slice(0, 1)) : ['']) {
        const at = (parameter: string) =>
          parameter === 'organizationId' ? victim.organizationId : parameter === 'subject' ? CANARY : thing
        // Through the other's organization: the very words of what does not exist.
        const foreign = await ask(operation, token, requestOf(name, operation, at, victim.organizationId))
        expect([name, who, foreign.status, foreign.body]).toEqual([name, who, nothing.status, nothing.body])
        expect([name, who, nothing.status]).toEqual([name, who, 404])
        if (thing === '' || operation.url.includes(':organizationId')) continue
        // Through its own: the words of what it does not have itself.
        const answerTo = async (id: string) => {
          const { status, body } = await ask(
            operation,
            token,
            requestOf(name, operation, () => id, stranger.organizationId),
          )
          return [name, who, status, JSON.stringify(body).replaceAll(id, 'ID')]
        }
        expect(await answerTo(thing)).toEqual(await answerTo(crypto.randomUUID()))
      }
    }
  expect(await rowsOfVictim()).toBe(before)
})

test('lists, filters and cursors of one organization hold nothing of the other', async () => {
  const cursors = await world.ask('GET', '/api/alerts?limit=1', victim.token)
  for (const [name, operation] of inOrganization.filter(([, { method }]) => method === 'GET')) {
    const request = requestOf(name, operation, () => stranger.organizationId, stranger.organizationId)
    const { body } = await ask(operation, stranger.token, request)
    expect(JSON.stringify(body), name).not.toContain(CANARY)
    expect(JSON.stringify(body), name).not.toContain(victim.organizationId)
    if (!('cursor' in propertiesOf(operation.schema.querystring))) continue
    for (const cursor of [cursors.body.streamCursor, cursors.body.nextCursor ?? 'k1.x']) {
      const joined = request.url.includes('?') ? '&' : '?'
      const answer = await world.ask('GET', `${request.url}${joined}cursor=${encodeURIComponent(cursor)}`, stranger.token)
      expect([name, [400, 404].includes(answer.status)]).toEqual([name, true])
    }
  }
})

test('no header lets a caller be somebody else or elsewhere', async () => {
  const claims = {
    'x-organization-id': victim.organizationId,
    'x-tenant-id': victim.organizationId,
    'x-user-id': 'admin@victim',
    'x-tocsin-subject': 'admin@victim',
    'x-api-key': victim.ingestKey,
    'x-forwarded-for': '127.0.0.1',
  }
  for (const url of ['/api/alerts', '/api/me', '/api/members', '/api/keys']) {
    const { body } = await world.api.inject({ url, headers: { authorization: `Bearer ${stranger.token}`, ...claims } })
    expect(body).not.toContain(CANARY)
    expect(body).not.toContain(victim.organizationId)
  }
})

test('a deleted organization is answered, also to those who were its people, like one that never was', async () => {
  const { organizationId, slug, token } = victim
  const reader = (await world.ask('POST', '/api/keys', token, { name: 'reader', scopes: ['read'] })).body.key
  const operator = await world.tokenOf(OPERATOR)
  const gone = { confirm: slug, reason: 'the end' }
  expect((await world.ask('POST', `/api/organizations/${organizationId}/delete`, operator, gone)).status).toBe(202)
  const about = operations.filter(([, { url }]) => url.includes(':organizationId'))
  for (const [name, operation] of new Set([...inOrganization, ...about]))
    for (const as of [token, operator]) {
      const at = (parameter: string) => (parameter === 'organizationId' ? organizationId : (things[0] ?? ''))
      const answer = await ask(operation, as, requestOf(name, operation, at, organizationId))
      const missing = await ask(
        operation,
        as,
        requestOf(name, operation, () => crypto.randomUUID(), crypto.randomUUID()),
      )
      expect([name, answer.status, answer.body]).toEqual([name, missing.status, missing.body])
      expect([name, [403, 404].includes(answer.status)]).toEqual([name, true])
    }
  for (const key of [reader, victim.ingestKey]) expect((await world.ask('GET', '/api/alerts', key)).status).toBe(401)
  expect((await world.ask('GET', '/api/me', token)).body).toMatchObject({ organizations: [] })
  expect((await world.ask('GET', '/api/organizations', operator)).body.items).toHaveLength(1)
})
