/**
 * Seals what 0.1 left readable. A batch is one small transaction: it can be broken off at any point, and instances share the rows. Text, alert
 * and entry stay as they are, so nobody is told of it.
 */
import { type Pool, queryOf, transaction } from '@tocsin/postgres'
import { RESEAL, SEALED_SINCE, type SealedTable } from '../sql/resealing-sql.ts'
import type { FieldCipher } from './field-cipher.ts'

/** Rows in one transaction. */
const BATCH = 100
const TABLES = Object.keys(SEALED_SINCE) as SealedTable[]

export interface ResealingOptions {
  /** Of role tocsin_worker. */
  readonly pool: Pool
  readonly cipher: FieldCipher
  /** Rows in one transaction. */
  readonly batch?: number
}

/** One batch of each table. */
export async function resealReadable(options: ResealingOptions): Promise<'more' | 'done'> {
  let sealed = 0
  for (const table of TABLES) sealed += await resealIn(options, table)
  return sealed > 0 ? 'more' : 'done'
}

/** Resolves with the number of rows. */
async function resealIn({ pool, cipher, batch = BATCH }: ResealingOptions, table: SealedTable): Promise<number> {
  const owners = await queryOf(pool)<{ organization_id: string }>(RESEAL[table].owners, [batch])
  const destroyed = await cipher.loadLiving(owners.map((row) => row.organization_id))
  const living = owners.map((row) => row.organization_id).filter((id) => !destroyed.has(id))
  if (living.length === 0) return 0
  const { columns } = SEALED_SINCE[table]
  return transaction(pool, async (query) => {
    const rows = await query<Row>(RESEAL[table].lock, [living, batch])
    for (const row of rows) {
      const sealed = columns.map((column) => {
        const stored = row[column]
        if (stored === null || stored === undefined) return null
        const place = { organizationId: row.organization_id, table, column, rowId: row.id }
        return cipher.seal(place, cipher.open(place, stored))
      })
      await query(RESEAL[table].set, [row.id, ...sealed])
    }
    return rows.length
  })
}

type Column = (typeof SEALED_SINCE)[SealedTable]['columns'][number]
type Row = { readonly id: string; readonly organization_id: string } & Readonly<Partial<Record<Column, Buffer | null>>>
