/**
 * Takes a person out of the alerts of an organization, and out of what the history says of them.
 *
 * 1. Every alert is looked at, newest first: a person may be in evidence or in a note of an alert about another. What comes meanwhile and later
 *    the applier lets in under the pseudonym only; a batch of it that began before the erasure is waited for.
 * 2. A batch is one transaction, with the place reached: whoever goes on after a stop goes on there, and of two instances one is at it.
 * 3. Legal hold wins: it is looked at in the statement that locks the rows, and what it covers is left whole and counted.
 * 4. Once it is done the person is stored nowhere, the erasure's own row included: that keeps a keyed digest.
 */
import { type AlertWithEvidence, TOPICS } from '@tocsin/contracts'
import { type Pool, type Query, queryOf, transaction } from '@tocsin/postgres'
import { namesWithin, type Pseudonyms, pseudonymised, pseudonymOf } from '../core/pseudonyms.ts'
import { searchWords } from '../core/search-words.ts'
import { type AlertRow, alertField, alertOf, evidenceField, evidenceOf } from '../repositories/alert-row.ts'
import { erasureField } from '../repositories/erasures.ts'
import { addHistory, erasePayloads, openPayload } from '../repositories/history.ts'
import { databaseClock } from '../repositories/history-chain.ts'
import { addToOutbox, erasedRecord } from '../repositories/outbox.ts'
import * as sql from '../sql/erasure-sql.ts'
import type { FieldCipher } from './field-cipher.ts'

/** Alerts in one transaction. */
const BATCH = 200
const MAX_ERASURES = 50

export interface ErasureOptions {
  /** Of role tocsin_worker. */
  readonly pool: Pool
  readonly cipher: FieldCipher
  /** Called after alerts of the organization were changed. */
  readonly onChanged: (organizationId: string) => Promise<void>
  /** Alerts in one transaction. */
  readonly batch?: number
}

interface Running {
  readonly id: string
  readonly organization_id: string
  readonly partition: number
}
interface State {
  readonly digest: Buffer
  readonly subject: Buffer
  readonly at_created: string | null
  readonly at_id: string | null
  readonly touched: number
  readonly held: number
}

