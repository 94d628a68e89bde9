import type { Comparison } from '@tocsin/sigma'
import { countNew, countOne, showEvent, showLoose } from '../alerts/count-events.ts'
import type { Episode, Opening } from '../alerts/episode.ts'
import { episodeOf } from '../alerts/join-episodes.ts'
import type { Change } from '../alerts/update-episodes.ts'
import type { Group } from '../group.ts'
import type { EventPool } from '../held/event-pool.ts'
import { countBits } from '../held/rows-by-part.ts'
import type { OpeningEvent } from '../held/told-events.ts'
import { windowValue } from '../rules/requirement.ts'
import type { Settled } from '../rules/rule-condition.ts'
import type { EpochMs } from '../time.ts'
import { windowOf } from './settling.ts'

/** What deciding needs of the engine. */
export interface Deciding {
  readonly logTime: EpochMs
  readonly pool: EventPool
  /** Makes what a new alert has from its opening event, which came long ago. */
  open(group: Group, event: OpeningEvent, t: EpochMs): Opening
}

/** By what is below, at or above 0: a value less a limit. */
const MEETS: Readonly<Record<Comparison, (difference: number) => boolean>> = {
  gt: (difference) => difference > 0,
  gte: (difference) => difference >= 0,
  lt: (difference) => difference < 0,
  lte: (difference) => difference <= 0,
  eq: (difference) => difference === 0,
  neq: (difference) => difference !== 0,
}

/** Positions of the first and the last event of a window, and the times that bound it; all inclusive. */
interface Window {
  readonly from: EpochMs
  readonly to: EpochMs
  readonly first: number
  readonly last: number
}

/** Decides what is due by this log time, in order of event time (docs/detection.md D42, D43). */
export function settle(group: Group, deciding: Deciding): void {
  const { settled } = group.program.rule
  if (settled === null || group.size === 0) return
  for (const t of group.held.told.decideDue(deciding.logTime, group.settledTerms)) {
    const [from, to] = windowOf(group.settledTerms, t)
    const window = { from, to, first: group.held.lowerBound(from), last: group.held.upperBound(to) - 1 }
    if (holds(group, settled, window)) addMoment(group, t, window, deciding)
  }
}

/** One counted event of a rule whose condition is settled later: it belongs to the alert that it lies within, or waits. */
export function awaitSettling(group: Group, { pool, slot, t, snapshot }: Change): void {
  const target = group.episodes.neighbours(t).find(({ firstSeen, lastSeen }) => firstSeen <= t && t <= lastSeen)
  if (target === undefined) {
    group.keepLoose(snapshot)
    return
  }
  group.freshen(target)
  countOne(group, pool, target, slot)
  showEvent(group, target, snapshot)
}

function holds(group: Group, { comparisons }: Settled, window: Window): boolean {
  const { held, program, condition } = group
  const { rule } = program
  if (rule.expression !== null && !rule.expression.holds(held.byPart.within(window.from, window.to))) return false
  if (!comparisons.every(({ op, value }) => MEETS[op](compare(group, window, value)))) return false
  return condition.requirements.slice(1).every(({ atLeast }) => held.told.distinctIn(window.from, window.to) >= atLeast)
}

/** Below, at or above 0 where the window's value is below, at or above the limit. */
function compare(group: Group, window: Window, limit: number): number {
  return group.program.rule.unit === 'sum'
    ? group.held.compareSum(window.first, window.last, limit)
    : valueIn(group, window) - limit
}

function valueIn({ held, program }: Group, { from, to, first, last }: Window): number {
  switch (program.rule.unit) {
    case 'distinct':
      return held.told.distinctIn(from, to)
    case 'rules':
      return countBits(held.byPart.within(from, to))
    default:
      return windowValue(held, program.rule.unit, first, last)
  }
}

/** The condition is true at `t`: opens, extends and joins alerts, and carries their figures on. */
function addMoment(group: Group, t: EpochMs, window: Window, { logTime, pool, open }: Deciding): void {
  const moment = { from: t, to: t }
  const { target, counted, moment: known } = episodeOf(group, [moment], () => open(group, group.held.told.firstAt(t), t))
  const isOpened = known === null
  group.freshen(target)
  const told = figuresOf(target)
  target.addStretch(moment)
  if (isOpened) {
    target.lastCountedAt = Number.NEGATIVE_INFINITY
    target.peak = Number.NEGATIVE_INFINITY
  } else {
    target.firstSeen = known.firstSeen
    target.windowValue = known.windowValue
  }
  if (isOpened || t < known.firstTrue) {
    target.windowValue = valueIn(group, window)
    target.firstSeen = Math.min(target.firstSeen, group.held.t(window.first))
  }
  target.lastSeen = Math.max(target.lastSeen, t)
  if (compare(group, window, target.peak) > 0) target.peak = valueIn(group, window)
  const { count } = target
  countNew(group, pool, target, counted)
  if (target.count > count) target.countedAt = logTime
  const { escalateTo } = group.program.rule
  if (escalateTo !== null && group.held.hasMarkIn(t, t + 1)) target.raise(escalateTo)
  // A time may be decided again when its events were let go and others of that time came: nothing to tell then.
  if (figuresOf(target).some((figure, place) => figure !== told[place])) target.changed = true
  showLoose(group, target)
}

/** What an alert shows of its moments. */
const figuresOf = ({ firstTrue, firstSeen, lastSeen, peak, windowValue }: Episode): readonly number[] => [
  firstTrue,
  firstSeen,
  lastSeen,
  peak,
  windowValue,
]
