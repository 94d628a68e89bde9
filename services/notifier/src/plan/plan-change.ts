/**
 * What one change of an alert means for the people who could be told. Pure: all it knows is in its argument.
 *
 * 1. Every change yields at least one step, so that "why was nobody told" always has an answer in the ledger.
 * 2. A telling is planned once for each `change`; the ledger's unique key holds that against replay.
 * 3. No telling is planned for an alert that a person has resolved or dismissed, or that went into another one.
 * 4. A telling is never due before now or the record's time plus the delay of its severity, unless an earlier timer of the
 *    same alert was due sooner, or the alert has ended.
 */
import { type AlertRecordType, type OrganizationSettings, type Severity, severityRank } from '@tocsin/contracts'
import { routeOf } from './routes.ts'
import {
  type AlertCopy,
  type ChannelName,
  type EpochMs,
  isHandled,
  isLoud,
  mergedInto,
  type NotificationEvent,
  type Reason,
} from './vocabulary.ts'

/** How long a Slack message may lag behind an ordinary revision: a burst is then one update and not dozens. */
export const REVISION_PAUSE_MS = 15_000

export interface ChangeInput {
  readonly recordType: AlertRecordType
  /** The copy before this record; null where its figures were not known. */
  readonly before: AlertCopy | null
  readonly after: AlertCopy
  readonly settings: Pick<OrganizationSettings, 'notificationDelaysMs'>
  readonly ledger: LedgerView
  /** When the broker took the record. */
  readonly appendedAt: EpochMs
  readonly now: EpochMs
  /** The record lies before `notify_from`: recorded, not told. */
  readonly replayed: boolean
}

/** What the ledger already holds about this alert. */
export interface LedgerView {
  /** Due times of the timers that still wait. */
  readonly timers: readonly EpochMs[]
  /** Channels with a delivery that was sent, is being sent or waits. */
  readonly told: ReadonlySet<ChannelName>
}

export type Step =
  /** A timer; when due it becomes one delivery for each destination of `channels`. */
  | {
      readonly do: 'plan'
      readonly event: NotificationEvent
      readonly change: string
      readonly severity: Severity
      readonly channels: readonly ChannelName[]
      readonly dueAt: EpochMs
    }
  /** Brings what was told before up to date, at the destinations of `channels` where something was told. */
  | {
      readonly do: 'update'
      readonly event: NotificationEvent
      readonly change: string
      readonly channels: readonly ChannelName[]
      readonly dueAt: EpochMs
    }
  /** `cancelled`: timers and waiting tellings. `superseded`: timers only, because a later step of the same plan takes their place. */
  | { readonly do: 'stop'; readonly status: 'cancelled' | 'superseded'; readonly reason: Reason }
  /** Timers that wait are due at once. */
  | { readonly do: 'hasten'; readonly dueAt: EpochMs }
  | {
      readonly do: 'skip'
      readonly event: NotificationEvent
      readonly change: string
      readonly channel: ChannelName | null
      readonly reason: Reason
    }

export function planChange(input: ChangeInput): Step[] {
  const { after, recordType } = input
  if (input.replayed) return [skip(eventOf(input), 'replayed')]
  return PLANNERS[recordType]({ ...input, start: Math.min(input.now, input.appendedAt) }, after)
}

type Planner = (input: ChangeInput & { readonly start: EpochMs }, alert: AlertCopy) => Step[]

const PLANNERS: Record<AlertRecordType, Planner> = {
  'alert.created': planFigures,
  'alert.revised': planFigures,
  'alert.closed': planFigures,
  'alert.acknowledged': (input) => planHandled(input, 'acknowledged'),
  'alert.resolved': (input) => planHandled(input, 'resolved'),
  'alert.dismissed': (input) => planHandled(input, 'dismissed'),
  'alert.unacknowledged': (input) => planAgain(input, 'unacknowledged'),
  'alert.reopened': (input) => planAgain(input, 'reopened'),
  'alert.assigned': (input) => updateOrSkip(input, 'assigned', `assigned:${input.after.version}`, ['slack'], input.now),
  'alert.commented': () => [skip('commented', 'nothingNew')],
  'alert.tagged': () => [skip('commented', 'nothingNew')],
}

function planFigures(input: Parameters<Planner>[0], alert: AlertCopy): Step[] {
  if (mergedInto(alert) !== null) return planMerged(input)
  if (!alert.open) return planEnd(input)
  if (input.before === null) return planTelling(input, 'created', 'created')
  if (rose(input)) return planRise(input)
  if (input.before.backfilled && !alert.backfilled) return planLive(input)
  return planRevision(input)
}

/** An ordinary revision: no new message, at most a Slack message brought up to date. */
function planRevision(input: Parameters<Planner>[0]): Step[] {
  return updateOrSkip(input, 'revised', `revised:${input.after.revision}`, ['slack'], input.now + REVISION_PAUSE_MS, 'nothingNew')
}

function planRise(input: Parameters<Planner>[0]): Step[] {
  const { after, ledger } = input
  if (isHandled(after)) return [skip('risen', 'alreadyHandled'), ...planRevision(input)]
  const stop: Step[] = ledger.timers.length > 0 ? [{ do: 'stop', status: 'superseded', reason: 'risen' }] : []
  return [...stop, ...planTelling(input, 'risen', `risen:${after.severity}`)]
}

