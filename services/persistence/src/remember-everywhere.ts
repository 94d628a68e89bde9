import { inOrganization, type Pool } from '@tocsin/postgres'
import type { FieldCipher } from './protection/field-cipher.ts'
import { addHistory, type HistoryEntry } from './repositories/history.ts'

/** One entry in each organization that a person belongs to: all of them are concerned. */
export async function rememberEverywhere(
  { pool, cipher }: { readonly pool: Pool; readonly cipher: FieldCipher },
  memberships: readonly { readonly organizationId: string }[],
  entry: Omit<HistoryEntry, 'organizationId' | 'at'>,
): Promise<void> {
  const organizationIds = memberships.map(({ organizationId }) => organizationId)
  await cipher.load(organizationIds)
  const at = new Date().toISOString()
  for (const organizationId of organizationIds)
    await inOrganization(pool, organizationId, (query) => addHistory(query, cipher, { ...entry, organizationId, at }))
}
