/**
 * Signing in through the company's OpenID provider: authorization code flow with PKCE. It proves a subject and nothing else; what
 * the subject may do is looked up as for everybody.
 *
 * 1. State, nonce and verifier lie in a sealed cookie of ten minutes that goes to the callback only, and is used once: an answer
 *    that this browser did not ask for is refused.
 * 2. The id token's signature is checked against the provider's keys by one algorithm, ours and never the token's; issuer, audience,
 *    expiry and nonce as well (openid-client).
 * 3. The provider's address is the operator's configuration, and no organization can set it.
 */
import { fastifyCookie as cookie } from '@fastify/cookie'
import { type AccessDirectory, issueToken, type KeyRing, openCookie, sealCookie } from '@tocsin/access'
import type { SignIn } from '@tocsin/contracts'
import { messageOf } from '@tocsin/errors'
import type { HttpServer } from '@tocsin/http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import * as openid from 'openid-client'
import type { BrowserSessions } from './browser-session.ts'
import { subjectOf } from './oidc-subject.ts'
import { page } from './page.ts'

const START = '/auth/oidc'
const CALLBACK = '/auth/oidc/callback'
const COOKIE = 'tocsin-oidc'
const COOKIE_SECONDS = 600
const HOUR_SECONDS = 3_600
/** Of every request to the provider. */
const PROVIDER_SECONDS = 10

export interface OidcSettings {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly subjectClaim: 'email' | 'sub'
  readonly algorithm: string
}

