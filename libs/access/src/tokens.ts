/**
 * Tokens (security.md §1). A token proves a subject and nothing else; what the subject may do is looked up on every request.
 *
 * 1. Each purpose has an audience and a `typ` of its own, so a sign-in code or a service token never passes as a person's token.
 * 2. The algorithm is the verifier's, never the token's: EdDSA for people, HS256 for services.
 * 3. Whatever is wrong, the answer is one 401 that says no more than "not valid".
 */
import { randomUUID } from 'node:crypto'
import { HttpProblem } from '@tocsin/errors'
import { decodeProtectedHeader, importJWK, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type { KeyRing, TokenKey } from './key-ring.ts'

export const ISSUER = 'tocsin'
const AUDIENCE = 'tocsin'
const SERVICE_TYPE = 'service+jwt'
const SIGN_IN_AUDIENCE = 'tocsin:signin'
const SIGN_IN_SECONDS = 600
const SERVICE_SECONDS = 60
/** Clocks of two hosts may differ by this much. */
const TOLERANCE_SECONDS = 5
/** Ours are about 350 characters; a longer one is not parsed at all. */
const MAX_TOKEN_CHARS = 4096
const MAX_SUBJECT_CHARS = 255

/** What a valid token says. */
export interface VerifiedToken {
  readonly subject: string
  /** jti */
  readonly id: string
  readonly issuedAt: Date
  readonly expiresAt: Date
}
export interface VerifiedService {
  /** Name of the calling service. */
  readonly caller: string
  /** The person for whom it calls, if any. */
  readonly act: string | null
}

const unauthenticated = (cause?: unknown) =>
  new HttpProblem(
    401,
    'UNAUTHENTICATED',
    'The token is missing or not valid. Sign in again, or send a valid token in Authorization: Bearer.',
    {
      headers: { 'www-authenticate': 'Bearer' },
      cause,
    },
  )

/** `ttlSeconds` may be at most what the deployment allows; the caller decides. */
export const issueToken = (ring: KeyRing, options: { readonly subject: string; readonly ttlSeconds: number }): Promise<string> =>
  sign(ring, { subject: options.subject, ttlSeconds: options.ttlSeconds, audience: AUDIENCE, typ: 'at+jwt' })

/** Rejects with HttpProblem 401 (UNAUTHENTICATED) for anything but a valid, unexpired token of ours. */
export const verifyToken = (ring: KeyRing, token: string | undefined): Promise<VerifiedToken> =>
  verify(ring, token, { audience: AUDIENCE, typ: 'at+jwt' })

/** Address that signs its visitor in once within 10 minutes; never to be logged. The gateway remembers used ids. */
export async function issueSignInLink(ring: KeyRing, publicUrl: string, subject: string): Promise<string> {
  const code = await sign(ring, { subject, ttlSeconds: SIGN_IN_SECONDS, audience: SIGN_IN_AUDIENCE, typ: 'signin+jwt' })
  return `${publicUrl.replace(/\/+$/, '')}/auth/signin?code=${code}`
}

/** As verifyToken, for the code of a sign-in link. `id` must be accepted once only. */
export const verifySignInCode = (ring: KeyRing, code: string | undefined): Promise<VerifiedToken> =>
  verify(ring, code, { audience: SIGN_IN_AUDIENCE, typ: 'signin+jwt' })

/** A 60 s token by which `caller` calls the service `audience`; `act`: the person for whom it does. */
export function issueServiceToken(
  ring: KeyRing,
  options: { readonly caller: string; readonly audience: string; readonly act?: string },
): Promise<string> {
  const { active, keys } = ring.services
  return new SignJWT(options.act === undefined ? {} : { act: options.act })
    .setProtectedHeader({ alg: 'HS256', kid: active, typ: SERVICE_TYPE })
    .setIssuer(ISSUER)
    .setSubject(options.caller)
    .setAudience(options.audience)
    .setIssuedAt()
    .setExpirationTime(`${SERVICE_SECONDS}s`)
    .setJti(randomUUID())
    .sign(secretOf(keys[active]?.secret))
}

/** Rejects with HttpProblem 401 unless the token was issued by a service for `audience`, at most 60 s ago. */
export async function verifyServiceToken(ring: KeyRing, token: string | undefined, audience: string): Promise<VerifiedService> {
  const payload = await checked(token, (value) =>
    jwtVerify(value, ({ kid }) => secretOf(ownKey(ring.services.keys, kid).secret), {
      ...common,
      algorithms: ['HS256'],
      audience,
      typ: SERVICE_TYPE,
      maxTokenAge: SERVICE_SECONDS,
    }),
  )
  const act = payload['act']
  return { caller: payload.sub, act: typeof act === 'string' ? act : null }
}

/** Whether a bearer token claims to be a service's; verify it accordingly. False for whatever cannot be read. */
export function isServiceToken(token: string): boolean {
  try {
    return token.length <= MAX_TOKEN_CHARS && decodeProtectedHeader(token).typ === SERVICE_TYPE
  } catch {
    return false
  }
}

const common = {
  issuer: ISSUER,
  clockTolerance: TOLERANCE_SECONDS,
  requiredClaims: ['iss', 'aud', 'sub', 'iat', 'exp', 'jti'],
}

async function sign(
  ring: KeyRing,
  options: { readonly subject: string; readonly ttlSeconds: number; readonly audience: string; readonly typ: string },
): Promise<string> {
  const { active, keys } = ring.tokens
  const key = ownKey(keys, active)
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT()
    .setProtectedHeader({ alg: 'EdDSA', kid: active, typ: options.typ })
    .setIssuer(ISSUER)
    .setAudience(options.audience)
    .setSubject(options.subject)
    .setIssuedAt(now)
    .setExpirationTime(now + options.ttlSeconds)
    .setJti(randomUUID())
    .sign(await importJWK(key.privateJwk, 'EdDSA'))
}

async function verify(
  ring: KeyRing,
  token: string | undefined,
  expected: { readonly audience: string; readonly typ: string },
): Promise<VerifiedToken> {
  const payload = await checked(token, (value) =>
    jwtVerify(value, ({ kid }) => publicKey(ownKey(ring.tokens.keys, kid)), { ...common, ...expected, algorithms: ['EdDSA'] }),
  )
  if (payload.iat > Date.now() / 1000 + TOLERANCE_SECONDS) throw unauthenticated()
  return {
    subject: payload.sub,
    id: payload.jti,
    issuedAt: new Date(payload.iat * 1000),
    expiresAt: new Date(payload.exp * 1000),
  }
}

type Claims = JWTPayload & { readonly sub: string; readonly jti: string; readonly iat: number; readonly exp: number }

async function checked(token: string | undefined, parse: (token: string) => Promise<{ payload: JWTPayload }>): Promise<Claims> {
  if (token === undefined || token.length > MAX_TOKEN_CHARS) throw unauthenticated()
  const { payload } = await parse(token).catch((error: unknown) => {
    throw unauthenticated(error)
  })
  const { sub, jti, iat, exp } = payload
  if (typeof sub !== 'string' || sub === '' || sub.length > MAX_SUBJECT_CHARS) throw unauthenticated()
  if (typeof jti !== 'string' || typeof iat !== 'number' || typeof exp !== 'number') throw unauthenticated()
  return { ...payload, sub, jti, iat, exp }
}

/** An unknown or hostile key id (a path, `__proto__`) finds nothing. */
function ownKey<K>(keys: Readonly<Record<string, K>>, kid: string | undefined): K {
  const key = kid !== undefined && Object.hasOwn(keys, kid) ? keys[kid] : undefined
  if (key === undefined) throw new Error('unknown key id')
  return key
}

const secretOf = (secret: string | undefined): Uint8Array => {
  if (secret === undefined) throw new Error('unknown key id')
  return Buffer.from(secret, 'base64')
}

/** Importing costs more than verifying, and a ring has few keys. */
const imported = new WeakMap<TokenKey, Promise<Awaited<ReturnType<typeof importJWK>>>>()
function publicKey(key: TokenKey): Promise<Awaited<ReturnType<typeof importJWK>>> {
  const known = imported.get(key) ?? importJWK(key.publicJwk, 'EdDSA')
  imported.set(key, known)
  return known
}
