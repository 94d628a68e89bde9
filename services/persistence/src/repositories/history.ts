import { randomBytes, randomUUID } from 'node:crypto'
import type { ActChannel, HistoryItem } from '@tocsin/contracts'
import { TocsinError } from '@tocsin/errors'
import { commitmentOf } from '@tocsin/history'
import type { Query } from '@tocsin/postgres'
import { administrativeEvent } from '../history/administrative-event.ts'
import type { FieldCipher, FieldPlace } from '../protection/field-cipher.ts'
import { ADD_HISTORY, ERASE_PAYLOADS, LIST_HISTORY } from '../sql/history-sql.ts'
import { PARTITION_OF } from '../sql/organization-sql.ts'
import { addToOutbox, eventRecord } from './outbox.ts'

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
  | 'history'
  /** Of the API, as `METHOD PATH`. */
  | 'operation'

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
  /** Where the request came from; absent: not known. */
  readonly ip?: string | undefined
  /** What must be erasable: texts, names, values before and after. */
  readonly details: Readonly<Record<string, unknown>>
}

const SALT_BYTES = 32

const payloadField = (organizationId: string, historyId: string): FieldPlace => ({
  organizationId,
  table: 'history_payloads',
  column: 'payload',
  rowId: historyId,
})

/**
 * The organization's key must be loaded (`cipher.load`). An administrative act is also put into the outbox as an audit event of the
 * organization. A second entry for the same version of the same thing adds nothing.
 */
export async function addHistory(query: Query, cipher: FieldCipher, entry: HistoryEntry): Promise<void> {
  const id = randomUUID()
  const { organizationId, about } = entry
  const payload = JSON.stringify({ salt: randomBytes(SALT_BYTES).toString('hex'), details: entry.details })
  const added = await query(ADD_HISTORY, [
    id,
    organizationId,
    entry.at,
    entry.actor,
    entry.channel,
    entry.action,
    about.kind,
    about.id,
    about.version ?? null,
    Buffer.from(commitmentOf(payload), 'hex'),
    cipher.seal(payloadField(organizationId, id), payload),
  ])
  const event = added.length === 0 ? null : administrativeEvent(id, entry)
  if (event === null) return
  const [place] = await query<{ partition: number }>(PARTITION_OF, [organizationId])
  // An organization that is being deleted has no rules that could see it.
  if (place !== undefined) await addToOutbox(query, [eventRecord(event, place.partition)])
}

/** The payload as it was committed to; null: erased. `''`: the stored bytes do not open, so nothing can prove what was there. */
export function openPayload(
  cipher: FieldCipher,
  organizationId: string,
  historyId: string,
  stored: Buffer | null,
): string | null {
  if (stored === null) return null
  try {
    return cipher.open(payloadField(organizationId, historyId), stored)
  } catch (error) {
    if (error instanceof TocsinError && error.code === 'TOCSIN_FIELD_UNREADABLE') return ''
    throw error
  }
}

/** Absent or null: no such filter. Times are RFC 3339. */
export interface HistoryFilter {
  readonly actor?: string | undefined
  readonly action?: string | undefined
  readonly aboutKind?: string | undefined
  readonly aboutId?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
}

interface HistoryRow {
  readonly position: bigint
  readonly id: string
  readonly at: Date
  readonly actor: string
  readonly channel: string
  readonly action: string
  readonly about_kind: string
  readonly about_id: string
  readonly version: number | null
  readonly sequence: bigint | null
  readonly hash: string | null
  readonly payload: Buffer | null
}

/** Newest first, each with its position for the next page. `sensitive`: details are opened; else they are masked. */
export async function listHistory(
  query: Query,
  cipher: FieldCipher,
  organizationId: string,
  { filter, before, limit, sensitive }: HistoryPageRequest,
): Promise<{ readonly position: bigint; readonly item: HistoryItem }[]> {
  const { actor, action, aboutKind, aboutId, from, to } = filter
  const values = [organizationId, actor, action, aboutKind, aboutId, from, to, before].map((value) => value ?? null)
  const rows = await query<HistoryRow>(LIST_HISTORY, [...values, limit])
  return rows.map((row) => ({
    position: row.position,
    item: {
      id: row.id,
      at: row.at.toISOString(),
      actor: row.actor,
      channel: row.channel,
      action: row.action,
      about: { kind: row.about_kind, id: row.about_id, version: row.version },
      ...detailsOf(openPayload(cipher, organizationId, row.id, row.payload), sensitive),
      sealed: row.sequence !== null,
      sequence: row.sequence === null ? null : Number(row.sequence),
      hash: row.hash,
    },
  }))
}
export interface HistoryPageRequest {
  readonly filter: HistoryFilter
  /** Position of the last entry of the page before. */
  readonly before: string | null
  readonly limit: number
  readonly sensitive: boolean
}

function detailsOf(payload: string | null, sensitive: boolean): Pick<HistoryItem, 'details' | 'detailsState'> {
  if (payload === null) return { details: null, detailsState: 'erased' }
  if (!sensitive) return { details: null, detailsState: 'masked' }
  if (payload === '') return { details: null, detailsState: 'unreadable' }
  return { details: (JSON.parse(payload) as { details: Record<string, unknown> }).details, detailsState: 'open' }
}

/**
 * Takes salt and details of entries away for good; the chain holds without them, and `tocsin verify` says how many are erased. As
 * tocsin_worker. Resolves with the number of those that were there.
 */
export const erasePayloads = async (query: Query, organizationId: string, historyIds: readonly string[]): Promise<number> =>
  (await query(ERASE_PAYLOADS, [organizationId, historyIds])).length
