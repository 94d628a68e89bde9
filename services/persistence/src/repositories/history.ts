import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { ActChannel } from '@tocsin/contracts'
import type { Query } from '@tocsin/postgres'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { ADD_HISTORY } from '../sql/history-sql.ts'

/** What an entry can be about. */
export type HistoryKind =
  | 'alert'
  | 'organization'
  | 'member'
  | 'key'
  | 'rule'
  | 'exception'
  | 'erasure'
  | 'hold'
  | 'retention'
  | 'sign-in'

/** One act. Written in the act's own transaction. */
export interface HistoryEntry {
  readonly organizationId: string
  /** RFC 3339. */
  readonly at: string
  /** Subject, or `system`. */
  readonly actor: string
  readonly channel: ActChannel
  /** What was done, for instance `alert.acknowledged`, `key.revoked`. */
  readonly action: string
  readonly about: { readonly kind: HistoryKind; readonly id: string; readonly version?: number }
  /** What must be erasable: texts, names, values before and after. */
  readonly details: Readonly<Record<string, unknown>>
}

const SALT_BYTES = 32

/** The organization's key must be loaded (`cipher.load`). A second entry for the same version of the same thing adds nothing. */
export async function addHistory(query: Query, cipher: FieldCipher, entry: HistoryEntry): Promise<void> {
  const id = randomUUID()
  const { organizationId, about } = entry
  const payload = JSON.stringify({ salt: randomBytes(SALT_BYTES).toString('hex'), details: entry.details })
  await query(ADD_HISTORY, [
    id,
    organizationId,
    entry.at,
    entry.actor,
    entry.channel,
    entry.action,
    about.kind,
    about.id,
    about.version ?? null,
    createHash('sha256').update(payload).digest(),
    cipher.seal({ organizationId, table: 'history_payloads', column: 'payload', rowId: id }, payload),
  ])
}
