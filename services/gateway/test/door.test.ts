import { createHash, randomBytes } from 'node:crypto'
import { generateKeyRing, issueSignInLink } from '@tocsin/access'
import { OPERATIONS_TABLE } from '@tocsin/contracts'
import { connectRedis } from '@tocsin/redis'
import { createLogger } from '@tocsin/telemetry'
import { testInfrastructure, waitFor } from '@tocsin/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Gateway } from '../src/app.ts'
import { figuresRecord } from '../src/stream/samples.ts'
import { Client, createWorld, PUBLIC_URL, service, type World } from './world.ts'

type Seen = {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Buffer | null
}

let world: World
let gateway: Gateway
let url: string
const seen: Record<'ingest' | 'persistence' | 'notifier', Seen[]> = { ingest: [], persistence: [], notifier: [] }
const services: { url: string; close(): Promise<void> }[] = []

beforeAll(async () => {
  world = await createWorld()
  const recorder = (name: keyof typeof seen) =>
    service((app) => {
      app.all('/*', async (request, reply) => {
        seen[name].push({
          method: request.method,
          url: request.url,
          headers: request.headers,
          body: (request.body as Buffer | undefined) ?? null,
        })
        if (request.url.startsWith('/api/busy')) return reply.code(503).header('retry-after', '7').send({ code: 'BUSY' })
        return reply.header('x-service', name).send({ service: name })
      })
    })
  const [ingest, persistence, notifier] = await Promise.all([recorder('ingest'), recorder('persistence'), recorder('notifier')])
  services.push(ingest, persistence, notifier)
  gateway = await world.start({ INGEST_URL: ingest.url, PERSISTENCE_URL: persistence.url, NOTIFIER_URL: notifier.url })
  url = `http://127.0.0.1:${gateway.port}`
})
afterAll(async () => {
  await world?.close()
  for (const each of services) await each.close()
})

const last = (name: keyof typeof seen) => seen[name].at(-1) as Seen
const ask = (path: string, init: RequestInit = {}) => fetch(`${url}${path}`, { redirect: 'manual', ...init })

/** A signed-in browser's Cookie header. */
async function cookieOf(subject: string): Promise<string> {
  const link = new URL(await issueSignInLink(world.ring, PUBLIC_URL, subject))
  const answer = await ask(`${link.pathname}${link.search}`)
  expect(answer.status).toBe(200)
  return answer.headers.get('set-cookie')?.split(';')[0] ?? ''
}

test.each([
  ['GET', '/api/alerts?status=active&status=resolved&limit=5', 'persistence'],
  ['GET', '/api/alerts/00000000-0000-4000-8000-000000000001/notifications', 'notifier'],
  ['GET', '/api/alerts/00000000-0000-4000-8000-000000000001/notifications?organizationId=x', 'notifier'],
  ['POST', '/api/alerts/00000000-0000-4000-8000-000000000001/acknowledge', 'persistence'],
  ['PATCH', '/api/organizations/x', 'persistence'],
  ['POST', '/v1/events?format=sshd&year=2025', 'ingest'],
] as const)('%s %s goes to its service as it is', async (method, path, name) => {
  const body = method === 'GET' ? null : '{"a":1}'
  const answer = await ask(path, {
    method,
    body,
    headers: { authorization: 'Bearer abc', ...(body ? { 'content-type': 'application/json' } : {}) },
  })
  expect(await answer.json()).toEqual({ service: name })
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(last(name)).toMatchObject({ method, url: path, headers: { authorization: 'Bearer abc' } })
  expect(last(name).body?.toString() ?? null).toBe(body)
})

