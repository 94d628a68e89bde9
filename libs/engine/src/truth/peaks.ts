import type { Group } from '../group.ts'
import { windowValue } from '../rules/requirement.ts'
import type { Interval } from './stretches.ts'

/**
 * Brings the peaks of the group's alerts up to date. A new event can raise every window that holds it, so that many events in
 * a bad order would cost the square of their number; therefore the range they touched is only remembered
 * (`group.unsettled`), and gone through before a peak is read and before an event is let go.
 */
export function settlePeaks(group: Group): void {
  const { unsettled } = group
  if (unsettled === null) return
  const { held } = group
  group.unsettled = null
  const { unit } = group.condition.requirements[0]
  const baseline = group.owner.baselines?.of(group) ?? null
  const first = lastOfTime(group, held.lowerBound(unsettled.from))
  const values = unit === 'distinct' && first < held.length ? new SlidingValues(group, first) : null
  // Of events of one time, the last one's window is that of the moment.
  for (let at = first; at < held.length; at = lastOfTime(group, at + 1)) {
    const t = held.t(at)
    if (t >= unsettled.to) break
    const sliding = values === null ? null : values.upTo(at)
    const episode = group.episodes.trueAt(t)
    if (episode === null && baseline === null) continue
    const start = group.windowStart(t)
    if (episode !== null && baseline === null && unit === 'sum' && held.compareSum(start, at, episode.peak) <= 0) continue
    const value = sliding ?? windowValue(held, unit, start, at)
    baseline?.note(value)
    if (episode !== null) episode.peak = Math.max(episode.peak, value)
  }
}

/** Remembers that windows at moments of this range may have grown. */
export function unsettle(group: Group, { from, to }: Interval): void {
  const { unsettled } = group
  if (unsettled === null) group.unsettled = { from, to }
  else if (from < unsettled.from || to > unsettled.to)
    group.unsettled = { from: Math.min(from, unsettled.from), to: Math.max(to, unsettled.to) }
}

function lastOfTime({ held }: Group, position: number): number {
  if (position + 1 >= held.length || held.t(position + 1) > held.t(position)) return position
  return held.upperBound(held.t(position)) - 1
}

/** How many different values the window has while it slides on: each event enters and leaves once. */
class SlidingValues {
  readonly #group: Group
  readonly #counts = new Map<number, number>()
  #from: number
  #to: number

  constructor(group: Group, first: number) {
    this.#group = group
    this.#from = group.windowStart(group.held.t(first))
    this.#to = this.#from
  }

  /** Of the window whose last event stands at `position`; positions are asked for in order. */
  upTo(position: number): number {
    const { held } = this.#group
    while (this.#to <= position) this.#change(held.value(this.#to++), 1)
    const start = this.#group.windowStart(held.t(position))
    while (this.#from < start) this.#change(held.value(this.#from++), -1)
    return this.#counts.size
  }

  #change(value: number, by: number): void {
    if (value === 0) return
    const count = (this.#counts.get(value) ?? 0) + by
    if (count === 0) this.#counts.delete(value)
    else this.#counts.set(value, count)
  }
}
