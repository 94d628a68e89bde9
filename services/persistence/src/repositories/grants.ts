import type { Grant, InstallationPermission } from '@tocsin/contracts'
import type { Query } from '@tocsin/postgres'
import { ADD_GRANT, END_GRANTS, GRANTS_OF, LIST_GRANTS, LOCK_GRANTS } from '../sql/grant-sql.ts'

interface GrantRow {
  readonly id: string
  readonly subject: string
  readonly permission: InstallationPermission
  readonly reason: string
  readonly granted_by: string
  readonly granted_at: Date
  readonly ended_by: string | null
  readonly ended_at: Date | null
}

const grantOf = (row: GrantRow): Grant => ({
  id: row.id,
  subject: row.subject,
  permission: row.permission,
  reason: row.reason,
  grantedBy: row.granted_by,
  grantedAt: row.granted_at.toISOString(),
  endedBy: row.ended_by,
  endedAt: row.ended_at?.toISOString() ?? null,
})

/** Newest first, at most 1,000, also those that have ended. The transaction's subject must be an operator, here and in `setGrants`. */
export const listGrants = async (query: Query): Promise<Grant[]> => (await query<GrantRow>(LIST_GRANTS)).map(grantOf)

/** In force. The transaction's subject must be that subject or an operator. */
export const readGrants = async (query: Query, subject: string): Promise<Grant[]> =>
  (await query<GrantRow>(GRANTS_OF, [subject])).map(grantOf)

/** Resolves with what the subject has afterwards. */
export async function setGrants(
  query: Query,
  asked: {
    readonly subject: string
    readonly permissions: readonly InstallationPermission[]
    readonly reason: string
    readonly by: string
  },
): Promise<Grant[]> {
  const { subject, permissions, reason, by } = asked
  await query(LOCK_GRANTS, [subject])
  await query(END_GRANTS, [subject, permissions, by])
  for (const permission of permissions) await query(ADD_GRANT, [subject, permission, reason, by])
  return readGrants(query, subject)
}
