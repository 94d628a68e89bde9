/**
 * What a batch of `alerts` does to the ledger, in one transaction.
 *
 * 1. The partition's offset row is locked and compared first: a batch that another instance has taken meanwhile has no effect.
 * 2. Copies, plan and offset are stored together or not at all.
 * 3. An alert's row is locked before its timers and deliveries are looked at, so that what a timer becomes at the same moment is seen.
 * 4. What was erased leaves the copy; what was deleted leaves with everything that was told of it, and a deleted organization's destinations leave too.
 */
import { maskAlert } from '@tocsin/access'
import {
  type AlertErased,
  type AlertFigures,
  type AlertRecordType,
  type AlertStatusChange,
  type ERASED_RECORD_TYPE,
  severityRank,
} from '@tocsin/contracts'
import { type Pool, type Query, transaction } from '@tocsin/postgres'
import type { Organizations } from '../organizations.ts'
import { planChange, type Step } from '../plan/plan-change.ts'
import { destinationsOf } from '../plan/routes.ts'
import type { AlertCopy, ChannelName, NotificationEvent } from '../plan/vocabulary.ts'
import { joined, type StoredAlert, UNKNOWN_ALERT, withFigures, withStatus } from './alert-copy.ts'
import * as sql from './sql.ts'

export type AlertRecord =
  | { readonly half: 'figures'; readonly type: AlertRecordType; readonly value: AlertFigures }
  | { readonly half: 'status'; readonly type: AlertRecordType; readonly value: AlertStatusChange }

/** Or that an alert, or what it said of people, is gone. */
export type LedgerRecord =
  | AlertRecord
  | { readonly half: 'none'; readonly type: typeof ERASED_RECORD_TYPE; readonly value: AlertErased }

export interface AppliedBatch {
  readonly topic: string
  readonly partition: number
  readonly from: bigint
  readonly to: bigint
  readonly items: readonly {
    readonly record: { readonly offset: bigint; readonly appendTime: number }
    readonly value: LedgerRecord
  }[]
}

/** Per item `planned`, or `stale` where its half was not newer; `moved`: nothing was done. */
export type Applied = readonly ('planned' | 'stale')[] | 'moved'

interface Context {
  readonly query: Query
  readonly organizations: Pick<Organizations, 'of'>
  readonly now: number
}

export async function applyBatch(pool: Pool, organizations: Pick<Organizations, 'of'>, batch: AppliedBatch): Promise<Applied> {
  return transaction(pool, async (query) => {
    const place = [batch.topic, batch.partition]
    const [offset] = await query<{ next: bigint; notifyFrom: bigint; now: Date }>(sql.LOCK_OFFSET, place)
    if (offset === undefined || offset.next !== batch.from) return 'moved' // 1
    const context = { query, organizations, now: offset.now.getTime() }
    const outcomes: ('planned' | 'stale')[] = []
    for (const { record, value } of batch.items) {
      const replayed = record.offset < offset.notifyFrom
      if (value.half === 'none') outcomes.push(await erase(query, value.value))
      else outcomes.push(await applyRecord(context, value, { appendedAt: record.appendTime, replayed }))
    }
    await query(sql.MOVE_OFFSET, [...place, batch.to]) // 2
    return outcomes
  })
}

/** 4 */
async function erase(query: Query, { id, organizationId, reason }: AlertErased): Promise<'planned' | 'stale'> {
  if (reason === 'organization') await query(sql.FORGET_DESTINATIONS, [organizationId])
  const [known] = await query<StoredAlert>(sql.LOCK_ALERT, [id])
  if (known === undefined) return 'stale'
  if (reason !== 'erasure') await query(sql.FORGET_ALERT, [id])
  else {
    const figures = known.figures === null ? null : maskAlert(known.figures)
    const { changedAt, ...changes } = known.people
    await query(sql.MASK_ALERT, [id, figures, { ...maskAlert(changes), ...(changedAt === undefined ? {} : { changedAt }) }])
  }
  return 'planned'
}

async function applyRecord(
  context: Context,
  record: AlertRecord,
  at: { readonly appendedAt: number; readonly replayed: boolean },
): Promise<'planned' | 'stale'> {
  const { query, organizations, now } = context
  const { id, organizationId } = record.value
  const [row] = await query<StoredAlert>(sql.LOCK_ALERT, [id]) // 3
  const known = row ?? UNKNOWN_ALERT
  const next = record.half === 'figures' ? withFigures(known, record.value) : withStatus(known, record.value)
  if (next === null) return 'stale'
  await query(sql.SAVE_ALERT, [id, organizationId, next.figures, next.revision, next.people, next.version])
  const after = joined(next)
  // A person acted on an alert whose figures were never seen here: there is nothing to show and nobody was told.
  if (after === null) return 'planned'
  const timers = await query<{ dueAt: Date }>(sql.READ_TIMERS, [id])
  const told = await query<{ channel: ChannelName }>(sql.READ_TOLD, [id])
  const organization = organizations.of(organizationId)
  const steps = planChange({
    recordType: record.type,
    before: joined(known),
    after,
    settings: organization?.settings ?? {},
    ledger: { timers: timers.map(({ dueAt }) => dueAt.getTime()), told: new Set(told.map(({ channel }) => channel)) },
    now,
    ...at,
  })
  const actor = record.half === 'status' ? record.value.actor : null
  for (const step of steps) await take(context, after, step, actor)
  return 'planned'
}

async function take({ query, organizations }: Context, alert: AlertCopy, step: Step, actor: string | null): Promise<void> {
  const note = (event: NotificationEvent, change: string, values: readonly unknown[]) =>
    query(sql.PLAN, [alert.organizationId, alert.id, event, change, alert.severity, ...values])
  switch (step.do) {
    case 'plan': {
      const nobody = whyNobody(organizations, alert.organizationId, step.channels)
      // Shown at once and not only when the timer is due; the timer's time is kept, and it runs when somebody is named (REOPEN_UNTOLD).
      const status = nobody === null ? 'planned' : 'skipped'
      await note(step.event, step.change, [step.channels, status, nobody, alert.version, new Date(step.dueAt)])
      return
    }
    case 'skip':
      await note(step.event, step.change, [
        step.channel === null ? [] : [step.channel],
        'skipped',
        step.reason,
        alert.version,
        null,
      ])
      return
    case 'stop':
      await query(sql.STOP_TIMERS, [alert.id, step.status, step.reason])
      if (step.status === 'cancelled') await query(sql.STOP_WAITING_TELLINGS, [alert.id, step.reason])
      return
    case 'hasten':
      await query(sql.HASTEN, [alert.id])
      return
    case 'update': {
      // An ordinary revision does not push back an update that waits: that one will show the newest figures.
      if (step.event !== 'revised') await query(sql.SUPERSEDE_UPDATES, [alert.id, step.channels])
      const values = [alert.id, step.channels, step.event, step.change, severityRank(alert.severity), alert.version, actor]
      await query(sql.MAKE_UPDATES, [...values, new Date(step.dueAt)])
      return
    }
    default:
      step satisfies never
  }
}

function whyNobody(
  organizations: Pick<Organizations, 'of'>,
  organizationId: string,
  channels: readonly ChannelName[],
): 'nobodyToTell' | 'organizationUnknown' | null {
  const organization = organizations.of(organizationId)
  if (organization === undefined) return 'organizationUnknown'
  return channels.some((channel) => destinationsOf(channel, organization.recipients).length > 0) ? null : 'nobodyToTell'
}