/** One batch of each erasure that is running. Rejects with the first failure after all had their turn. */
export async function eraseNext(options: ErasureOptions): Promise<'more' | 'done'> {
  const running = await queryOf(options.pool)<Running>(sql.RUNNING_ERASURES, [MAX_ERASURES])
  const failures: unknown[] = []
  let isMore = false
  for (const erasure of running) {
    try {
      isMore = (await eraseBatch(options, erasure)) === 'more' || isMore
      await options.onChanged(erasure.organization_id)
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
  return isMore ? 'more' : 'done'
}

async function eraseBatch(options: ErasureOptions, erasure: Running): Promise<'more' | 'done'> {
  const { pool, cipher, batch = BATCH } = options
  const { id, organization_id: organizationId, partition } = erasure
  if ((await cipher.loadLiving([organizationId])).size > 0) return 'done'
  await queryOf(pool)(sql.WAIT_FOR_APPLIER, [TOPICS.alerts.name, partition]) // (1)
  return transaction(pool, async (query) => {
    const [state] = await query<State>(sql.LOCK_ERASURE, [id]) // (2)
    if (state === undefined) return 'done'
    const person = cipher.open(erasureField(organizationId, id, 'subject'), state.subject)
    const at = await databaseClock(query)
    const asked = [organizationId, state.at_created, state.at_id, batch]
    const rows = await query<AlertRow & { at_created: string }>(sql.NEXT_TO_ERASE, asked)
    const context = { query, cipher, organizationId, person, pseudonym: pseudonymOf(state.digest) }
    const { erased, held } = await eraseIn(context, rows)
    if (erased.length > 0) {
      await addToOutbox(
        query,
        erased.map((alertId) => erasedRecord({ id: alertId, organizationId, at, reason: 'erasure' }, partition)),
      )
      await note(context, id, 'erasure.applied', at, { pseudonym: context.pseudonym, alertIds: erased })
    }
    const counts = { touched: state.touched + erased.length, held: state.held + held }
    const last = rows.at(-1)
    if (last !== undefined && rows.length === batch) {
      await query(sql.MOVE_ERASURE, [id, last.at_created, last.id, counts.touched, counts.held])
      return 'more'
    }
    await query(sql.FINISH_ERASURE, [id, counts.touched, counts.held, at]) // (4)
    await note(context, id, 'erasure.finished', at, { pseudonym: context.pseudonym, ...counts })
    return 'done'
  })
}

interface Context {
  readonly query: Query
  readonly cipher: FieldCipher
  readonly organizationId: string
  readonly person: string
  readonly pseudonym: string
}

const note = (
  { query, cipher, organizationId }: Context,
  id: string,
  action: 'erasure.applied' | 'erasure.finished',
  at: string,
  details: Readonly<Record<string, unknown>>,
) =>
  addHistory(query, cipher, {
    organizationId,
    at,
    actor: 'system',
    channel: 'system',
    action,
    about: { kind: 'erasure', id },
    details,
  })

/** Ids of the alerts from which the person was taken, and how many name the person and are held. */
async function eraseIn(
  context: Context,
  rows: readonly AlertRow[],
): Promise<{ readonly erased: readonly string[]; readonly held: number }> {
  const { query, organizationId } = context
  const pseudonyms = new Map([[context.person, context.pseudonym]])
  const payloads = await payloadsNaming(
    context,
    rows.map(({ id }) => id),
  )
  const found = rows.filter((row) => payloads.has(row.id) || replacement(context, row, pseudonyms) !== null)
  if (found.length === 0) return { erased: [], held: 0 }
  // As they are now: looked at again under the lock.
  const ids = found.map(({ id }) => id)
  const locked = await query<AlertRow & { held: boolean }>(sql.LOCK_TO_ERASE, [organizationId, ids])
  const free = locked.filter(({ held }) => !held) // (3)
  for (const row of free) {
    const next = replacement(context, row, pseudonyms)
    if (next !== null) await replace(context, next)
  }
  const erased = free.map(({ id }) => id)
  await erasePayloads(
    query,
    organizationId,
    erased.flatMap((id) => payloads.get(id) ?? []),
  )
  return { erased, held: locked.length - free.length }
}

/** Entries whose details name the person, by alert. */
async function payloadsNaming(
  { query, cipher, organizationId, person }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await query<{ id: string; about_id: string; payload: Buffer }>(sql.PAYLOADS_ABOUT, [organizationId, ids])
  const naming = rows.filter(({ id, payload }) => {
    const text = openPayload(cipher, organizationId, id, payload)
    return text !== null && text !== '' && namesWithin(JSON.parse(text), person)
  })
  return new Map([...Map.groupBy(naming, (row) => row.about_id)].map(([id, entries]) => [id, entries.map((entry) => entry.id)]))
}

/** The alert without the person; null: the person is not in it. */
function replacement({ cipher }: Context, row: AlertRow, pseudonyms: Pseudonyms): AlertWithEvidence | null {
  const alert = { ...alertOf(cipher, row), evidence: evidenceOf(cipher, row) }
  const next = pseudonymised(alert, pseudonyms)
  return JSON.stringify(next) === JSON.stringify(alert) ? null : next
}

async function replace({ query, cipher, organizationId }: Context, alert: AlertWithEvidence): Promise<void> {
  const { id, resolutionNotes, resolutionMetadata } = alert
  const sealed = (column: 'metadata' | 'resolution_notes' | 'resolution_metadata', text: string | null) =>
    text === null ? null : cipher.seal(alertField(organizationId, id, column), text)
  await query(sql.REPLACE_IN_ALERT, [
    organizationId,
    id,
    alert.title,
    alert.description,
    JSON.stringify(alert.group),
    sealed('metadata', JSON.stringify(alert.metadata)),
    alert.tags,
    alert.correlationId,
    alert.labels,
    sealed('resolution_notes', resolutionNotes),
    alert.resolutionAction,
    sealed('resolution_metadata', resolutionMetadata === null ? null : JSON.stringify(resolutionMetadata)),
    searchWords(alert),
  ])
  const evidence = cipher.seal(evidenceField(organizationId, id), JSON.stringify(alert.evidence))
  await query(sql.REPLACE_EVIDENCE, [organizationId, id, evidence])
}
