import type { EpochMs } from '../time.ts'

/** Counted events in order of time, with a value each (held-events.ts). */
interface ValuesInOrder {
  readonly length: number
  value(position: number): number
  lowerBound(t: EpochMs): number
  upperBound(t: EpochMs): number
}

/**
 * How many different values a window has that slides over the events, so that each enters and leaves once however often it is asked.
 * What enters or leaves the group meanwhile has to be told.
 */
export class WindowValues {
  readonly #counts = new Map<number, number>()
  /** Times of the window, both inclusive; none while `from` is after `to`. */
  #from: EpochMs = 0
  #to: EpochMs = -1

  enter(t: EpochMs, value: number): void {
    if (t >= this.#from && t <= this.#to) this.#change(value, 1)
  }

  leave(t: EpochMs, value: number): void {
    if (t >= this.#from && t <= this.#to) this.#change(value, -1)
  }

  /** Of the events from `from` to `to`, both inclusive. */
  count(held: ValuesInOrder, from: EpochMs, to: EpochMs): number {
    if (from > this.#to || to < this.#from) {
      this.#counts.clear()
      this.#walk(held, held.lowerBound(from), held.upperBound(to), 1)
    } else {
      this.#walk(held, held.lowerBound(this.#from), held.lowerBound(from), -1)
      this.#walk(held, held.lowerBound(from), held.lowerBound(this.#from), 1)
      this.#walk(held, held.upperBound(this.#to), held.upperBound(to), 1)
      this.#walk(held, held.upperBound(to), held.upperBound(this.#to), -1)
    }
    this.#from = from
    this.#to = to
    return this.#counts.size
  }

  #walk(held: ValuesInOrder, begin: number, end: number, by: 1 | -1): void {
    for (let at = begin; at < end; at++) this.#change(held.value(at), by)
  }

  #change(value: number, by: 1 | -1): void {
    if (value === 0) return
    const count = (this.#counts.get(value) ?? 0) + by
    if (count === 0) this.#counts.delete(value)
    else this.#counts.set(value, count)
  }
}