test('a large gzip body goes through byte for byte, and one beyond the limit is refused', async () => {
  const body = randomBytes(20 * 1_048_576)
  const answer = await ask('/v1/events', {
    method: 'POST',
    body,
    headers: { 'content-encoding': 'gzip', 'content-type': 'application/x-ndjson', 'x-api-key': 'tk_1' },
  })
  expect(answer.status).toBe(200)
  const { headers, body: arrived } = last('ingest')
  expect(headers).toMatchObject({ 'content-encoding': 'gzip', 'content-type': 'application/x-ndjson', 'x-api-key': 'tk_1' })
  expect(
    createHash('sha256')
      .update(arrived ?? '')
      .digest('hex'),
  ).toBe(createHash('sha256').update(body).digest('hex'))
  const refused = await ask('/v1/events', { method: 'POST', body: Buffer.alloc(33 * 1_048_576) }).catch((error: unknown) => error)
  if (refused instanceof Response) expect(refused.status).toBe(413)
})

test('identity headers of the client do not reach a service', async () => {
  await ask('/api/me', {
    headers: {
      'x-forwarded-for': '10.0.0.1',
      'x-user-id': 'admin',
      'x-organization-id': 'o',
      forwarded: 'for=10.0.0.1',
      cookie: 'a=b',
    },
  })
  const { headers } = last('persistence')
  expect(headers).toMatchObject({
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-host': 'localhost:7777',
    traceparent: expect.any(String),
  })
  for (const name of ['x-user-id', 'x-organization-id', 'forwarded', 'cookie', 'authorization'])
    expect(headers).not.toHaveProperty(name)
})

test("a service's own 503 is passed on once and as it is", async () => {
  const before = seen.persistence.length
  const answer = await ask('/api/busy')
  expect([answer.status, answer.headers.get('retry-after'), await answer.json()]).toEqual([503, '7', { code: 'BUSY' }])
  expect(seen.persistence.length).toBe(before + 1)
})

test('a service that is away is a 503 that names it', async () => {
  const alone = await world.start()
  for (const [path, name] of [
    ['/api/alerts', 'persistence'],
    ['/api/alerts/1/notifications', 'notifier'],
    ['/v1/events', 'ingest'],
  ] as const) {
    const answer = await fetch(`http://127.0.0.1:${alone.port}${path}`, name === 'ingest' ? { method: 'POST', body: '{}' } : {})
    expect([answer.status, answer.headers.get('content-type'), Number(answer.headers.get('retry-after'))]).toEqual([
      503,
      expect.stringContaining('application/problem+json'),
      expect.any(Number),
    ])
    expect(await answer.json()).toMatchObject({
      status: 503,
      code: 'UPSTREAM_AWAY',
      service: name,
      detail: expect.stringContaining(name),
    })
  }
  await alone.stop()
})

test('a sign-in link signs in once, and the cookie speaks to the services as its subject', async () => {
  const link = new URL(await issueSignInLink(world.ring, PUBLIC_URL, 'ann'))
  const path = `${link.pathname}${link.search}`
  expect((await ask(path, { method: 'HEAD' })).status).toBe(404)
  const answer = await ask(path)
  expect(answer.status).toBe(200)
  const cookie = answer.headers.get('set-cookie') ?? ''
  expect(cookie).toMatch(/^tocsin=[^;]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Lax$/)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  const again = await ask(path)
  expect([again.status, again.headers.get('set-cookie')]).toEqual([410, null])

  await ask('/api/me', { headers: { cookie: cookie.split(';')[0] ?? '' } })
  expect(last('persistence').headers['authorization']).toMatch(/^Bearer eyJ/)
  expect(last('persistence').headers).not.toHaveProperty('cookie')
})

/** What persistence was told of a subject's sign-ins. */
const toldOf = (subject: string) =>
  seen.persistence
    .filter(({ url: path }) => path === '/api/sign-ins')
    .map(({ body }) => JSON.parse(String(body)) as { readonly subject: string; readonly outcome: string })
    .filter((signIn) => signIn.subject === subject)

