import type { HeldEvents } from '../held/held-events.ts'
import { holdsOfParts, latestStartOfAll, type Requirement } from '../rules/requirement.ts'
import type { EpochMs } from '../time.ts'
import { addRun, type Leaves } from './run.ts'
import { type Interval, Stretches } from './stretches.ts'
import { distinctTruthThrough } from './truth-of-distinct.ts'
import { truthOfPartsFrom } from './truth-of-parts.ts'
import { truthOfStepsAt } from './truth-of-steps.ts'

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
): readonly Interval[] {
  const byParts = truthByParts(held, requirements, leaves)
  if (byParts !== null) return byParts(held.t(position))
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
  const byParts = truthByParts(held, requirements, leaves)
  if (byParts !== null) {
    for (let j = 0; j < held.length; j = held.upperBound(held.t(j))) for (const each of byParts(held.t(j))) found.add(each)
    return [...found.all()]
  }
  for (let j = 0; j < held.length; j++) {
    const i = latestStartOfAll(held, requirements, j)
    if (i >= 0) addRun(found, held, leaves, i, j)
  }
  return [...found.all()]
}

/** For conditions on rules: what is true by events of a time; null for others. */
function truthByParts(
  held: HeldEvents,
  [requirement]: readonly Requirement[],
  leaves: Leaves,
): ((t: EpochMs) => readonly Interval[]) | null {
  if (requirement?.unit === 'rules')
    return (t) => truthOfPartsFrom(held.byPart, (parts) => holdsOfParts(requirement, parts), leaves, t)
  return requirement?.unit === 'steps' ? (t) => truthOfStepsAt(held.byPart, leaves, t) : null
}
