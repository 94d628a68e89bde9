import { HttpProblem } from '@tocsin/errors'
import type { FastifyRequest } from 'fastify'
import { unstorable } from '../core/storable.ts'

/** Refuses texts that PostgreSQL cannot keep, before a statement could fail on them. */
export async function refuseUnstorable(request: FastifyRequest): Promise<void> {
  const place = unstorable({ query: request.query, body: request.body ?? null })
  if (place !== null) throw new HttpProblem(400, 'INVALID_REQUEST', `${place} holds U+0000 or half of a surrogate pair.`)
}
