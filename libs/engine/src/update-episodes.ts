import { severityRank } from '@tocsin/contracts'
import { Episode, type Opening } from './episode.ts'
import { type EventPool, ROW_FLAGS } from './event-pool.ts'
import { offer } from './evidence.ts'
import type { Group } from './group.ts'
import { settlePeaks, unsettle } from './peaks.ts'
import { cannotHold, windowValue } from './requirement.ts'
import { saturatingAdd } from './saturating.ts'
import type { Interval } from './stretches.ts'
import type { EpochMs } from './time.ts'
import { truthThrough, wholeTruth } from './truth.ts'

/** One counted event that has just entered its group. */
export interface Change {
  readonly pool: EventPool
  readonly slot: number
  readonly t: EpochMs
  /** Its evidence. */
  readonly snapshot: number
  open(group: Group, change: Change): Opening
}

/** A range of event time whose events an alert has counted; both ends included. */
interface Counted {
  readonly from: EpochMs
  readonly to: EpochMs
}

/** What is told of an alert's first true moment. */
interface FirstMoment {
  readonly firstTrue: EpochMs
  readonly firstSeen: EpochMs
  readonly windowValue: number
}

/**
 * Brings the group's alerts up to date with one more event (detection.md §2): finds what has become true, opens, extends and
 * joins alerts, and carries their figures on.
 */
export function updateEpisodes(group: Group, change: Change): void {
  if (group.episodes.length === 0 && !group.stale && cannotHold(group.program.requirements, group.held)) {
    group.keepLoose(change.snapshot)
    return
  }
  const found = newTruth(group, change)
  const episode = found.length > 0 ? episodeOf(group, change, found) : reachingOver(group, change.t)
  if (episode === null) {
    group.keepLoose(change.snapshot)
    return
  }
  const { target, counted, moment } = episode
  group.freshen(target)
  for (const stretch of found) target.addStretch(stretch)
  setFirstMoment(group, change, target, moment)
  extendLastSeen(group, target)
  countNew(group, change, target, counted)
  noteWindows(group, change.t, found)
  raiseSeverity(group, target, found)
  showEvidence(group, change, target)
}

interface Affected {
  readonly target: Episode
  readonly counted: readonly Counted[]
  readonly moment: FirstMoment | null
}

/** Moments that are true now; after a change of the condition also older ones that belong to the same alert. */
function newTruth(group: Group, { slot, t }: Change): readonly Interval[] {
  const { held, condition, episodes } = group
  const leaves = (time: EpochMs): EpochMs => group.leaves(time)
  if (!group.stale) return truthThrough(held, condition.requirements, leaves, held.positionOf(slot))
  const whole = wholeTruth(held, condition.requirements, leaves)
  const found = joinedAround(whole, t, leaves(t), group.reachMs)
  group.stale = whole.some((stretch) => !found.includes(stretch) && episodes.trueAt(stretch.from) === null)
  return found
}

/** The stretches that have a moment from `from` to before `to`, and those that reach them, directly or through others. */
function joinedAround(whole: readonly Interval[], from: EpochMs, to: EpochMs, reach: number): readonly Interval[] {
  let first = whole.findIndex((stretch) => stretch.to > from)
  let last = whole.findLastIndex((stretch) => stretch.from < to)
  if (first < 0 || last < first) return []
  const gap = (later: number): number => (whole[later] as Interval).from - (whole[later - 1] as Interval).to
  while (first > 0 && gap(first) <= reach) first--
  while (last + 1 < whole.length && gap(last + 1) <= reach) last++
  return whole.slice(first, last + 1)
}

/** The alert to which new truth belongs: a new one, or the oldest of those it reaches, with the others joined to it. */
function episodeOf(group: Group, change: Change, found: readonly Interval[]): Affected {
  const first = found[0] as Interval
  const last = found[found.length - 1] as Interval
  const reached = group.episodes.reachedBy(first.from, last.to, group.reachMs)
  if (reached.length === 0) {
    const target = new Episode(change.open(group, change), first, group.program.severity)
    target.lowerBound = group.floor !== null
    group.addEpisode(target)
    return { target, counted: [], moment: null }
  }
  const target = reached.reduce((oldest, each) => (each.opening.offset < oldest.opening.offset ? each : oldest))
  const earliest = reached.reduce((one, each) => (each.firstTrue < one.firstTrue ? each : one))
  const moment = { firstTrue: earliest.firstTrue, firstSeen: earliest.firstSeen, windowValue: earliest.windowValue }
  const counted = reached.map(({ firstSeen, lastSeen }) => ({ from: firstSeen, to: lastSeen }))
  for (const other of reached) if (other !== target) join(group, target, other)
  return { target, counted, moment }
}

/** The alert whose range an event lies in although it makes nothing true, because the others have left. */
function reachingOver(group: Group, t: EpochMs): Affected | null {
  const target = group.episodes
    .neighbours(t)
    .find(({ firstTrue, end }) => isInOpening(group, t, firstTrue) || (t > firstTrue && t < end))
  if (target === undefined) return null
  return { target, counted: [{ from: target.firstSeen, to: target.lastSeen }], moment: target }
}

const isInOpening = (group: Group, t: EpochMs, firstTrue: EpochMs): boolean => t <= firstTrue && group.leaves(t) > firstTrue

