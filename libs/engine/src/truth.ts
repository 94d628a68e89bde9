import type { HeldEvents } from './held-events.ts'
import { latestStartOfAll, type Requirement } from './requirement.ts'
import { addRun, type Leaves } from './run.ts'
import { type Interval, Stretches } from './stretches.ts'
import { distinctTruthThrough } from './truth-of-distinct.ts'

/**
 * The moments at which the condition is true by runs of events that contain the one at `position`. Whatever was true before
 * it came is true still, so this is all that it can have added. An event that is the newest costs one step; one in the middle
 * at most as many as its run has events.
 */
export function truthThrough(
  held: HeldEvents,
  requirements: readonly Requirement[],
  leaves: Leaves,
  position: number,
): Interval[] {
  const distinct = requirements.find(({ unit }) => unit === 'distinct')
  if (distinct !== undefined) {
    const events = requirements.find(({ unit }) => unit === 'events')
    return distinctTruthThrough(held, { events: events?.atLeast ?? 1, values: distinct.atLeast }, leaves, position)
  }
  const found = new Stretches()
  const gone = leaves(held.t(position))
  for (let j = position; j < held.length && held.t(j) < gone; j++) {
    const i = latestStartOfAll(held, requirements, j)
    if (i > position) break
    if (i >= 0) addRun(found, held, leaves, i, j)
  }
  return [...found.all()]
}

/** All moments at which the condition is true by the events held. */
export function wholeTruth(held: HeldEvents, requirements: readonly Requirement[], leaves: Leaves): Interval[] {
  const found = new Stretches()
  for (let j = 0; j < held.length; j++) {
    const i = latestStartOfAll(held, requirements, j)
    if (i >= 0) addRun(found, held, leaves, i, j)
  }
  return [...found.all()]
}
