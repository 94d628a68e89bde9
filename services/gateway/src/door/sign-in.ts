import { type AccessDirectory, issueToken, type KeyRing, type VerifiedToken, verifySignInCode } from '@tocsin/access'
import type { SignIn, SignInOutcome } from '@tocsin/contracts'
import { HttpProblem, isRetryable, messageOf } from '@tocsin/errors'
import type { HttpServer } from '@tocsin/http'
import type { RedisHandle } from '@tocsin/redis'
import type { FastifyRequest } from 'fastify'
import type { BrowserSessions } from './browser-session.ts'
import { page } from './page.ts'

type Refusal = Exclude<SignInOutcome, 'succeeded'>

/** Status, title and text of the page. */
const REFUSED: Readonly<Record<Refusal, readonly [number, string, string]>> = {
  'link-used': [410, 'This link has been used', 'A sign-in link works once. Ask for a new one where you got it.'],
  revoked: [401, 'This link is not valid', 'It may be older than 10 minutes. Ask for a new one where you got it.'],
  'too-many': [429, 'Too many sign-ins', 'You have signed in very often within a minute. Open the link again in a minute.'],
}
/** Longer than a code is valid, clock tolerance included. */
const REMEMBER_SECONDS = 900
const HOUR_SECONDS = 3_600

/** Signs a browser in by a link that works once, and out again. */
export function registerSignIn(
  app: HttpServer,
  deps: {
    readonly ring: KeyRing
    readonly redis: RedisHandle
    /** Before the names of keys in Redis. */
    readonly prefix: string
    readonly access: Pick<AccessDirectory, 'admit'>
    /** Whether `access` has been read: before that a revoked subject would pass. */
    readonly isReady: () => boolean
    readonly sessions: BrowserSessions
    readonly sessionHours: number
    /** Whether the signed-out page offers the company's own provider. */
    readonly hasOidc: boolean
    /** Rejects with 429 when an address signs in too often. */
    readonly limit: (request: FastifyRequest) => Promise<void>
    /** Milliseconds until the subject may sign in again; 0: now. */
    readonly accountWaitMs: (subject: string) => Promise<number>
    /** Rejects with RetryableError where the history cannot take it. */
    readonly tell: (signIn: SignIn) => Promise<void>
  },
): void {
  const { ring, redis, access, sessions } = deps

  /** True for the first use of the code's id. Throws RetryableError when Redis is away: then nobody can say. */
  const useOnce = async (id: string) =>
    (await redis.attempt((client) => client.set(`${deps.prefix}signin:${id}`, '1', 'EX', REMEMBER_SECONDS, 'NX'))) === 'OK'
  const unuse = (id: string) => redis.attempt((client) => client.del(`${deps.prefix}signin:${id}`))

  const refusalOf = async (proof: VerifiedToken): Promise<Refusal | null> => {
    try {
      access.admit(proof)
    } catch (error) {
      if (error instanceof HttpProblem) return 'revoked'
      throw error
    }
    if ((await deps.accountWaitMs(proof.subject)) > 0) return 'too-many'
    return (await useOnce(proof.id)) ? null : 'link-used'
  }

  // Without a HEAD route: whoever looks at the link's head must not use it up.
  app.get('/auth/signin', { exposeHeadRoute: false, preHandler: deps.limit }, async (request, reply) => {
    const { code } = request.query as { readonly code?: unknown }
    try {
      if (!deps.isReady()) return page(reply, 503, 'Not ready yet', 'Tocsin is starting. Open the link again in a moment.')
      const proof = await verifySignInCode(ring, typeof code === 'string' ? code : undefined)
      const told = (outcome: SignInOutcome) => deps.tell({ subject: proof.subject, method: 'link', outcome, ip: request.ip })
      const refusal = await refusalOf(proof)
      if (refusal !== null) {
        await told(refusal).catch((error: unknown) =>
          request.log.warn({ reason: messageOf(error) }, 'a refused sign-in is not in the history'),
        )
        return page(refusal === 'too-many' ? reply.header('retry-after', '60') : reply, ...REFUSED[refusal])
      }
      // A session that the history does not know of is not made.
      await told('succeeded').catch(async (error: unknown) => {
        await unuse(proof.id)
        throw error
      })
      const seconds = deps.sessionHours * HOUR_SECONDS
      const token = await issueToken(ring, { subject: proof.subject, ttlSeconds: seconds })
      request.log.info({ subject: proof.subject }, 'signed in by link')
      reply.header('set-cookie', sessions.start(token, seconds))
      return page(reply, 200, 'Signed in', 'Opening the dashboard.', true)
    } catch (error) {
      if (isRetryable(error))
        return page(
          reply.header('retry-after', '2'),
          503,
          'Not possible right now',
          'A part that signing in needs is away. Open the link again in a moment.',
        )
      if (error instanceof HttpProblem) return page(reply, ...REFUSED.revoked)
      throw error
    }
  })

  app.get('/auth/methods', async (_request, reply) => reply.header('cache-control', 'no-store').send({ oidc: deps.hasOidc }))

  app.post('/auth/signout', async (request, reply) => {
    sessions.guardWrite(request)
    return reply.header('set-cookie', sessions.end()).header('cache-control', 'no-store').code(204).send()
  })
}
