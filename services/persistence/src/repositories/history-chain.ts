import type { HistoryCheckpoint, HistoryHead } from '@tocsin/contracts'
import { type ChainedEntry, GENESIS, hashOf, type SignedPlace } from '@tocsin/history'
import type { Query } from '@tocsin/postgres'
import {
  ADD_CHECKPOINT,
  ADD_HEAD,
  ADD_SEALS,
  CHAIN_END,
  CLOCK,
  LAST_CHECKPOINT,
  LIST_HEADS,
  NEXT_UNSEALED,
} from '../sql/history-chain-sql.ts'

/** An entry as a statement returns it. */
export interface ChainedRow {
  readonly id: string
  readonly at: string
  readonly actor: string
  readonly channel: string
  readonly action: string
  readonly about_kind: string
  readonly about_id: string
  readonly version: number | null
  readonly commitment: string
}
interface PlaceRow {
  readonly organization_id: string
  readonly sequence: bigint
  readonly hash: string
  readonly at: Date
  readonly key_id: string
  readonly signature: string
}

export const chainedEntryOf = (row: ChainedRow): ChainedEntry => ({
  id: row.id,
  at: row.at,
  actor: row.actor,
  channel: row.channel,
  action: row.action,
  aboutKind: row.about_kind,
  aboutId: row.about_id,
  version: row.version,
  commitment: row.commitment,
})

/** Sequence 0 and the hash before the first entry: nothing is sealed yet. */
export async function readChainEnd(query: Query, organizationId: string): Promise<{ sequence: number; hash: string }> {
  const [end] = await query<{ sequence: bigint; hash: string }>(CHAIN_END, [organizationId])
  return end === undefined ? { sequence: 0, hash: GENESIS } : { sequence: Number(end.sequence), hash: end.hash }
}

/** Chains at most `limit` entries that wait; resolves with their number. The chain's lock must be held. */
export async function sealNext(query: Query, organizationId: string, limit: number): Promise<number> {
  const waiting = await query<ChainedRow>(NEXT_UNSEALED, [organizationId, limit])
  if (waiting.length === 0) return 0
  const end = await readChainEnd(query, organizationId)
  const seals: { id: string; sequence: number; previous: string; hash: string }[] = []
  for (const row of waiting) {
    const last = seals.at(-1) ?? end
    const place = { organizationId, sequence: last.sequence + 1, previous: last.hash }
    seals.push({ id: row.id, ...place, hash: hashOf(place, chainedEntryOf(row)) })
  }
  await query(ADD_SEALS, [
    organizationId,
    seals.map((seal) => seal.sequence),
    seals.map((seal) => seal.id),
    seals.map((seal) => seal.previous),
    seals.map((seal) => seal.hash),
  ])
  return seals.length
}

/** Now by PostgreSQL's clock, RFC 3339. */
export async function databaseClock(query: Query): Promise<string> {
  const [row] = await query<{ now: Date }>(CLOCK)
  if (row === undefined) throw new Error('PostgreSQL told no time')
  return row.now.toISOString()
}

const placeValues = (place: SignedPlace) => [
  place.organizationId,
  place.sequence,
  place.hash,
  place.at,
  place.keyId,
  place.signature,
]
const placeOf = (row: PlaceRow) => ({
  organizationId: row.organization_id,
  sequence: Number(row.sequence),
  hash: row.hash,
  at: row.at.toISOString(),
  keyId: row.key_id,
  signature: row.signature,
})

/** False: this head was signed before. */
export const addHead = async (query: Query, head: HistoryHead): Promise<boolean> =>
  (await query(ADD_HEAD, placeValues(head))).length > 0

/** Newest first; `before`: only sequences below it. */
export const listHeads = async (
  query: Query,
  organizationId: string,
  before: string | null,
  limit: number,
): Promise<HistoryHead[]> =>
  (await query<PlaceRow>(LIST_HEADS, [organizationId, before, limit])).map((row) => ({ purpose: 'head', ...placeOf(row) }))

export async function addCheckpoint(query: Query, checkpoint: HistoryCheckpoint): Promise<void> {
  await query(ADD_CHECKPOINT, placeValues(checkpoint))
}

/** null: nothing was ever cut. */
export async function readCheckpoint(query: Query, organizationId: string): Promise<HistoryCheckpoint | null> {
  const [row] = await query<PlaceRow>(LAST_CHECKPOINT, [organizationId])
  return row === undefined ? null : { purpose: 'checkpoint', ...placeOf(row) }
}
