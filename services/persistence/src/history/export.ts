import type { HistoryExportEnd, HistoryExportEntry, HistoryExportStart } from '@tocsin/contracts'
import { inOrganization, type Pool } from '@tocsin/postgres'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { openPayload } from '../repositories/history.ts'
import { type ChainedRow, chainedEntryOf, databaseClock, readCheckpoint } from '../repositories/history-chain.ts'
import { EXPORT_SEALED, EXPORT_UNSEALED } from '../sql/history-chain-sql.ts'

const PAGE_ENTRIES = 500

type Line = HistoryExportStart | HistoryExportEntry | HistoryExportEnd
interface SealedRow extends ChainedRow {
  readonly sequence: bigint
  readonly previous: string
  readonly hash: string
  readonly payload: Buffer | null
}
interface UnsealedRow extends ChainedRow {
  readonly position: bigint
  readonly payload: Buffer | null
}

/**
 * The whole chain as lines of NDJSON, a page of entries at a time: memory stays flat, and no transaction lasts as long as the reader.
 * The organization's key must be loaded.
 */
export async function* exportHistory(pool: Pool, cipher: FieldCipher, organizationId: string): AsyncGenerator<string> {
  const start = await inOrganization(pool, organizationId, async (query): Promise<HistoryExportStart> => {
    const [exportedAt, checkpoint] = [await databaseClock(query), await readCheckpoint(query, organizationId)]
    return { type: 'history', format: 1, organizationId, exportedAt, checkpoint }
  })
  yield lineOf(start)
  const page = <Row>(statement: string, after: bigint) =>
    inOrganization(pool, organizationId, (query) => query<Row>(statement, [organizationId, after, PAGE_ENTRIES]), 'snapshot')
  const open = (row: ChainedRow & { readonly payload: Buffer | null }) => openPayload(cipher, organizationId, row.id, row.payload)
  let entries = 0
  for (let after = 0n, full = true; full; ) {
    const rows = await page<SealedRow>(EXPORT_SEALED, after)
    for (const row of rows) {
      const { sequence, previous, hash } = row
      // The chain names what the database lacks.
      const found = row.id === null ? { entry: null, payload: null } : { entry: chainedEntryOf(row), payload: open(row) }
      yield lineOf({ type: 'entry', sequence: Number(sequence), previous, hash, ...found })
    }
    entries += rows.length
    after = rows.at(-1)?.sequence ?? after
    full = rows.length === PAGE_ENTRIES
  }
  for (let after = 0n, full = true; full; ) {
    const rows = await page<UnsealedRow>(EXPORT_UNSEALED, after)
    for (const row of rows)
      yield lineOf({
        type: 'entry',
        sequence: null,
        previous: null,
        hash: null,
        entry: chainedEntryOf(row),
        payload: open(row),
      })
    entries += rows.length
    after = rows.at(-1)?.position ?? after
    full = rows.length === PAGE_ENTRIES
  }
  yield lineOf({ type: 'end', entries })
}

const lineOf = (line: Line): string => `${JSON.stringify(line)}\n`
