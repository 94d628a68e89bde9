import { randomUUID } from 'node:crypto'
import { ALL_TOPICS, type Erasure } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import type { Query } from '@tocsin/postgres'
import { type Pseudonyms, pseudonymisedText, pseudonymOf } from '../core/pseudonyms.ts'
import { subjectWordOf } from '../core/search-words.ts'
import type { FieldCipher, FieldPlace } from '../protection/field-cipher.ts'
import { ADD_ERASURE, ERASED_IN, GET_ERASURE, HOLD_ON_SUBJECT, LIST_ERASURES } from '../sql/erasure-sql.ts'

/**
 * Kafka's default for `segment.ms`: a record may lie in one segment with others that are so much younger, and the segment is deleted as a whole
 * (https://kafka.apache.org/documentation/#topicconfigs_segment.ms).
 */
const SEGMENT_MS = 7 * 86_400_000

interface ErasureRow {
  readonly id: string
  readonly organization_id: string
  readonly digest: Buffer
  readonly reason: Buffer
  readonly state: Erasure['state']
  readonly touched: number
  readonly held: number
  readonly requested_at: Date
  readonly requested_by: string
  readonly finished_at: Date | null
}

export const erasureField = (organizationId: string, id: string, column: 'reason' | 'subject'): FieldPlace => ({
  organizationId,
  table: 'erasures',
  column,
  rowId: id,
})

/** By which a person is known once erased. The organization's key must be loaded, here and below. */
const digester = (cipher: FieldCipher, organizationId: string): ((person: string) => Buffer) =>
  cipher.digester(organizationId, 'erasures')

/** Topics that keep records for ever are compacted, or hold heads: no person is in them. */
const lastCopies = (from: Date): Record<string, string> =>
  Object.fromEntries(
    ALL_TOPICS.flatMap(({ name, config }) => {
      const keptMs = Number(config['retention.ms'] ?? -1)
      return keptMs < 0 ? [] : [[name, new Date(from.getTime() + keptMs + SEGMENT_MS).toISOString()]]
    }),
  )

const erasureOf = (cipher: FieldCipher, row: ErasureRow): Erasure => ({
  id: row.id,
  state: row.state,
  pseudonym: pseudonymOf(row.digest),
  reason: cipher.open(erasureField(row.organization_id, row.id, 'reason'), row.reason),
  touched: row.touched,
  held: row.held,
  requestedAt: row.requested_at.toISOString(),
  requestedBy: row.requested_by,
  finishedAt: row.finished_at?.toISOString() ?? null,
  lastCopyExpires: lastCopies(row.requested_at),
})

/** Newest first, at most 1,000. */
export const listErasures = async (query: Query, cipher: FieldCipher, organizationId: string): Promise<Erasure[]> =>
  (await query<ErasureRow>(LIST_ERASURES, [organizationId])).map((row) => erasureOf(cipher, row))

export async function getErasure(query: Query, cipher: FieldCipher, organizationId: string, id: string): Promise<Erasure | null> {
  const [row] = await query<ErasureRow>(GET_ERASURE, [organizationId, id])
  return row === undefined ? null : erasureOf(cipher, row)
}

/** From its commit on the applier lets nothing of the person in. Throws HttpProblem 409 that names the legal hold on the person. */
export async function addErasure(
  query: Query,
  cipher: FieldCipher,
  asked: {
    readonly organizationId: string
    readonly subject: string
    readonly reason: string
    readonly by: string
    readonly at: string
  },
): Promise<Erasure> {
  const { organizationId, subject, by, at } = asked
  const [hold] = await query<{ id: string }>(HOLD_ON_SUBJECT, [organizationId, subjectWordOf(organizationId, subject)])
  if (hold !== undefined)
    throw new HttpProblem(
      409,
      'LEGAL_HOLD',
      `Legal hold ${hold.id} covers this person. Release it first, or leave the person in.`,
      {
        extra: { holdId: hold.id },
      },
    )
  const id = randomUUID()
  const digest = digester(cipher, organizationId)(subject)
  const reason = pseudonymisedText(asked.reason, new Map([[subject, pseudonymOf(digest)]]))
  const sealed = (column: 'reason' | 'subject', text: string) => cipher.seal(erasureField(organizationId, id, column), text)
  const values = [id, organizationId, digest, sealed('reason', reason), sealed('subject', subject), at, by]
  const [row] = await query<ErasureRow>(ADD_ERASURE, values)
  if (row === undefined) throw new Error('an erasure was not stored')
  return erasureOf(cipher, row)
}

/** Of each organization in which somebody was erased: who of `candidates` that is, with the pseudonym of each. */
export type ErasedPersons = ReadonlyMap<string, (candidates: Iterable<string>) => Pseudonyms>

/** One question for a batch, and an empty answer for nearly all. */
export async function readErased(query: Query, cipher: FieldCipher, organizationIds: readonly string[]): Promise<ErasedPersons> {
  const rows = await query<{ organization_id: string; digest: Buffer }>(ERASED_IN, [organizationIds])
  const byOrganization = Map.groupBy(rows, (row) => row.organization_id)
  return new Map(
    [...byOrganization].map(([organizationId, erased]) => {
      const digests = new Set(erased.map(({ digest }) => digest.toString('hex')))
      const digestOf = digester(cipher, organizationId)
      const find = (candidates: Iterable<string>): Pseudonyms => {
        const found = new Map<string, string>()
        for (const candidate of candidates) {
          const digest = digestOf(candidate)
          if (digests.has(digest.toString('hex'))) found.set(candidate, pseudonymOf(digest))
        }
        return found
      }
      return [organizationId, find]
    }),
  )
}
