import { severityRank } from '@tocsin/contracts'
import type { Group } from '../group.ts'
import type { EventPool } from '../held/event-pool.ts'
import { cannotHold, windowValue } from '../rules/requirement.ts'
import type { EpochMs } from '../time.ts'
import { settlePeaks, unsettle } from '../truth/peaks.ts'
import type { Interval } from '../truth/stretches.ts'
import { truthThrough, wholeTruth } from '../truth/truth.ts'
import { countNew, countOne, showEvent, showLoose } from './count-events.ts'
import type { Episode, Opening } from './episode.ts'
import { type Affected, episodeOf, type FirstMoment } from './join-episodes.ts'

/** One counted event that has just entered its group. */
export interface Change {
  readonly pool: EventPool
  readonly slot: number
  readonly t: EpochMs
  /** Its evidence. */
  readonly snapshot: number
  open(group: Group, change: Change): Opening
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
  carryOn(group, change)
}

function carryOn(group: Group, change: Change): void {
  const found = newTruth(group, change)
  const episode = found.length > 0 ? episodeOf(group, found, () => change.open(group, change)) : reachingOver(group, change.t)
  if (episode === null) {
    group.keepLoose(change.snapshot)
    return
  }
  const { pool } = change
  const { target, counted, moment } = episode
  group.freshen(target)
  for (const stretch of found) target.addStretch(stretch)
  setFirstMoment(group, change, target, moment)
  extendLastSeen(group, target)
  countNew(group, pool, target, counted)
  if (counted.some((range) => range.from <= change.t && change.t <= range.to)) countOne(group, pool, target, change.slot)
  noteWindows(group, change.t, found)
  raiseSeverity(group, target, found)
  showEvent(group, target, change.snapshot)
  showLoose(group, target)
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

/** The alert whose range an event lies in although it makes nothing true, because the others have left. */
function reachingOver(group: Group, t: EpochMs): Affected | null {
  const target = group.episodes
    .neighbours(t)
    .find(({ firstTrue, end }) => isInOpening(group, t, firstTrue) || (t > firstTrue && t < end))
  if (target === undefined) return null
  return { target, counted: [{ from: target.firstSeen, to: target.lastSeen }], moment: target }
}

const isInOpening = (group: Group, t: EpochMs, firstTrue: EpochMs): boolean => t <= firstTrue && group.leaves(t) > firstTrue

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
