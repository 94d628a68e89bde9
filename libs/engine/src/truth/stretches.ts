import type { EpochMs } from '../time.ts'

/** A half-open interval of event time, `[from, to)`; where both are the same, that moment. */
export interface Interval {
  readonly from: EpochMs
  readonly to: EpochMs
}

/** Memory of one alert that stays open for weeks; older ones are forgotten first. */
const MAX_STRETCHES = 10_000

/** Disjoint intervals in order of time, none touching the next: the moments at which a condition is known to be true. */
export class Stretches {
  readonly #intervals: Interval[] = []

  get length(): number {
    return this.#intervals.length
  }

  get first(): Interval {
    return this.#intervals[0] as Interval
  }

  get last(): Interval {
    return this.#intervals[this.#intervals.length - 1] as Interval
  }

  all(): readonly Interval[] {
    return this.#intervals
  }

  add({ from, to }: Interval): void {
    const intervals = this.#intervals
    let begin = intervals.length
    while (begin > 0 && (intervals[begin - 1] as Interval).to >= from) begin--
    let end = begin
    let merged = { from, to }
    while (end < intervals.length && (intervals[end] as Interval).from <= merged.to) {
      const next = intervals[end] as Interval
      merged = { from: Math.min(merged.from, next.from), to: Math.max(merged.to, next.to) }
      end++
    }
    if (end - begin === 1) intervals[begin] = merged
    else intervals.splice(begin, end - begin, merged)
    if (intervals.length > MAX_STRETCHES) intervals.shift()
  }

  contains(t: EpochMs): boolean {
    let low = 0
    let high = this.#intervals.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#intervals[middle] as Interval).from <= t) low = middle + 1
      else high = middle
    }
    const last = this.#intervals[low - 1]
    return last !== undefined && (t < last.to || t === last.from)
  }
}
