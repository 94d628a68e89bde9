import { type Access, NO_ACCESS } from '@tocsin/access'
import type { AccessRecord, Me, Role } from '@tocsin/contracts'
import { inOrganization, type Pool, type Query, type TransactionMode } from '@tocsin/postgres'
import { REMOVE_MEMBER, SET_SUBJECT } from '../sql/member-sql.ts'
import { GET_ACCESS, TOUCH_SUBJECT } from '../sql/organization-sql.ts'
import { accessRecord, accessTombstone, addToOutbox } from './outbox.ts'

interface AccessRow {
  readonly operator: boolean
  readonly not_before: Date | null
  readonly version: number
  readonly organization_id: string | null
  readonly role: Role | null
  readonly slug: string | null
  readonly name: string | null
}

/** What a subject may do, with the names of its organizations. */
export interface SubjectAccess extends Access {
  /** 0: the subject is unknown. */
  readonly version: number
  readonly organizations: Me['organizations']
}

/** For tocsin_api, `app.subject` must be set in the transaction. */
export async function readAccess(query: Query, subject: string): Promise<SubjectAccess> {
  const rows = await query<AccessRow>(GET_ACCESS, [subject])
  const [first] = rows
  if (first === undefined) return { ...NO_ACCESS, version: 0, organizations: [] }
  const memberships: AccessRecord['memberships'] = []
  const organizations: Me['organizations'] = []
  for (const { organization_id: organizationId, role, slug, name } of rows) {
    if (organizationId === null || role === null) continue
    memberships.push({ organizationId, role })
    organizations.push({ organizationId, role, slug: slug ?? '', name: name ?? '' })
  }
  const { operator, version, not_before } = first
  return { operator, version, notBefore: not_before?.toISOString() ?? null, memberships, organizations }
}

/** A transaction in which row-level security knows who asks; no row of any organization is seen but by that. `pool`: of tocsin_api. */
export const asSubject = <T>(
  pool: Pool,
  subject: string,
  work: (query: Query) => Promise<T>,
  mode: TransactionMode = 'write',
): Promise<T> => inOrganization(pool, null, work, mode, { 'app.subject': subject })

/** In a transaction of its own. `pool`: of tocsin_api. */
export const findAccess = (pool: Pool, subject: string): Promise<SubjectAccess> =>
  asSubject(pool, subject, (query) => readAccess(query, subject), 'snapshot')

/** The subject's record for topic `access`. */
export async function readAccessRecord(query: Query, subject: string): Promise<AccessRecord> {
  const { version, operator, memberships, notBefore } = await readAccess(query, subject)
  return { subject, version, operator, memberships, notBefore }
}

/**
 * Changes what a subject may do: its version rises first, so that two changes at once come one after the other, and topic `access`
 * is told in the same transaction. `organizationId`: in which it was changed. Afterwards the transaction's subject is `subject`.
 */
export async function changeAccess(
  query: Query,
  subject: string,
  organizationId: string | null,
  change: () => Promise<unknown>,
): Promise<void> {
  await query(SET_SUBJECT, [subject])
  await query(TOUCH_SUBJECT, [subject])
  await change()
  await addToOutbox(query, [accessRecord(await readAccessRecord(query, subject), organizationId)])
}

/** As `changeAccess`, where an organization ends: a subject of whom nothing is left is a tombstone. */
export async function endMembership(query: Query, subject: string, organizationId: string): Promise<void> {
  await query(SET_SUBJECT, [subject])
  await query(TOUCH_SUBJECT, [subject])
  await query(REMOVE_MEMBER, [organizationId, subject])
  const access = await readAccessRecord(query, subject)
  const isNothing = access.memberships.length === 0 && !access.operator
  await addToOutbox(query, [isNothing ? accessTombstone(subject, organizationId) : accessRecord(access, organizationId)])
}
