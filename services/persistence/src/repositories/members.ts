import type { Member } from '@tocsin/contracts'
import type { Query } from '@tocsin/postgres'
import type { Membership } from '../core/membership.ts'
import { GET_MEMBER, LIST_MEMBERS } from '../sql/member-sql.ts'

export const listMembers = (query: Query, organizationId: string): Promise<Member[]> =>
  query<Member>(LIST_MEMBERS, [organizationId])

export async function readMembership(query: Query, organizationId: string, subject: string): Promise<Membership> {
  const [row] = await query<{ role: Membership['role']; other_admins: number }>(GET_MEMBER, [organizationId, subject])
  return { role: row?.role ?? null, otherAdmins: row?.other_admins ?? 0 }
}
