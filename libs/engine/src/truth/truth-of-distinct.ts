import type { HeldEvents } from '../held/held-events.ts'
import { addRun, type Leaves } from './run.ts'
import { type Interval, Stretches } from './stretches.ts'

/** A window holds when it has this many events and, among them, this many different values. */
interface Distinct {
  readonly events: number
  readonly values: number
}

const NONE = -1

/**
 * The same as `truthThrough` for conditions that count different values, without going through the window for each event:
 * one name tried a million times beside two others would cost the square.
 *
 * The event x at `position`, of value v, makes something true in two ways only. (A) By being one more event: then the shortest
 * run of enough events up to j already has enough values. (B) By bringing v nearer: then v does not occur again between x and
 * j, and going back from x, enough other values are met before v. Else the window was true before x came, or is not true now.
 */
export function distinctTruthThrough(held: HeldEvents, need: Distinct, leaves: Leaves, position: number): Interval[] {
  const found = new Stretches()
  if (held.distinct < need.values) return []
  const gone = leaves(held.t(position))
  const value = held.value(position)
  /** Other values between x and j, and whether v is there again. */
  const later = new Set<number>()
  let recurs = value === 0
  let start = NONE
  let known = NONE
  for (let j = position; j < held.length && held.t(j) < gone; j++) {
    if (j > position) {
      const next = held.value(j)
      if (next === value) recurs = true
      else if (next !== 0) later.add(next)
    }
    const byCount = j + 1 - need.events
    if (byCount > position && later.size + (recurs && value !== 0 ? 1 : 0) >= need.values) break
    if (byCount < 0) continue
    if (byCount <= position && hasValues(held, byCount, j, need.values)) addRun(found, held, leaves, byCount, j)
    else if (!recurs && later.size < need.values) {
      if (later.size !== known) start = startBefore(held, leaves, position, later, need.values - 1, held.t(j))
      known = later.size
      if (start !== NONE) addRun(found, held, leaves, Math.min(start, byCount), j)
    }
  }
  return [...found.all()]
}

/** (B) Where `others` values but v have been met, going back from x; none when v is met first or the window ends. */
function startBefore(
  held: HeldEvents,
  leaves: Leaves,
  position: number,
  later: ReadonlySet<number>,
  others: number,
  at: number,
): number {
  if (later.size >= others) return position
  const value = held.value(position)
  const met = new Set(later)
  for (let index = position - 1; index >= 0 && leaves(held.t(index)) > at; index--) {
    const each = held.value(index)
    if (each === value) return NONE
    if (each !== 0) met.add(each)
    if (met.size >= others) return index
  }
  return NONE
}

function hasValues(held: HeldEvents, from: number, to: number, values: number): boolean {
  const seen = new Set<number>()
  for (let index = to; index >= from && seen.size < values; index--) if (held.value(index) !== 0) seen.add(held.value(index))
  return seen.size >= values
}
