import { HttpProblem } from '@tocsin/errors'
import type { Query } from '@tocsin/postgres'
import { IS_MEMBER } from '../sql/organization-sql.ts'

/** Throws HttpProblem 422 unless the assignee is a member, or nobody. */
export async function refuseStranger(query: Query, organizationId: string, assignee: string | null): Promise<void> {
  if (assignee === null || (await query(IS_MEMBER, [organizationId, assignee])).length > 0) return
  throw new HttpProblem(422, 'UNKNOWN_ASSIGNEE', 'The assignee is no member of the organization. Name a member, or null.')
}