test('the history is told of each sign-in of a proven subject, and of those beyond the minute’s, which are refused', async () => {
  const strict = await world.start({ PERSISTENCE_URL: services[1]?.url ?? '', ACCOUNT_SIGN_INS_PER_MINUTE: '2' })
  const open = async (link: string) => {
    const { pathname, search } = new URL(link)
    return fetch(`http://127.0.0.1:${strict.port}${pathname}${search}`)
  }
  const links = await Promise.all([1, 2, 3].map(() => issueSignInLink(world.ring, PUBLIC_URL, 'often')))
  const answers: Response[] = []
  for (const link of [links[0], links[0], links[1], links[2]]) answers.push(await open(link ?? ''))
  expect(answers.map(({ status }) => status)).toEqual([200, 410, 429, 429])
  expect(toldOf('often')).toMatchObject([
    { method: 'link', outcome: 'succeeded', ip: '127.0.0.1' },
    { outcome: 'link-used' },
    { outcome: 'too-many' },
    { outcome: 'too-many' },
  ])
  // What was refused for haste is not used up.
  const { pathname, search } = new URL(links[1] ?? '')
  await waitFor(async () => (await ask(`${pathname}${search}`)).status === 200, { limitMs: 5_000, what: 'the refused link' })
  await strict.stop()
})

test('nobody is signed in whose sign-in the history cannot take, and the link stays good', async () => {
  const alone = await world.start()
  const { pathname, search } = new URL(await issueSignInLink(world.ring, PUBLIC_URL, 'unheard'))
  const answer = await fetch(`http://127.0.0.1:${alone.port}${pathname}${search}`)
  expect([answer.status, answer.headers.get('set-cookie')]).toEqual([503, null])
  expect((await ask(`${pathname}${search}`)).status).toBe(200)
  expect(toldOf('unheard')).toHaveLength(1)
  await alone.stop()
})

test('forged, foreign and missing codes do not sign in, and no revoked subject', async () => {
  const foreign = new URL(await issueSignInLink(await generateKeyRing(), PUBLIC_URL, 'ann'))
  const token = await world.token('ann')
  for (const path of ['/auth/signin', '/auth/signin?code=x', `/auth/signin?code=${token}`, `/auth/signin${foreign.search}`]) {
    const answer = await ask(path)
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([401, null])
  }
  await world.grant('gone', [], { notBefore: new Date(Date.now() + 60_000).toISOString() })
  await waitFor(
    async () => {
      const link = new URL(await issueSignInLink(world.ring, PUBLIC_URL, 'gone'))
      return (await ask(`${link.pathname}${link.search}`)).status === 401
    },
    { limitMs: 5_000, what: 'the revocation' },
  )
})

test('with the cookie a write needs our origin and the header; a read and a bearer do not', async () => {
  const cookie = await cookieOf('ann')
  const write = async (headers: Record<string, string>) =>
    (await ask('/api/alerts/1/acknowledge', { method: 'POST', headers })).status
  expect(await write({ cookie, origin: PUBLIC_URL, 'x-tocsin-csrf': '1' })).toBe(200)
  expect(await write({ cookie, origin: PUBLIC_URL })).toBe(403)
  expect(await write({ cookie, origin: 'https://evil.example', 'x-tocsin-csrf': '1' })).toBe(403)
  expect(await write({ cookie, 'x-tocsin-csrf': '1' })).toBe(403)
  expect(await write({ authorization: 'Bearer abc' })).toBe(200)
  expect((await ask('/api/alerts', { headers: { cookie } })).status).toBe(200)
})

test('the cookie is no key for sending events', async () => {
  await ask('/v1/events', { method: 'POST', body: '{}', headers: { cookie: await cookieOf('ann') } })
  expect(last('ingest').headers).not.toHaveProperty('authorization')
})

test('signing out ends the cookie', async () => {
  const answer = await ask('/auth/signout', { method: 'POST', headers: { origin: PUBLIC_URL, 'x-tocsin-csrf': '1' } })
  expect([answer.status, answer.headers.get('set-cookie')]).toEqual([204, expect.stringMatching(/^tocsin=; Max-Age=0/)])
  expect((await ask('/auth/signout', { method: 'POST' })).status).toBe(403)
})