interface Journey {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

export function registerOidc(
  app: HttpServer,
  deps: {
    readonly settings: OidcSettings
    readonly ring: KeyRing
    readonly publicUrl: string
    readonly access: Pick<AccessDirectory, 'of'>
    readonly isReady: () => boolean
    readonly sessions: BrowserSessions
    readonly sessionHours: number
    /** Rejects with 429 when an address signs in too often. */
    readonly limit: (request: FastifyRequest) => Promise<void>
    /** Milliseconds until the subject may sign in again; 0: now. */
    readonly accountWaitMs: (subject: string) => Promise<number>
    /** Rejects with RetryableError where the history cannot take it. */
    readonly tell: (signIn: SignIn) => Promise<void>
  },
): void {
  const { settings, ring } = deps
  const redirectUri = new URL(CALLBACK, deps.publicUrl).href
  const provider = lazily(() => discover(settings))
  const attributes = { httpOnly: true, secure: redirectUri.startsWith('https:'), sameSite: 'lax', path: CALLBACK } as const
  const ended = cookie.serialize(COOKIE, '', { ...attributes, maxAge: 0 })

  app.get(START, { exposeHeadRoute: false, preHandler: deps.limit }, async (request, reply) => {
    const journey: Journey = {
      state: openid.randomState(),
      nonce: openid.randomNonce(),
      verifier: openid.randomPKCECodeVerifier(),
    }
    try {
      const address = openid.buildAuthorizationUrl(await provider(), {
        redirect_uri: redirectUri,
        scope: 'openid email',
        state: journey.state,
        nonce: journey.nonce,
        code_challenge: await openid.calculatePKCECodeChallenge(journey.verifier),
        code_challenge_method: 'S256',
      })
      const sealed = sealCookie(ring, JSON.stringify(journey), 'oidc')
      reply.header('set-cookie', cookie.serialize(COOKIE, sealed, { ...attributes, maxAge: COOKIE_SECONDS })) // 1
      return reply.header('cache-control', 'no-store').redirect(address.href)
    } catch (error) {
      request.log.warn({ reason: messageOf(error) }, 'the OpenID provider does not answer')
      return away(reply)
    }
  })

  app.get(CALLBACK, { exposeHeadRoute: false, preHandler: deps.limit }, async (request, reply) => {
    reply.header('set-cookie', ended)
    if (!deps.isReady()) return away(reply)
    const journey = journeyOf(ring, request)
    if (journey === null) return refused(reply, 'Begin again: signing in was not begun in this browser, or over ten minutes ago.')
    const proof = await provider()
      .then((config) => prove(config, new URL(request.url, deps.publicUrl), journey))
      .catch((error: unknown) => {
        request.log.warn({ reason: messageOf(error) }, 'sign-in by the OpenID provider refused')
        return null
      })
    if (proof === null) return refused(reply, 'The provider did not confirm who you are. Begin again.')
    const mapped = subjectOf(proof, settings.subjectClaim)
    if ('refused' in mapped) return refused(reply, REASONS[mapped.refused])
    const { subject } = mapped
    const { operator, memberships } = deps.access.of(subject)
    if (!operator && memberships.length === 0)
      return refused(reply, 'You belong to no organization here yet. Ask an admin of yours to add you as a member.')
    const outcome = (await deps.accountWaitMs(subject)) > 0 ? 'too-many' : 'succeeded'
    // A session that the history does not know of is not made.
    try {
      await deps.tell({ subject, method: 'oidc', outcome, ip: request.ip })
    } catch (error) {
      request.log.warn({ reason: messageOf(error) }, 'sign-in is not possible without the history')
      return away(reply)
    }
    if (outcome === 'too-many')
      return page(
        reply.header('retry-after', '60'),
        429,
        'Too many sign-ins',
        'You have signed in very often. Begin again in a minute.',
      )
    const seconds = deps.sessionHours * HOUR_SECONDS
    const token = await issueToken(ring, { subject, ttlSeconds: seconds })
    request.log.info({ subject }, 'signed in by the OpenID provider')
    reply.header('set-cookie', deps.sessions.start(token, seconds))
    return page(reply, 200, 'Signed in', 'Opening the dashboard.', true)
  })
}

const REASONS = {
  noClaim: 'The provider did not say who you are: the claim that this installation asks for is missing.',
  emailNotVerified: 'The provider has not verified your e-mail address. Verify it there, and begin again.',
  reserved: 'Your name at the provider is one that this system uses itself.',
} as const

const away = (reply: FastifyReply) =>
  page(
    reply.header('retry-after', '2'),
    503,
    'Not possible right now',
    'A part that signing in needs is away. Try again in a moment.',
  )
const refused = (reply: FastifyReply, why: string) => page(reply, 403, 'Not signed in', why)

async function discover({ issuer, clientId, clientSecret, algorithm }: OidcSettings): Promise<openid.Configuration> {
  const url = new URL(issuer)
  const config = await openid.discovery(
    url,
    clientId,
    { client_secret: clientSecret, id_token_signed_response_alg: algorithm }, // 2
    undefined,
    // Plain HTTP is for a provider on this machine; config.ts refuses any other.
    { timeout: PROVIDER_SECONDS, ...(url.protocol === 'http:' ? { execute: [openid.allowInsecureRequests] } : {}) },
  )
  openid.enableNonRepudiationChecks(config) // 2
  return config
}

/** The id token's claims. Rejects with what is wrong. */
async function prove(config: openid.Configuration, answered: URL, journey: Journey): Promise<openid.IDToken> {
  const tokens = await openid.authorizationCodeGrant(config, answered, {
    pkceCodeVerifier: journey.verifier,
    expectedState: journey.state,
    expectedNonce: journey.nonce,
    idTokenExpected: true,
  })
  const claims = tokens.claims()
  if (claims === undefined) throw new Error('the provider sent no id token')
  return claims
}

function journeyOf(ring: KeyRing, request: FastifyRequest): Journey | null {
  const sealed = cookie.parse(request.headers.cookie ?? '')[COOKIE]
  const text = sealed === undefined ? null : openCookie(ring, sealed, 'oidc')
  return text === null ? null : (JSON.parse(text) as Journey)
}

/** One at a time, kept once it has succeeded. */
function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}
