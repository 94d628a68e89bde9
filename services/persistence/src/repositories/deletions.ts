import type { OrganizationDeletion } from '@tocsin/contracts'
import type { Query } from '@tocsin/postgres'
import { GET_DELETION, LIST_DELETIONS } from '../sql/deletion-sql.ts'

interface DeletionRow {
  readonly organization_id: string
  readonly slug: string
  readonly reason: string
  readonly deleted_by: string
  readonly channel: OrganizationDeletion['channel']
  readonly deleted_at: Date
  readonly removed: bigint
  readonly finished_at: Date | null
  readonly last_sequence: bigint | null
  readonly last_hash: string | null
}

const deletionOf = (row: DeletionRow): OrganizationDeletion => ({
  organizationId: row.organization_id,
  slug: row.slug,
  reason: row.reason,
  deletedBy: row.deleted_by,
  channel: row.channel,
  deletedAt: row.deleted_at.toISOString(),
  removed: Number(row.removed),
  finishedAt: row.finished_at?.toISOString() ?? null,
  lastHead:
    row.last_sequence === null || row.last_hash === null ? null : { sequence: Number(row.last_sequence), hash: row.last_hash },
})

/** Newest first, at most 1,000. The transaction's subject must be an operator, here and below. */
export const listDeletions = async (query: Query): Promise<OrganizationDeletion[]> =>
  (await query<DeletionRow>(LIST_DELETIONS)).map(deletionOf)

export async function readDeletion(query: Query, organizationId: string): Promise<OrganizationDeletion> {
  const [row] = await query<DeletionRow>(GET_DELETION, [organizationId])
  if (row === undefined) throw new Error(`the deletion of ${organizationId} was not stored`)
  return deletionOf(row)
}