test('a browser with the cookie opens a socket from our own page only', async () => {
  const organization = await world.newOrganization(0)
  await world.grant('ann', [organization])
  const cookie = await cookieOf('ann')
  const browser = new Client(gateway, ['tocsin.v1'], { cookie, origin: PUBLIC_URL })
  await browser.subscribe(organization)
  await world.publish(organization, [figuresRecord(1, 1, { createdAt: new Date().toISOString() })])
  await browser.waitFor(() => browser.changes().length === 1, 'the alert')
  browser.close()
  const evil = new Client(gateway, ['tocsin.v1'], { cookie, origin: 'https://evil.example' })
  await evil.waitForEnd()
  expect(evil.refused).toBe(403)
})

test('every address that is no file opens the dashboard, with a policy that allows nothing from outside', async () => {
  for (const path of ['/', '/alerts/1?org=x', '/index.html']) {
    const answer = await ask(path, { headers: { accept: 'text/html' } })
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
      200,
      expect.stringContaining('text/html'),
      'no-cache',
    ])
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'")
    expect(await answer.text()).toContain('<title>Tocsin</title>')
  }
  const asset = await ask('/assets/index-abc123.js')
  expect([asset.status, asset.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable'])
  for (const path of ['/assets/missing.js', '/assets/../../keys.json', '/..%2fkeys.json', '/%2e%2e/keys.json', '/nothing.json']) {
    expect((await ask(path, { headers: { accept: '*/*' } })).status).toBe(404)
  }
  expect((await ask('/alerts', { method: 'POST' })).status).toBe(404)
})

test('the document of the API and its reference page need no token and nothing from outside', async () => {
  const document = (await (await ask('/api/openapi.json')).json()) as { openapi: string; paths: Record<string, object> }
  expect(document.openapi).toBe('3.1.0')
  for (const { url: path } of Object.values(OPERATIONS_TABLE))
    expect(document.paths).toHaveProperty([path.replace(/:(\w+)/g, '{$1}')])
  const page = await ask('/api/docs')
  const text = await page.text()
  expect([page.status, page.headers.get('content-security-policy')]).toEqual([200, expect.stringContaining("default-src 'none'")])
  // The policy forbids inline code and other origins: the page has neither, and its files are there.
  expect(text).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\son\w+=|https?:/)
  for (const [, file] of text.matchAll(/(?:src|href)="(\/api\/docs\/[^"]+)"/g)) expect((await ask(file ?? '')).status).toBe(200)
})

test("an alert's link opens without a preference for pages too, as curl asks", async () => {
  const statusOf = async (accept: string) =>
    (await ask('/alerts/6a755e4f-8677-59c4-934e-b27ff13771a9', { headers: { accept } })).status
  expect([await statusOf('*/*'), await statusOf('application/json')]).toEqual([200, 404])
})

test('a dashboard that was not built says so', async () => {
  const bare = await world.start({ DASHBOARD_DIR: '/nonexistent/dist' })
  const answer = await fetch(`http://127.0.0.1:${bare.port}/`, { headers: { accept: 'text/html' } })
  expect([answer.status, (await answer.json()) as object]).toMatchObject([503, { code: 'DASHBOARD_NOT_BUILT' }])
  await bare.stop()
})

test('without Redis a link cannot be used, and is not used up', async () => {
  const blind = await world.start({ REDIS_URL: 'redis://127.0.0.1:9' })
  const link = new URL(await issueSignInLink(world.ring, PUBLIC_URL, 'ann'))
  const answer = await fetch(`http://127.0.0.1:${blind.port}${link.pathname}${link.search}`)
  expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('set-cookie')]).toEqual([503, '2', null])
  expect((await ask(`${link.pathname}${link.search}`)).status).toBe(200)
  await blind.stop()
  const redis = connectRedis(testInfrastructure().redisUrl, { name: 'test', log: createLogger('test', 'silent') })
  const keys = await waitFor(() => redis.attempt((client) => client.keys(`${world.prefix}signin:*`)), {
    limitMs: 5_000,
    what: 'redis',
  })
  expect(keys.length).toBeGreaterThan(0)
  await redis.close()
})
