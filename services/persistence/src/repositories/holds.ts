import { randomUUID } from 'node:crypto'
import type { Hold } from '@tocsin/contracts'
import type { Query } from '@tocsin/postgres'
import { subjectWordOf } from '../core/search-words.ts'
import type { FieldCipher, FieldPlace } from '../protection/field-cipher.ts'
import { ADD_HOLD, LIST_HOLDS, RELEASE_HOLD } from '../sql/retention-sql.ts'

interface HoldRow {
  readonly id: string
  readonly organization_id: string
  readonly content: Buffer
  readonly placed_at: Date
  readonly placed_by: string
  readonly released_at: Date | null
  readonly released_by: string | null
}
type Content = Pick<Hold, 'scope' | 'reason'>

const place = (organizationId: string, id: string): FieldPlace => ({
  organizationId,
  table: 'holds',
  column: 'content',
  rowId: id,
})

function holdOf(cipher: FieldCipher, row: HoldRow): Hold {
  const { scope, reason } = JSON.parse(cipher.open(place(row.organization_id, row.id), row.content)) as Content
  return {
    id: row.id,
    scope,
    reason,
    placedAt: row.placed_at.toISOString(),
    placedBy: row.placed_by,
    releasedAt: row.released_at?.toISOString() ?? null,
    releasedBy: row.released_by,
  }
}

/** Newest first, at most 1,000. The organization's key must be loaded, here and below. */
export const listHolds = async (query: Query, cipher: FieldCipher, organizationId: string): Promise<Hold[]> =>
  (await query<HoldRow>(LIST_HOLDS, [organizationId])).map((row) => holdOf(cipher, row))

export async function addHold(
  query: Query,
  cipher: FieldCipher,
  hold: Content & { readonly organizationId: string; readonly by: string; readonly at: string },
): Promise<Hold> {
  const { organizationId, scope, reason } = hold
  const id = randomUUID()
  const [row] = await query<HoldRow>(ADD_HOLD, [
    id,
    organizationId,
    cipher.seal(place(organizationId, id), JSON.stringify({ scope, reason } satisfies Content)),
    'alertIds' in scope ? scope.alertIds : [],
    'ruleId' in scope ? scope.ruleId : null,
    'subject' in scope ? subjectWordOf(organizationId, scope.subject) : null,
    'everything' in scope,
    hold.at,
    hold.by,
  ])
  if (row === undefined) throw new Error('a hold was not stored')
  return holdOf(cipher, row)
}

/** null: there is no such hold in force. */
export async function releaseHold(
  query: Query,
  cipher: FieldCipher,
  release: { readonly organizationId: string; readonly id: string; readonly by: string; readonly at: string },
): Promise<Hold | null> {
  const [row] = await query<HoldRow>(RELEASE_HOLD, [release.organizationId, release.id, release.at, release.by])
  return row === undefined ? null : holdOf(cipher, row)
}
