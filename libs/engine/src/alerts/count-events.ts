import type { Group } from '../group.ts'
import { type EventPool, ROW_FLAGS } from '../held/event-pool.ts'
import { saturatingAdd } from '../held/saturating.ts'
import type { EpochMs } from '../time.ts'
import type { Episode } from './episode.ts'
import { offer } from './evidence.ts'

/** A range of event time whose events an alert has counted; both ends included. */
export interface Counted {
  readonly from: EpochMs
  readonly to: EpochMs
}

/** Counts the events of the alert's range that lie in none of the ranges counted before. */
export function countNew(group: Group, pool: EventPool, target: Episode, counted: readonly Counted[]): void {
  const { held } = group
  let position = held.lowerBound(target.firstSeen)
  for (const range of counted) {
    const end = held.lowerBound(range.from)
    for (; position < end; position++) countOne(group, pool, target, held.slotAt(position))
    position = Math.max(position, held.upperBound(range.to))
  }
  const end = held.upperBound(target.lastSeen)
  for (; position < end; position++) countOne(group, pool, target, held.slotAt(position))
}

export function countOne(group: Group, pool: EventPool, target: Episode, slot: number): void {
  const { rule } = group.program
  target.count++
  target.changed = true
  if (rule.unit === 'sum') target.total = saturatingAdd(target.total, group.held.weight(slot))
  else if (rule.unit === 'rules' || rule.unit === 'steps') noteParts(target, pool.value(slot))
  else target.note(pool.value(slot))
  if (!pool.has(slot, ROW_FLAGS.late)) target.live = true
  if (rule.notableTo !== null && pool.has(slot, ROW_FLAGS.notable)) target.raise(rule.notableTo)
  target.lastCountedAt = Math.max(target.lastCountedAt, pool.arrival(slot))
  target.countedAt = Math.max(target.countedAt, pool.arrival(slot))
}

/** An alert tells of the rules by their place in the list, from 1. */
function noteParts(target: Episode, parts: number): void {
  for (let rest = parts, place = 1; rest !== 0; rest >>>= 1, place++) if ((rest & 1) === 1) target.note(place)
}

const isShown = (target: Episode, t: EpochMs): boolean => target.firstSeen <= t && t <= target.lastSeen

/** An alert shows the event that has come, or it waits to be shown. */
export function showEvent(group: Group, target: Episode, snapshot: number): void {
  const { evidence, condition } = group
  if (isShown(target, evidence.t(snapshot))) offer(evidence, target.evidence, snapshot, condition.firstKept)
  else group.keepLoose(snapshot)
}

/** The alert shows what waits and lies in its range. */
export function showLoose(group: Group, target: Episode): void {
  const { evidence, condition } = group
  for (const each of group.loose()) {
    if (!isShown(target, evidence.t(each))) continue
    group.takeLoose(each)
    offer(evidence, target.evidence, each, condition.firstKept)
  }
}
