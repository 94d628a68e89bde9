import {
  type AuthorizationRequest,
  admitted,
  authorizeIn,
  hashKey,
  isKey,
  isServiceToken,
  type KeyRing,
  SCOPE_PERMISSIONS,
  type Standing,
  standingsOf,
  verifyServiceToken,
  verifyToken,
} from '@tocsin/access'
import type { KeyScope } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { inOrganization, type Pool } from '@tocsin/postgres'
import type { FastifyRequest } from 'fastify'
import { readAccess, type SubjectAccess } from '../repositories/access.ts'
import { findKey } from '../repositories/api-keys.ts'

const SERVICE = 'persistence'
const SET_SUBJECT = `SELECT set_config('app.subject', $1, true)`

/** Who asks: a person (or program) with what it may do, an API key of one organization, or another service. */
export type Caller =
  | { readonly kind: 'subject'; readonly subject: string; readonly access: SubjectAccess }
  | { readonly kind: 'key'; readonly id: string; readonly organizationId: string; readonly scopes: readonly KeyScope[] }
  | { readonly kind: 'service'; readonly name: string }

const callers = new WeakMap<FastifyRequest, Caller>()

/** Reads the bearer token of every request before anything else is looked at, so that nobody learns anything without one. */
export function authenticator(ring: KeyRing, pool: Pool): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (bearer !== undefined && isServiceToken(bearer)) callers.set(request, await serviceOf(ring, bearer))
    else if (bearer !== undefined && isKey(bearer)) callers.set(request, await keyOf(pool, bearer))
    else callers.set(request, await personOf(ring, pool, bearer))
  }
}

async function serviceOf(ring: KeyRing, token: string): Promise<Caller> {
  const { caller } = await verifyServiceToken(ring, token, SERVICE)
  return { kind: 'service', name: caller }
}

async function keyOf(pool: Pool, key: string): Promise<Caller> {
  const found = await findKey(pool, hashKey(key))
  if (found === null)
    throw new HttpProblem(401, 'UNAUTHENTICATED', 'The API key is not known. It may have been revoked or replaced.', {
      headers: { 'www-authenticate': 'Bearer' },
    })
  return { kind: 'key', ...found }
}

async function personOf(ring: KeyRing, pool: Pool, token: string | undefined): Promise<Caller> {
  const verified = await verifyToken(ring, token)
  const access = await inOrganization(
    pool,
    null,
    async (query) => {
      await query(SET_SUBJECT, [verified.subject])
      return readAccess(query, verified.subject)
    },
    'snapshot',
  )
  admitted(access, verified)
  return { kind: 'subject', subject: verified.subject, access }
}

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
  if (caller.kind === 'subject') return { ...authorizeIn(standingsOf(caller.access), asked), actor: caller.subject }
  const permissions = new Set(caller.scopes.flatMap((scope) => SCOPE_PERMISSIONS[scope]))
  const standing = { organizationId: caller.organizationId, as: 'this key', permissions }
  return { ...authorizeIn([standing], asked), actor: `key:${caller.id}` }
}
