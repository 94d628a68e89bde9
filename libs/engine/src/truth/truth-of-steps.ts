import type { RowsByPart } from '../held/rows-by-part.ts'
import type { EpochMs } from '../time.ts'
import type { Leaves } from './run.ts'
import { type Interval, Stretches } from './stretches.ts'

/**
 * When windows hold an event of each rule in order (`temporal_ordered`), as far as events of time `t` take part in it.
 *
 * For each step that an event of `t` may be the first to serve: as many further steps as events of `t` can serve; the steps
 * before as late as possible, those after as early as possible. Such a row of events is in the window from its end until
 * its beginning leaves, and no other row through `t` is there longer.
 */
export function truthOfStepsAt(rows: RowsByPart, leaves: Leaves, t: EpochMs): readonly Interval[] {
  const found = new Stretches()
  for (let first = 0; first < rows.parts; first++) {
    const next = serve(rows, t, first, 1)
    if (next === first) continue
    const from = earliestEnd(rows, t, next)
    if (from === Number.POSITIVE_INFINITY) continue
    const begin = latestBeginning(rows, t, first - 1)
    if (begin === Number.NEGATIVE_INFINITY) continue
    const to = leaves(begin)
    if (to > from) found.add({ from, to })
  }
  return found.all()
}

/** When the steps from `step` on are done soonest by events after `t`. */
function earliestEnd(rows: RowsByPart, t: EpochMs, step: number): EpochMs {
  let time = t
  for (let next = step; next < rows.parts; ) {
    time = rows.firstFrom(next, time + 1)
    if (time === Number.POSITIVE_INFINITY) return time
    next = serve(rows, time, next, 1)
  }
  return time
}

/** When the steps up to `step` begin latest, by events before `t`. */
function latestBeginning(rows: RowsByPart, t: EpochMs, step: number): EpochMs {
  let time = t
  for (let next = step; next >= 0; ) {
    time = rows.lastUpTo(next, time - 1)
    if (time === Number.NEGATIVE_INFINITY) return time
    next = serve(rows, time, next, -1)
  }
  return time
}

/**
 * The first step, from `step` on in that direction, that events of time `t` do not serve any more, each event serving one.
 * Events of one time may be taken in either order, so this is a matching: a step that finds its events taken asks the steps
 * that took them to take others. As many events a step as there are steps are enough to choose from.
 */
function serve(rows: RowsByPart, t: EpochMs, step: number, direction: 1 | -1): number {
  const servedBy = new Map<number, readonly number[]>()
  let next = step
  for (; next >= 0 && next < rows.parts; next += direction) {
    const events = rows.at(next, t, rows.parts)
    if (!take(events, servedBy, new Set())) break
  }
  return next
}

/** @param servedBy for each event that is taken, the events among which its step may choose */
function take(events: readonly number[], servedBy: Map<number, readonly number[]>, asked: Set<number>): boolean {
  for (const event of events) {
    if (asked.has(event)) continue
    asked.add(event)
    const others = servedBy.get(event)
    if (others === undefined || take(others, servedBy, asked)) {
      servedBy.set(event, events)
      return true
    }
  }
  return false
}
