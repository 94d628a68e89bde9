import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openCookie, verifyToken } from '@tocsin/access'
import { waitFor } from '@tocsin/testing'
import { Provider } from 'oidc-provider'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Gateway } from '../src/app.ts'
import { createWorld, PUBLIC_URL, service, type World } from './world.ts'

const CALLBACK = `${PUBLIC_URL}/auth/oidc/callback`
const CLIENT = { OIDC_CLIENT_ID: 'tocsin', OIDC_CLIENT_SECRET: 'a-secret-of-the-test' }

let world: World
let gateway: Gateway
let issuer: string
let server: Server
let settings: Record<string, string>
let persistence: Awaited<ReturnType<typeof service>>
/** What persistence was told of sign-ins. */
const told: unknown[] = []

/** A real OpenID provider on this machine; whoever signs in there is called as typed, and verified unless the name begins with "un". */
async function startProvider(): Promise<void> {
  const found = (await import('node:net')).createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => found.once('listening', resolve))
  const { port } = found.address() as AddressInfo
  await new Promise((resolve) => found.close(resolve))
  issuer = `http://127.0.0.1:${port}`
  const provider = new Provider(issuer, {
    clients: [{ client_id: CLIENT.OIDC_CLIENT_ID, client_secret: CLIENT.OIDC_CLIENT_SECRET, redirect_uris: [CALLBACK] }],
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({ sub, email: sub, email_verified: !sub.startsWith('un') }),
    }),
    claims: { email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    cookies: { keys: [randomBytes(16).toString('hex')] },
  })
  server = provider.listen(port, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
}

beforeAll(async () => {
  ;[world] = await Promise.all([createWorld(), startProvider()])
  persistence = await service((app) => {
    app.post('/api/sign-ins', async (request, reply) => {
      told.push(JSON.parse(String(request.body)))
      return reply.code(201).send({ organizations: 1 })
    })
  })
  settings = { OIDC_ISSUER: issuer, ...CLIENT, PERSISTENCE_URL: persistence.url }
  gateway = await world.start(settings)
  const organization = await world.newOrganization(0)
  for (const subject of ['ada@example.org', 'un@example.org']) await world.grant(subject, [organization])
})
afterAll(async () => {
  await world?.close()
  await persistence?.close()
  server?.closeAllConnections()
  await new Promise((resolve) => server?.close(resolve))
})

/** Cookies of one browser, whatever their path. */
class Browser {
  readonly cookies = new Map<string, string>()

  async open(url: string, form?: Record<string, string>): Promise<Response> {
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const [name = '', ...value] = pair.split('=')
      if (value.join('=') === '') this.cookies.delete(name)
      else this.cookies.set(name, value.join('='))
    }
    return answer
  }

  /** Begins at the gateway and answers the provider's questions as `login`; resolves with the address it sends back to. */
  async signIn(door: Gateway, login: string): Promise<string> {
    const begun = await this.open(`http://127.0.0.1:${door.port}/auth/oidc`)
    expect(begun.status).toBe(302)
    let next = begun.headers.get('location') ?? ''
    for (let step = 0; step < 12; step++) {
      if (next.startsWith(CALLBACK)) return next.replace(PUBLIC_URL, `http://127.0.0.1:${door.port}`)
      const answer = await this.open(next)
      const asks = answer.status === 200 ? await answer.text() : null
      const form = asks?.includes('name="login"') ? { prompt: 'login', login, password: 'x' } : { prompt: 'consent' }
      const moved = asks === null ? answer : await this.open(next, form)
      next = new URL(moved.headers.get('location') ?? '', issuer).href
    }
    throw new Error(`the provider does not come to an end: ${next}`)
  }
}

test('a member signs in at the provider and gets a session as the verified address', async () => {
  const browser = new Browser()
  await waitFor(
    async () => {
      const answer = await browser.open(await browser.signIn(gateway, 'Ada@example.org'))
      return answer.status === 200 ? true : undefined
    },
    { limitMs: 15_000, what: 'the membership to arrive, and the session' },
  )
  const sealed = decodeURIComponent(browser.cookies.get('tocsin') ?? '')
  expect(await verifyToken(world.ring, openCookie(world.ring, sealed) ?? '')).toMatchObject({ subject: 'ada@example.org' })
  expect(browser.cookies.has('tocsin-oidc')).toBe(false)
  expect(told).toEqual([{ subject: 'ada@example.org', method: 'oidc', outcome: 'succeeded', ip: '127.0.0.1' }])
})

test('an answer that was used, that another browser asked for, or that was changed signs nobody in', async () => {
  const [browser, other] = [new Browser(), new Browser()]
  const callback = await browser.signIn(gateway, 'ada@example.org')
  await other.signIn(gateway, 'ada@example.org')
  const bare = new Browser()
  const changed = new URL(callback)
  changed.searchParams.set('state', 'x'.repeat(43))
  const kept = new Map(browser.cookies)
  const refusals: [string, Response][] = [
    ['no cookie', await bare.open(callback)],
    ['the cookie of another', await other.open(callback)],
    ['another state', await browser.open(changed.href)],
  ]
  for (const [why, answer] of refusals) expect([why, answer.status, answer.headers.getSetCookie().length]).toEqual([why, 403, 1])
  // The cookie was used up by the wrong answer; with it put back the right one works, once.
  for (const [status] of [[200], [403]] as const) {
    for (const [name, value] of kept) browser.cookies.set(name, value)
    expect((await browser.open(callback)).status).toBe(status)
  }
})

test('who has not verified the address, and who belongs to no organization, is told so and gets no session', async () => {
  for (const [login, says] of [
    ['un@example.org', 'has not verified'],
    ['stranger@example.org', 'belong to no organization'],
  ] as const) {
    const browser = new Browser()
    const answer = await browser.open(await browser.signIn(gateway, login))
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining(says)])
    expect(browser.cookies.has('tocsin')).toBe(false)
  }
})

test('a token by another algorithm than ours is refused; a provider that is away is waited for; the signed-out page knows', async () => {
  const strict = await world.start({ ...settings, OIDC_ALGORITHM: 'ES256' })
  const browser = new Browser()
  expect((await browser.open(await browser.signIn(strict, 'ada@example.org'))).status).toBe(403)
  const alone = await world.start({ ...settings, OIDC_ISSUER: 'http://127.0.0.1:9', SIGN_INS_PER_MINUTE: '2' })
  const start = () => fetch(`http://127.0.0.1:${alone.port}/auth/oidc`, { redirect: 'manual' })
  const statuses = [await start(), await start(), await start()]
  expect(statuses.map(({ status }) => status)).toEqual([503, 503, 429])
  expect(Number(statuses[2]?.headers.get('retry-after'))).toBeGreaterThan(0)
  const methods = (door: Gateway) => fetch(`http://127.0.0.1:${door.port}/auth/methods`).then((answer) => answer.json())
  const bare = await world.start()
  expect([await methods(gateway), await methods(bare)]).toEqual([{ oidc: true }, { oidc: false }])
  await Promise.all([strict.stop(), alone.stop(), bare.stop()])
})

test('half of the provider’s settings stop the start', async () => {
  await expect(world.start({ OIDC_ISSUER: issuer })).rejects.toMatchObject({ code: 'TOCSIN_CONFIG_INVALID' })
})
