import type { HeldEvents } from '../held/held-events.ts'
import { countBits } from '../held/rows-by-part.ts'
import type { PartsExpression } from './rule-condition.ts'

/**
 * What is counted of a window: its events, the sum of their values, how many different values they have, how many of the rules
 * have events in it, or in how many steps of an order.
 */
export type Unit = 'events' | 'sum' | 'distinct' | 'rules' | 'steps'

/** One comparison that a window has to meet. `gt n` is written as at least n + 1: all values are integers. */
export interface Requirement {
  readonly unit: Unit
  readonly atLeast: number
  /** For sums with fractions: above, not at. */
  readonly isStrict?: boolean
  /** For `rules`: decides in place of their number. */
  readonly expression?: PartsExpression | null
}

/** Of the rules that have events in a window. */
export const holdsOfParts = ({ atLeast, expression }: Requirement, parts: number): boolean =>
  expression === undefined || expression === null ? countBits(parts) >= atLeast : expression.holds(parts)
/** Whether the condition cannot hold of a window of this one event, whatever the time. */
export function isNothingAlone(requirements: readonly Requirement[], { value }: { readonly value: number }): boolean {
  for (const requirement of requirements) {
    const { unit, atLeast } = requirement
    if (unit === 'rules' ? !holdsOfParts(requirement, value) : atLeast > (unit === 'sum' ? value : 1)) return true
  }
  return false
}

/** Whether the condition cannot hold of any window of the events held. */
export function cannotHold(requirements: readonly Requirement[], held: HeldEvents): boolean {
  for (const { unit, atLeast } of requirements) {
    if (unit === 'events' && held.length < atLeast) return true
    if (unit === 'sum' && held.compareSum(0, held.length - 1, atLeast) < 0) return true
    if (unit === 'distinct' && held.distinct < atLeast) return true
    if (unit === 'steps' && !held.byPart.hasAll) return true
  }
  return false
}

const NONE = -1

/**
 * The largest position i for which the events i to j meet the requirement, or -1. More events never lower any of the three
 * values, so every earlier i meets it too: the window at a moment is true exactly while event i has not left it.
 */
function latestStart(held: HeldEvents, requirement: Requirement, j: number): number {
  switch (requirement.unit) {
    case 'events':
      return Math.max(NONE, j + 1 - requirement.atLeast)
    case 'sum':
      return latestStartOfSum(held, requirement, j)
    case 'distinct':
      return latestStartOfDistinct(held, requirement.atLeast, j)
    default:
      throw new TypeError(`${requirement.unit} are not decided by runs of events`)
  }
}

/** The same for all requirements together. */
export function latestStartOfAll(held: HeldEvents, requirements: readonly Requirement[], j: number): number {
  let start = j
  for (const requirement of requirements) {
    start = Math.min(start, latestStart(held, requirement, j))
    if (start === NONE) return NONE
  }
  return start
}

export function windowValue(held: HeldEvents, unit: Unit, from: number, to: number): number {
  switch (unit) {
    case 'events':
      return to - from + 1
    case 'sum':
      return held.sum(from, to)
    case 'distinct': {
      const seen = new Set<number>()
      for (let at = from; at <= to; at++) if (held.value(at) !== 0) seen.add(held.value(at))
      return seen.size
    }
    case 'rules':
      return countBits(held.byPart.within(held.t(from), held.t(to)))
    case 'steps':
      return held.byPart.parts
  }
}

function latestStartOfSum(held: HeldEvents, { atLeast, isStrict }: Requirement, j: number): number {
  let low = NONE
  let high = j
  while (low < high) {
    const middle = (low + high + 1) >> 1
    const above = held.compareSum(middle, j, atLeast)
    if (isStrict === true ? above > 0 : above >= 0) low = middle
    else high = middle - 1
  }
  return low
}

/** A group that never held enough values is answered at once, so that one name tried a million times costs nothing. */
function latestStartOfDistinct(held: HeldEvents, atLeast: number, j: number): number {
  if (held.distinct < atLeast) return NONE
  const seen = new Set<number>()
  for (let at = j; at >= 0; at--) {
    if (held.value(at) !== 0) seen.add(held.value(at))
    if (seen.size >= atLeast) return at
  }
  return NONE
}
