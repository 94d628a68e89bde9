import type { Episode } from '../alerts/episode.ts'
import { type Change, updateEpisodes } from '../alerts/update-episodes.ts'
import type { Counters } from '../counters.ts'
import type { EventView } from '../event/event-view.ts'
import type { Floor, Group } from '../group.ts'
import { isNothingAlone } from '../rules/requirement.ts'
import { settlePeaks, unsettle } from '../truth/peaks.ts'
import { awaitSettling } from '../truth/settle.ts'
import { type EventPool, NO_ROW, ROW_FLAGS, type Row } from './event-pool.ts'
import type { EngineLimits } from './limits.ts'
import type { Told } from './told-events.ts'

/** Names of noted values that a group remembers. */
const MOST_NAMES = 100

/** One event as it comes to a group: the row to be, and what is not in the row. Nothing of it is kept. */
export interface Arrival {
  readonly row: Row
  event: EventView
  offset: bigint
  /** Text of the row's value where the alert names the values; else null. */
  name: string | null
  /** For kinds that are told. */
  told: Told | null
}

export type Taken = 'counted' | 'mark' | 'duplicate' | 'idConflict' | 'overCap'

/** What a group needs of the engine to take an event in. */
export interface Taking {
  readonly pool: EventPool
  readonly limits: EngineLimits
  readonly counters: Counters
  /** Makes what a new alert has from its opening event. */
  readonly open: Change['open']
}

/** Lets a group take an event in. What comes of it is in the group's alerts. */
export function takeEvent(group: Group, arrival: Arrival, taking: Taking): Taken {
  const taken = take(group, arrival, taking)
  if (taken !== 'mark') taking.counters[taken]++
  return taken
}

function take(group: Group, arrival: Arrival, { pool, limits, open, counters }: Taking): Taken {
  const { row } = arrival
  // Under a baseline every window counts, also one that raises nothing.
  const isMeasured = group.owner.baselines !== null
  if (arrival.told === null && !isMeasured && group.isBlank && isNothingAlone(group.program.requirements, row)) {
    const only = group.hold(row)
    if ((row.flags & ROW_FLAGS.mark) !== 0) return 'mark'
    remember(group, arrival.name)
    group.keepLoose(group.evidence.add(arrival.event, row.t, only, arrival.offset))
    return 'counted'
  }
  const known = group.held.find(row.id)
  if (known !== NO_ROW) return pool.hasContent(known, row.contentHash) ? 'duplicate' : 'idConflict'
  if (group.floor !== null && isRefused(row, group.floor)) return refused(group)
  // Before an event goes; and before alerts may be joined, because the one that ends shows its figures as they were.
  if (group.held.held >= limits.eventsPerGroup || group.episodes.length > 1) settlePeaks(group)
  const { settled } = group.program.rule
  const isTooLate = settled !== null && group.held.told.isTooLate(row.t, group.settledTerms)
  const slot = group.held.add(row, arrival.told)
  if (group.held.held > limits.eventsPerGroup) {
    if (dropOldest(group, pool) === slot) return refused(group)
    counters.overCap++
  }
  if ((row.flags & ROW_FLAGS.mark) !== 0) {
    const episode = group.episodes.trueAt(row.t)
    if (episode !== null) escalate(group, episode)
    return 'mark'
  }
  remember(group, arrival.name)
  if (isMeasured) unsettle(group, { from: row.t, to: group.leaves(row.t) })
  const snapshot = group.evidence.add(arrival.event, row.t, slot, arrival.offset)
  const change = { pool, slot, t: row.t, snapshot, open }
  if (settled === null) updateEpisodes(group, change)
  else awaitSettling(group, change)
  if (isTooLate) counters.tooLate++
  return 'counted'
}

const isRefused = ({ t, id }: Row, floor: Floor): boolean =>
  t !== floor.t ? t < floor.t : id.high !== floor.id.high ? id.high < floor.id.high : id.low <= floor.id.low

function dropOldest(group: Group, pool: EventPool): number {
  const slot = group.held.oldestByTime()
  group.floor = { t: pool.t(slot), id: { low: pool.idLow(slot), high: pool.idHigh(slot) } }
  group.forgetLoose(slot)
  group.held.drop(slot)
  setLowerBounds(group)
  return slot
}

function refused(group: Group): Taken {
  setLowerBounds(group)
  return 'overCap'
}

/** From its first dropped event on, the counts of a group's alerts are lower bounds. */
function setLowerBounds(group: Group): void {
  for (const episode of group.episodes.all()) {
    if (episode.lowerBound) continue
    episode.lowerBound = true
    episode.changed = true
    group.freshen(episode)
  }
}

function escalate(group: Group, episode: Episode): void {
  const { escalateTo } = group.program.rule
  if (escalateTo !== null) episode.raise(escalateTo)
  group.freshen(episode)
}

function remember(group: Group, name: string | null): void {
  if (name === null || group.names.includes(name) || group.names.length >= MOST_NAMES) return
  group.names = group.names.length === 0 ? group.owner.nameList(name) : [...group.names, name]
}
