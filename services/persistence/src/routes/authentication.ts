import {
  type AuthorizationRequest,
  actorOfKey,
  admitted,
  hashKey,
  isKey,
  isServiceToken,
  type KeyRing,
  permit,
  SCOPE_PERMISSIONS,
  type Standing,
  standingIn,
  standingsOf,
  verifyServiceToken,
  verifyToken,
} from '@tocsin/access'
import type { KeyScope } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type FailedAttempts, tooManyRequests } from '@tocsin/http'
import type { Pool } from '@tocsin/postgres'
import type { KeyUse, TokenBuckets } from '@tocsin/redis'
import type { FastifyRequest } from 'fastify'
import { findAccess, type SubjectAccess } from '../repositories/access.ts'
import { findKey } from '../repositories/api-keys.ts'

const SERVICE = 'persistence'

/** Who asks: a person (or program) with what it may do, an API key of one organization, or another service. */
export type Caller =
  | { readonly kind: 'subject'; readonly subject: string; readonly access: SubjectAccess }
  | { readonly kind: 'key'; readonly id: string; readonly organizationId: string; readonly scopes: readonly KeyScope[] }
  | { readonly kind: 'service'; readonly name: string }

const callers = new WeakMap<FastifyRequest, Caller>()
/** Keys that were right before are looked up also from an address from which wrong ones come (docs/decisions/0001). */
const MAX_REMEMBERED_KEYS = 10_000
/** Organizations that requests were let into. */
const entered = new WeakMap<FastifyRequest, string>()
/** Members, and keys, that may not do what they asked for. */
const refused = new WeakMap<FastifyRequest, Pick<Authorized, 'organizationId' | 'actor'>>()

export interface Authentication {
  readonly ring: KeyRing
  readonly pool: Pool
  /** Wrong keys and tokens by address. */
  readonly failures: FailedAttempts
  /** Requests by subject or key. */
  readonly requests: TokenBuckets
  readonly keyUse: Pick<KeyUse, 'note'>
}

/** Reads the bearer value of every request before anything else is looked at, so that nobody learns anything without one. */
export function authenticator(by: Authentication): (request: FastifyRequest) => Promise<void> {
  const findKey = rememberingKeys(by)
  return async (request) => {
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    const caller =
      bearer !== undefined && isKey(bearer)
        ? await findKey(bearer, request.ip)
        : await tokenHolder(by, bearer).catch((error: unknown) => {
            throw bearer === undefined ? error : counted(by.failures, request.ip, error)
          })
    callers.set(request, caller)
    if (caller.kind === 'service') return
    if (caller.kind === 'key') by.keyUse.note(caller.id)
    const waitMs = await by.requests.take(actorOf(caller), 1)
    if (waitMs > 0) throw tooManyRequests('RATE_LIMITED', 'More requests than one caller may make. Slow down.', waitMs)
  }
}

/** An unknown key costs a question to the database, so past the limit it is not asked for. */
function rememberingKeys({ pool, failures }: Authentication): (key: string, address: string) => Promise<Caller> {
  const remembered = new Set<string>()
  return async (key, address) => {
    const hash = hashKey(key)
    const known = remembered.has(hash)
    if (!known) {
      const waitMs = failures.waitMs(address)
      if (waitMs > 0) throw tooManyFailures(waitMs)
      failures.failed(address)
    }
    const found = await findKey(pool, hash)
    if (found === null) {
      remembered.delete(hash)
      throw new HttpProblem(401, 'UNAUTHENTICATED', 'The API key is not known. It may have been revoked or replaced.', {
        headers: { 'www-authenticate': 'Bearer' },
      })
    }
    if (!known) failures.forgive(address)
    if (remembered.size >= MAX_REMEMBERED_KEYS) remembered.clear()
    remembered.add(hash)
    return { kind: 'key', ...found }
  }
}

/** The problem of a wrong token, or that there were too many of them. */
function counted(failures: FailedAttempts, address: string, error: unknown): unknown {
  if (!(error instanceof HttpProblem) || error.status !== 401) return error
  const waitMs = failures.waitMs(address)
  failures.failed(address)
  return waitMs > 0 ? tooManyFailures(waitMs) : error
}

const tooManyFailures = (waitMs: number) =>
  tooManyRequests('TOO_MANY_FAILED_KEYS', 'Too many wrong keys or tokens from this address.', waitMs)

async function tokenHolder({ ring, pool }: Authentication, token: string | undefined): Promise<Caller> {
  if (token !== undefined && isServiceToken(token))
    return { kind: 'service', name: (await verifyServiceToken(ring, token, SERVICE)).caller }
  const verified = await verifyToken(ring, token)
  const access = await findAccess(pool, verified.subject)
  admitted(access, verified)
  return { kind: 'subject', subject: verified.subject, access }
}

const actorOf = (caller: Exclude<Caller, { kind: 'service' }>): string =>
  caller.kind === 'subject' ? caller.subject : actorOfKey(caller.id)

export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request)
  if (caller === undefined) throw new Error('the route lies outside of authentication')
  return caller
}

/** The caller as a person or program with memberships; keys and services may not do what only people do. */
export function subjectOf(request: FastifyRequest): Extract<Caller, { kind: 'subject' }> {
  const caller = callerOf(request)
  if (caller.kind === 'subject') return caller
  throw new HttpProblem(
    403,
    'FORBIDDEN',
    caller.kind === 'key' ? 'An API key may not do this.' : 'A service token may not do this.',
  )
}

/** The subject, where it is an operator of the installation. */
export function operatorOf(request: FastifyRequest): string {
  const { subject, access } = subjectOf(request)
  if (!access.operator) throw new HttpProblem(403, 'FORBIDDEN', 'Only an operator of the installation may do this.')
  return subject
}

/** Where the caller may act, and under which name the history knows it. */
export interface Authorized extends Standing {
  /** The subject, or `key:ID`. */
  readonly actor: string
}

/**
 * The one check of every route that is about an organization, for people and keys. Throws HttpProblem: 400 ORGANIZATION_REQUIRED,
 * 404 NOT_FOUND for another organization, 403 FORBIDDEN for what neither role nor scope allows, and for services.
 */
export function authorizeCaller(request: FastifyRequest, asked: AuthorizationRequest): Authorized {
  const caller = callerOf(request)
  if (caller.kind === 'service') throw new HttpProblem(403, 'FORBIDDEN', 'A service token may not do this.')
  const standing = standingIn(standingsAs(caller), asked)
  const { organizationId } = standing
  const actor = actorOf(caller)
  if (!standing.permissions.has(asked.permission)) refused.set(request, { organizationId, actor })
  permit(standing, asked.permission)
  entered.set(request, organizationId)
  return { ...standing, actor }
}

function standingsAs(caller: Exclude<Caller, { kind: 'service' }>): Standing[] {
  if (caller.kind === 'subject') return standingsOf(caller.access)
  const permissions = new Set(caller.scopes.flatMap((scope) => SCOPE_PERMISSIONS[scope]))
  return [{ organizationId: caller.organizationId, as: 'this key', permissions }]
}

/** The organization that the request was let into by authorizeCaller; undefined: none. */
export const organizationOf = (request: FastifyRequest): string | undefined => entered.get(request)

/** Who was refused by authorizeCaller, and in which organization; undefined: nobody. */
export const refusedOf = (request: FastifyRequest): Pick<Authorized, 'organizationId' | 'actor'> | undefined =>
  refused.get(request)
