/** Sealed columns of rows that 0.1 may have left readable, and the column that names the row. */
export const SEALED_SINCE = {
  alerts: { id: 'id', columns: ['metadata', 'resolution_notes', 'resolution_metadata'] },
  alert_evidence: { id: 'alert_id', columns: ['evidence'] },
  history_payloads: { id: 'history_id', columns: ['payload'] },
} as const satisfies Record<string, { readonly id: string; readonly columns: readonly string[] }>
export type SealedTable = keyof typeof SEALED_SINCE

interface Resealing {
  /** $1 limit. Organizations of the next rows; of deleted ones nothing can be sealed. */
  readonly owners: string
  /** $1 organizations, $2 limit. Rows that nobody else holds, until the transaction ends. */
  readonly lock: string
  /** $1 id, then the columns in their order. */
  readonly set: string
}

const statementsOf = (table: SealedTable): Resealing => {
  const { id, columns } = SEALED_SINCE[table]
  return {
    owners: `
SELECT DISTINCT organization_id FROM (
  SELECT t.organization_id FROM ${table} t
   WHERE t.readable AND NOT EXISTS (SELECT FROM organizations o WHERE o.id = t.organization_id AND o.deleted_at IS NOT NULL)
   LIMIT $1) AS next`,
    lock: `
SELECT ${id} AS id, organization_id, ${columns.join(', ')} FROM ${table}
 WHERE readable AND organization_id = ANY ($1::uuid[]) LIMIT $2 FOR UPDATE SKIP LOCKED`,
    set: `UPDATE ${table} SET ${columns.map((column, at) => `${column} = $${at + 2}`).join(', ')} WHERE ${id} = $1`,
  }
}

/** Made once and of constants only. */
export const RESEAL: Readonly<Record<SealedTable, Resealing>> = {
  alerts: statementsOf('alerts'),
  alert_evidence: statementsOf('alert_evidence'),
  history_payloads: statementsOf('history_payloads'),
}