function join(group: Group, target: Episode, other: Episode): void {
  for (const stretch of other.stretches.all()) target.addStretch(stretch)
  if (other.end > target.end) {
    target.end = other.end
    target.endForClosing = other.endForClosing
  }
  target.firstTrue = Math.min(target.firstTrue, other.firstTrue)
  target.firstSeen = Math.min(target.firstSeen, other.firstSeen)
  target.lastSeen = Math.max(target.lastSeen, other.lastSeen)
  target.count += other.count
  target.total = saturatingAdd(target.total, other.total)
  target.peak = Math.max(target.peak, other.peak)
  target.live ||= other.live
  target.lowerBound ||= other.lowerBound
  target.lastCountedAt = Math.max(target.lastCountedAt, other.lastCountedAt)
  target.changed = true
  target.raise(other.severity)
  for (const value of other.noted) target.note(value)
  const { evidence, condition } = group
  // The other shows its own once more.
  for (const snapshot of new Set([...other.evidence.first, ...other.evidence.newest]))
    offer(evidence, target.evidence, evidence.copy(snapshot), condition.firstKept)
  group.episodes.remove((episode) => episode === other)
  group.end(other, target.opening.id)
}

/** From the events held; what is known of the first moment stays where it is still the first. */
function setFirstMoment(group: Group, { t }: Change, target: Episode, known: FirstMoment | null): void {
  const { held, condition } = group
  const { firstTrue } = target
  const isNew = known === null || firstTrue < known.firstTrue
  if (known !== null) target.firstSeen = known.firstSeen
  if (known !== null && !isNew) target.windowValue = known.windowValue
  if (!isNew && !isInOpening(group, t, firstTrue)) return
  const start = group.windowStart(firstTrue)
  const value = windowValue(held, condition.requirements[0].unit, start, held.upperBound(firstTrue) - 1)
  target.windowValue = isNew ? value : Math.max(target.windowValue, value)
  target.firstSeen = known === null ? held.t(start) : Math.min(known.firstSeen, held.t(start))
}

function extendLastSeen(group: Group, target: Episode): void {
  const position = group.held.lowerBound(target.end) - 1
  if (position < 0) return
  const t = group.held.t(position)
  if (t >= target.stretches.last.from) target.lastSeen = Math.max(target.lastSeen, t)
}

/** Counts the events of the alert's range that lie in none of the ranges counted before, and the new event in any case. */
function countNew(group: Group, { pool, slot, t }: Change, target: Episode, counted: readonly Counted[]): void {
  const { held } = group
  let position = held.lowerBound(target.firstSeen)
  for (const range of counted) {
    const end = held.lowerBound(range.from)
    for (; position < end; position++) countOne(group, pool, target, held.slotAt(position))
    position = Math.max(position, held.upperBound(range.to))
  }
  const end = held.upperBound(target.lastSeen)
  for (; position < end; position++) countOne(group, pool, target, held.slotAt(position))
  if (counted.some((range) => range.from <= t && t <= range.to)) countOne(group, pool, target, slot)
}

function countOne(group: Group, pool: EventPool, target: Episode, slot: number): void {
  const { rule } = group.program
  const value = pool.value(slot)
  target.count++
  target.changed = true
  if (rule.unit === 'sum') target.total = saturatingAdd(target.total, value)
  else if (rule.unit === 'rules' || rule.unit === 'steps') noteParts(target, value)
  else target.note(value)
  if (!pool.has(slot, ROW_FLAGS.late)) target.live = true
  if (rule.notableTo !== null && pool.has(slot, ROW_FLAGS.notable)) target.raise(rule.notableTo)
  target.lastCountedAt = Math.max(target.lastCountedAt, pool.arrival(slot))
}

/** An alert tells of the rules by their place in the list, from 1. */
function noteParts(target: Episode, parts: number): void {
  for (let rest = parts, place = 1; rest !== 0; rest >>>= 1, place++) if ((rest & 1) === 1) target.note(place)
}

/** Only windows that hold the new event can have grown; after a change of the condition, all that are true now. */
function noteWindows(group: Group, t: EpochMs, found: readonly Interval[]): void {
  unsettle(group, { from: t, to: group.leaves(t) })
  const [first] = found
  const last = found.at(-1)
  if (first !== undefined && last !== undefined) unsettle(group, { from: first.from, to: last.to })
}

function raiseSeverity(group: Group, target: Episode, found: readonly Interval[]): void {
  const { rule } = group.program
  const { requirements } = group.condition
  const steps = rule.peakSteps.filter(({ level }) => severityRank(level) > severityRank(target.severity))
  if (steps.length > 0) settlePeaks(group)
  for (const { level, times } of steps) if (target.peak >= times * requirements[0].atLeast) target.raise(level)
  const { escalateTo } = rule
  if (escalateTo !== null && found.some(({ from, to }) => group.held.hasMarkIn(from, to))) target.raise(escalateTo)
}

function showEvidence(group: Group, { snapshot }: Change, target: Episode): void {
  const { evidence, condition } = group
  const isInRange = (each: number): boolean => target.firstSeen <= evidence.t(each) && evidence.t(each) <= target.lastSeen
  if (isInRange(snapshot)) offer(evidence, target.evidence, snapshot, condition.firstKept)
  else group.keepLoose(snapshot)
  for (const each of group.loose()) {
    if (!isInRange(each)) continue
    group.takeLoose(each)
    offer(evidence, target.evidence, each, condition.firstKept)
  }
}
