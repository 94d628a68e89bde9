import type { NotificationEntry } from '@tocsin/contracts'
import { inOrganization, type Pool } from '@tocsin/postgres'
import * as sql from './sql.ts'

type Row = Omit<NotificationEntry, 'at' | 'dueAt' | 'sentAt'> & {
  readonly at: Date
  readonly dueAt: Date | null
  readonly sentAt: Date | null
}

/** Who was told of an alert and why not, oldest first, at most 1,000; null where the organization has no such alert. */
export async function listEntries(pool: Pool, organizationId: string, alertId: string): Promise<NotificationEntry[] | null> {
  return inOrganization(
    pool,
    organizationId,
    async (query) => {
      const [alert] = await query(sql.FIND_ALERT, [alertId, organizationId])
      if (alert === undefined) return null
      const rows = await query<Row>(sql.LIST_ENTRIES, [alertId, organizationId])
      return rows.map((row) => ({
        ...row,
        at: row.at.toISOString(),
        dueAt: row.dueAt?.toISOString() ?? null,
        sentAt: row.sentAt?.toISOString() ?? null,
      }))
    },
    'snapshot',
  )
}