/** Made of late events only until now; live events have joined, so the channels left out at first are told. */
function planLive(input: Parameters<Planner>[0]): Step[] {
  const { after, ledger } = input
  if (after.status !== 'active') return [skip('live', 'alreadyHandled'), ...planRevision(input)]
  if (ledger.timers.length > 0) {
    return [{ do: 'stop', status: 'superseded', reason: 'live' }, ...planTelling(input, 'live', 'live')]
  }
  const rest = routeOf(after.severity, input.settings).channels.filter((channel) => channel !== 'email')
  return rest.length > 0 ? planTelling(input, 'live', 'live', rest) : planRevision(input)
}

function planTelling(
  input: Parameters<Planner>[0],
  event: NotificationEvent,
  change: string,
  only?: readonly ChannelName[],
): Step[] {
  const { after, settings, ledger, start } = input
  if (isHandled(after)) return [skip(event, 'alreadyHandled')]
  const route = routeOf(after.severity, settings)
  const wanted = only ?? route.channels
  const channels = after.backfilled ? wanted.filter((channel) => channel === 'email') : wanted
  const left = wanted.filter((channel) => !channels.includes(channel))
  const dueAt = Math.min(start + route.delayMs, ...ledger.timers)
  return [
    { do: 'plan', event, change, severity: after.severity, channels, dueAt },
    ...left.map((channel): Step => ({ do: 'skip', event, change: `${change}/${channel}`, channel, reason: 'backfilled' })),
  ]
}

/** What ended untold is told once where it is severe, and else not at all: nobody is called to what is over. */
function planEnd(input: Parameters<Planner>[0]): Step[] {
  const { after, before, ledger, now } = input
  const channels: ChannelName[] = isLoud(after.severity) && !isHandled(after) ? ['slack', 'email'] : ['slack']
  const update = updateOrSkip(input, 'closed', 'closed', channels, now)
  if (before === null || rose(input)) {
    const [event, change] = before === null ? (['created', 'created'] as const) : (['risen', `risen:${after.severity}`] as const)
    if (isHandled(after)) return [skip(event, 'alreadyHandled'), ...update]
    if (!isLoud(after.severity)) return [skip(event, 'endedBeforeTold'), ...stopTimers(ledger, 'endedBeforeTold'), ...update]
    const stop: Step[] = ledger.timers.length > 0 ? [{ do: 'stop', status: 'superseded', reason: 'risen' }] : []
    return [...stop, ...planTelling({ ...input, ledger: { ...ledger, timers: [now] } }, event, change)]
  }
  if (ledger.timers.length === 0) return update
  if (isLoud(after.severity)) return [{ do: 'hasten', dueAt: now }, ...update]
  // A digest reports what was, so the end of an INFO alert does not stop its timer.
  if (after.severity === 'INFO') return update
  return [...stopTimers(ledger, 'endedBeforeTold'), ...update]
}

function planMerged(input: Parameters<Planner>[0]): Step[] {
  const update = updateOrSkip(input, 'closed', 'closed', ['slack'], input.now, 'merged')
  return [{ do: 'stop', status: 'cancelled', reason: 'merged' }, ...update]
}

function planHandled(input: Parameters<Planner>[0], event: 'acknowledged' | 'resolved' | 'dismissed'): Step[] {
  const { after, now } = input
  const stop: Step = { do: 'stop', status: 'cancelled', reason: event }
  // The dismissal of a merged alert is the system's own bookkeeping: its end was shown when it merged.
  if (event === 'dismissed' && mergedInto(after) !== null) return [stop, skip(event, 'merged')]
  return [stop, ...updateOrSkip(input, event, `${event}:${after.version}`, ['slack'], now)]
}

function planAgain(input: Parameters<Planner>[0], event: 'unacknowledged' | 'reopened'): Step[] {
  const update = updateOrSkip(input, event, `${event}:${input.after.version}`, ['slack'], input.now)
  if (mergedInto(input.after) !== null) return [...update, skip('reopened', 'merged')]
  return [...update, ...planTelling(input, 'reopened', `reopened/${input.after.version}`)]
}

function updateOrSkip(
  input: Parameters<Planner>[0],
  event: NotificationEvent,
  change: string,
  channels: readonly ChannelName[],
  dueAt: EpochMs,
  otherwise: Reason = 'notTold',
): Step[] {
  const known = channels.filter((channel) => input.ledger.told.has(channel))
  return known.length > 0 ? [{ do: 'update', event, change, channels: known, dueAt }] : [skip(event, otherwise)]
}

const stopTimers = (ledger: LedgerView, reason: Reason): Step[] =>
  ledger.timers.length > 0 ? [{ do: 'stop', status: 'cancelled', reason }] : []

/** One row for each event and reason: a burst of revisions leaves one row, not dozens. */
const skip = (event: NotificationEvent, reason: Reason): Step => ({
  do: 'skip',
  event,
  change: `${event}/${reason}`,
  channel: null,
  reason,
})

const rose = ({ before, after }: ChangeInput): boolean =>
  before !== null && severityRank(after.severity) > severityRank(before.severity)

function eventOf({ recordType, before }: ChangeInput): NotificationEvent {
  if (recordType === 'alert.created' || before === null) return 'created'
  return recordType.slice('alert.'.length) as NotificationEvent
}
