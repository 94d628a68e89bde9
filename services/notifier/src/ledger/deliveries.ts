/**
 * Deliveries as the sender sees them.
 *
 * 1. A claim raises the delivery's fence and gives a lease; who holds an older fence records nothing, not even an attempt.
 * 2. What is recorded about an attempt and what becomes of the delivery are one transaction.
 * 3. A delivery whose sender died is claimed again when its lease is over. If the provider had accepted already, it is told twice:
 *    twice rather than never.
 */
import { type Pool, type Query, queryOf, transaction } from '@tocsin/postgres'
import type { MessageRef } from '../channels/channel.ts'
import type { AlertCopy, ChannelName, NotificationEvent, Reason } from '../plan/vocabulary.ts'
import { joined, type StoredAlert } from './alert-copy.ts'
import * as sql from './sql.ts'

/** Twice the time of an attempt (channels.md §2). */
export const LEASE_MS = 20_000

export interface Claimed {
  readonly id: string
  readonly organizationId: string
  readonly alertId: string
  readonly channel: ChannelName
  readonly destination: string
  readonly event: NotificationEvent
  readonly change: string
  readonly telling: boolean
  readonly version: number
  readonly actor: string | null
  readonly plannedFor: Date
  readonly madeAt: Date
  readonly fence: number
  readonly attempts: number
  /** PostgreSQL's time of the claim. */
  readonly now: Date
}

export interface Attempt {
  readonly outcome: 'accepted' | 'retry' | 'destination' | 'message'
  readonly code: string | null
  readonly latencyMs: number
}

/** What became of a claimed delivery. */
export type Outcome =
  | {
      readonly kind: 'accepted'
      readonly providerId: string
      readonly ref: MessageRef
      readonly late: boolean
      readonly attempt: Attempt
    }
  /** Tried again after a pause; `holdMs`: the whole destination is left alone for so long. */
  | {
      readonly kind: 'again'
      readonly reason: string
      readonly pauseMs: number
      readonly holdMs: number | null
      readonly attempt: Attempt | null
    }
  | { readonly kind: 'failed'; readonly reason: string; readonly attempt: Attempt | null }
  | { readonly kind: 'cancelled'; readonly reason: Reason }

export interface Recorded {
  /** False: another instance holds the delivery now, and nothing was recorded. */
  readonly held: boolean
  /** The alert's first message that anybody accepted. */
  readonly first: boolean
}

export const claim = (pool: Pool, limit: number): Promise<Claimed[]> => queryOf(pool)<Claimed>(sql.CLAIM, [limit, LEASE_MS])

/** The alert's newest state, and what the destination accepted first; null alert where only people's half is known. */
export async function readForSending(
  pool: Pool,
  delivery: Pick<Claimed, 'alertId' | 'channel' | 'destination'>,
): Promise<{ readonly alert: AlertCopy | null; readonly previous: MessageRef | null }> {
  const values = [delivery.alertId, delivery.channel, delivery.destination]
  const [row] = await queryOf(pool)<StoredAlert & { readonly previous: MessageRef | null }>(sql.READ_FOR_SENDING, values)
  return row === undefined ? { alert: null, previous: null } : { alert: joined(row), previous: row.previous }
}

const LOST: Recorded = { held: false, first: false }
const HELD: Recorded = { held: true, first: false }

export async function record(pool: Pool, delivery: Claimed, outcome: Outcome): Promise<Recorded> {
  return transaction(pool, async (query) => {
    const at = [delivery.id, delivery.fence]
    if (outcome.kind === 'accepted') {
      const { providerId, ref, attempt, late } = outcome
      const rows = await query(sql.RECORD_ACCEPTED, [...at, providerId, ref, Math.round(attempt.latencyMs), late])
      if (rows.length === 0) return LOST // 1
      await addAttempt(query, delivery, attempt, providerId)
      return { held: true, first: (await query(sql.MARK_TOLD, [delivery.alertId])).length > 0 }
    }
    if (outcome.kind === 'again') return recordAgain(query, delivery, outcome)
    const attempt = outcome.kind === 'failed' ? outcome.attempt : null
    const rows = await query(sql.RECORD_ENDED, [...at, outcome.kind, outcome.reason, attempt === null ? 0 : 1])
    if (rows.length === 0) return LOST
    if (attempt !== null) await addAttempt(query, delivery, attempt, null)
    return HELD
  })
}

/** Back to waiting, unless something newer waits behind it: of the two, a telling stays, and of two tellings the newer one. */
async function recordAgain(query: Query, delivery: Claimed, outcome: Extract<Outcome, { kind: 'again' }>): Promise<Recorded> {
  const at = [delivery.id, delivery.fence]
  const tries = outcome.attempt === null ? 0 : 1
  // The planner holds this lock while it puts something behind a delivery.
  await query(sql.LOCK_ALERT_OF, [delivery.id])
  const [behind] = await query<{ id: string; telling: boolean }>(sql.READ_BEHIND, [delivery.id])
  const gives = behind !== undefined && (behind.telling || !delivery.telling)
  if (behind !== undefined && !gives) await query(sql.SUPERSEDE, [behind.id])
  const rows = gives
    ? await query(sql.RECORD_ENDED, [...at, 'superseded', 'newerState', tries])
    : await query(sql.RECORD_WAITING, [...at, outcome.reason, tries, Math.round(outcome.pauseMs)])
  if (rows.length === 0) return LOST
  if (outcome.attempt !== null) await addAttempt(query, delivery, outcome.attempt, null)
  if (outcome.holdMs !== null) {
    const destination = [delivery.organizationId, delivery.channel, delivery.destination]
    await query(sql.HOLD_DESTINATION, [...destination, Math.round(outcome.holdMs), outcome.reason])
  }
  return HELD
}

const addAttempt = (query: Query, delivery: Claimed, attempt: Attempt, providerId: string | null) =>
  query(sql.ADD_ATTEMPT, [
    delivery.organizationId,
    delivery.id,
    delivery.fence,
    attempt.outcome,
    attempt.code,
    providerId,
    Math.round(attempt.latencyMs),
  ])
