import type { Alert } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import type { Query } from '@tocsin/postgres'
import { WHO_ACTED } from '../sql/history-sql.ts'

/** What people did to the alert; its figures, which grow by themselves, are no part of it. */
export const etagOf = ({ version }: Pick<Alert, 'version'>): string => `"${version}"`

const TAGS = /^\s*(?:W\/)?"[^"]*"(?:\s*,\s*(?:W\/)?"[^"]*")*\s*$/

/** Whether `If-Match` (RFC 9110 §13.1.1) holds for the alert; one that cannot be read is 400. Weak tags never match. */
export function holds(ifMatch: string, alert: Alert): boolean {
  if (ifMatch.trim() === '*') return true
  if (!TAGS.test(ifMatch))
    throw new HttpProblem(
      400,
      'INVALID_REQUEST',
      'If-Match is no list of entity tags. Send the ETag of an answer: If-Match: "3".',
    )
  return ifMatch.split(',').some((tag) => tag.trim() === etagOf(alert))
}

/** 412 that says who was first. */
export async function overtaken(query: Query, alert: Alert): Promise<HttpProblem> {
  const [last] = await query<{ actor: string; at: Date }>(WHO_ACTED, [alert.organizationId, alert.id, alert.version])
  const who = last === undefined ? 'Nobody has acted on it' : `${last.actor} was first, at ${last.at.toISOString()}`
  return new HttpProblem(412, 'OVERTAKEN', `${who}: the alert is ${alert.status}. Look at it again, then decide.`, {
    headers: { etag: etagOf(alert) },
    extra: {
      present: alert.status,
      version: alert.version,
      ...(last === undefined ? {} : { actor: last.actor, at: last.at.toISOString() }),
    },
  })
}
