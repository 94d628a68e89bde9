import type { EpochMs } from '../time.ts'

/** A binary heap of things by the log time at which they are due. */
export class DeadlineHeap<T> {
  readonly #times: EpochMs[] = []
  readonly #things: T[] = []

  get length(): number {
    return this.#times.length
  }

  /** Log time of the earliest, Infinity where there is none. */
  get earliest(): EpochMs {
    return this.#times[0] ?? Number.POSITIVE_INFINITY
  }

  push(time: EpochMs, thing: T): void {
    let at = this.#times.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      if ((this.#times[parent] as EpochMs) <= time) break
      this.#times[at] = this.#times[parent] as EpochMs
      this.#things[at] = this.#things[parent] as T
      at = parent
    }
    this.#times[at] = time
    this.#things[at] = thing
  }

  /** Takes the earliest out; the heap is not empty. */
  pop(): T {
    const earliest = this.#things[0] as T
    const time = this.#times.pop() as EpochMs
    const thing = this.#things.pop() as T
    const length = this.#times.length
    if (length === 0) return earliest
    let at = 0
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && (this.#times[child + 1] as EpochMs) < (this.#times[child] as EpochMs)) child++
      if ((this.#times[child] as EpochMs) >= time) break
      this.#times[at] = this.#times[child] as EpochMs
      this.#things[at] = this.#things[child] as T
      at = child
    }
    this.#times[at] = time
    this.#things[at] = thing
    return earliest
  }

  clear(): void {
    this.#times.length = 0
    this.#things.length = 0
  }
}
