/**
 * Writes of requests: one transaction in one organization, and with `Idempotency-Key` one effect.
 *
 * 1. Key, fingerprint of the request and answer are stored in the transaction of the effect: neither is there without the other.
 * 2. Of two at once with the same key the second waits for the first, and then gets its answer.
 * 3. A request that was refused stores nothing: it may be sent again with its key.
 */
import { createHash } from 'node:crypto'
import { HttpProblem } from '@tocsin/errors'
import { inOrganization, type Pool, type Query } from '@tocsin/postgres'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { CLAIM_KEY, GET_ANSWER, SET_ANSWER } from '../sql/idempotency-sql.ts'

export const IDEMPOTENCY_KEY = 'idempotency-key'
export const REPLAYED = 'idempotent-replayed'

export interface WriteContext {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly organizationId: string
  /** As `authorizeCaller` names the caller. */
  readonly actor: string
  /** Tells apart the transactions of a request that needs several. */
  readonly step?: string
}

/**
 * Runs `work`, whose result must be JSON and hold no secret; the key of the organization is loaded. Where the request was answered
 * before (24 h), that answer comes again and `work` does not run. Throws HttpProblem 422 for the key of another request.
 */
export async function write<T>(context: WriteContext, work: (query: Query) => Promise<T>): Promise<T> {
  const { pool, cipher, request, organizationId } = context
  await cipher.load([organizationId])
  const given = request.headers[IDEMPOTENCY_KEY]
  const key = Array.isArray(given) ? given[0] : given
  if (key === undefined) return inOrganization(pool, organizationId, work)
  return inOrganization(pool, organizationId, (query) => once(query, context, [key, context.step ?? ''].join('/'), work))
}

async function once<T>(query: Query, context: WriteContext, key: string, work: (query: Query) => Promise<T>): Promise<T> {
  const { cipher, request, reply, organizationId, actor } = context
  const name = [organizationId, actor, key]
  const place = { organizationId, table: 'idempotency_keys', column: 'answer', rowId: JSON.stringify([actor, key]) }
  const claimed = await query(CLAIM_KEY, [...name, fingerprintOf(request)]) // (2)
  if (claimed.length > 0) {
    const answer = await work(query)
    await query(SET_ANSWER, [...name, cipher.seal(place, JSON.stringify(answer))]) // (1)
    return answer
  }
  const [known] = await query<{ fingerprint: Buffer; answer: Buffer }>(GET_ANSWER, name)
  if (known === undefined) throw new Error('an idempotency key was neither free nor taken')
  if (!known.fingerprint.equals(fingerprintOf(request)))
    throw new HttpProblem(422, 'IDEMPOTENCY_KEY_REUSED', 'The Idempotency-Key was used for another request. Take a new one.')
  reply.header(REPLAYED, 'true')
  return JSON.parse(cipher.open(place, known.answer)) as T
}

const fingerprintOf = ({ method, url, body }: FastifyRequest): Buffer =>
  createHash('sha256')
    .update(JSON.stringify([method, url, body ?? null]))
    .digest()

/** A key on a write that cannot honour it is refused: it would promise what does not hold. */
export async function refuseUnkeyed(request: FastifyRequest): Promise<void> {
  if (request.headers[IDEMPOTENCY_KEY] === undefined || request.method === 'GET') return
  const { headers } = (request.routeOptions.schema ?? {}) as { headers?: { properties?: object } }
  if (headers?.properties !== undefined && IDEMPOTENCY_KEY in headers.properties) return
  throw new HttpProblem(400, 'IDEMPOTENCY_UNSUPPORTED', 'This operation takes no Idempotency-Key. Send it without.')
}
