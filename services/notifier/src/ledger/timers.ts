import { type Severity, severityRank } from '@tocsin/contracts'
import { type Pool, queryOf, transaction } from '@tocsin/postgres'
import type { Organizations } from '../organizations.ts'
import { planDeliveries } from '../plan/plan-deliveries.ts'
import type { ChannelName, NotificationEvent } from '../plan/vocabulary.ts'
import * as sql from './sql.ts'

/** Timers in one transaction: enough to be quick in a storm, few enough that a planner never waits long for an alert's row. */
const TIMERS_AT_ONCE = 100

interface DueTimer {
  readonly id: string
  readonly organizationId: string
  readonly alertId: string
  readonly event: NotificationEvent
  readonly change: string
  readonly severity: Severity
  readonly channels: readonly ChannelName[]
  readonly version: number
  readonly dueAt: Date
}

/**
 * Turns due timers into deliveries, each exactly once over all instances: the timer's row is locked, and its deliveries are made in
 * the transaction that settles it. Resolves with the number of timers settled; as many as asked for means there may be more.
 */
export async function runDueTimers(
  pool: Pool,
  organizations: Pick<Organizations, 'of'>,
  options: { readonly withConsole: boolean },
): Promise<{ readonly settled: number; readonly more: boolean }> {
  return transaction(pool, async (query) => {
    const due = await query<DueTimer>(sql.LOCK_DUE, [TIMERS_AT_ONCE])
    for (const timer of due) {
      const recipients = organizations.of(timer.organizationId)?.recipients ?? null
      const plan = planDeliveries(timer.channels, recipients, options.withConsole)
      for (const { channel, destination } of plan.deliveries) {
        await query(sql.SUPERSEDE_FOR, [timer.alertId, channel, destination])
        const what = [timer.event, timer.change, severityRank(timer.severity), timer.version, timer.dueAt]
        await query(sql.MAKE_DELIVERY, [timer.organizationId, timer.alertId, channel, destination, ...what])
      }
      const reason = 'reason' in plan ? plan.reason : null
      await query(sql.SETTLE_TIMER, [timer.id, reason === null ? 'made' : 'skipped', reason])
    }
    return { settled: due.length, more: due.length === TIMERS_AT_ONCE }
  })
}

/** Runs the timers again that had nobody to tell, where the organization now names somebody. Idempotent. */
export async function reopenUntold(pool: Pool, organizationId: string): Promise<void> {
  await queryOf(pool)(sql.REOPEN_UNTOLD, [organizationId])
}
