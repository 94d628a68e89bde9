import { admitted, isServiceToken, type KeyRing, verifyServiceToken, verifyToken } from '@tocsin/access'
import { HttpProblem } from '@tocsin/errors'
import { inOrganization, type Pool } from '@tocsin/postgres'
import type { FastifyRequest } from 'fastify'
import { readAccess, type SubjectAccess } from '../repositories/access.ts'

const SERVICE = 'persistence'
const SET_SUBJECT = `SELECT set_config('app.subject', $1, true)`

/** Who asks: a person (or program) with what it may do, or another service. */
export type Caller =
  | { readonly kind: 'subject'; readonly subject: string; readonly access: SubjectAccess }
  | { readonly kind: 'service'; readonly name: string }

const callers = new WeakMap<FastifyRequest, Caller>()

/** Reads the bearer token of every request before anything else is looked at, so that nobody learns anything without one. */
export function authenticator(ring: KeyRing, pool: Pool): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (token !== undefined && isServiceToken(token)) {
      const { caller } = await verifyServiceToken(ring, token, SERVICE)
      callers.set(request, { kind: 'service', name: caller })
      return
    }
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
    callers.set(request, { kind: 'subject', subject: verified.subject, access })
  }
}

export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request)
  if (caller === undefined) throw new Error('the route lies outside of authentication')
  return caller
}

/** The caller as a person or program with memberships; services may not do what only people do. */
export function subjectOf(request: FastifyRequest): Extract<Caller, { kind: 'subject' }> {
  const caller = callerOf(request)
  if (caller.kind === 'service') throw new HttpProblem(403, 'FORBIDDEN', 'A service token may not do this.')
  return caller
}
