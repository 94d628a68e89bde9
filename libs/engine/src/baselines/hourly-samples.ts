export const HOURS_OF_WEEK = 168
/** Samples kept of one hour of the week. */
const KEPT_OF_HOUR = 8

/** The largest window value of each hour of log time that had one; hours are counted from 1970, UTC. At most 8 × 168. */
export class HourlySamples {
  /** In order of time. */
  readonly #hours: number[] = []
  readonly #values: number[] = []

  get length(): number {
    return this.#hours.length
  }

  /** -Infinity where there is none. */
  get newestHour(): number {
    return this.#hours.at(-1) ?? Number.NEGATIVE_INFINITY
  }

  /** Of an hour after all others. */
  add(hour: number, value: number): void {
    this.#hours.push(hour)
    this.#values.push(value)
    const ofHour = this.#hours.flatMap((each, index) => (isSameHourOfWeek(each, hour) ? [index] : []))
    if (ofHour.length <= KEPT_OF_HOUR) return
    this.#hours.splice(ofHour[0] as number, 1)
    this.#values.splice(ofHour[0] as number, 1)
  }

  /** The last 8 of the same hour of the week. */
  ofHourOfWeek(hour: number): number[] {
    return this.#values.filter((_, index) => isSameHourOfWeek(this.#hours[index] as number, hour))
  }

  /** Those of the 168 hours before it. */
  ofLastWeek(hour: number): number[] {
    return this.#values.filter((_, index) => (this.#hours[index] as number) >= hour - HOURS_OF_WEEK)
  }

  /** Log time went back: what came from then on is forgotten. */
  forgetFrom(hour: number): void {
    while (this.newestHour >= hour) {
      this.#hours.pop()
      this.#values.pop()
    }
  }

  /** Hour and value in turn, in order of time. */
  *pairs(): Generator<readonly [hour: number, value: number]> {
    for (const [index, hour] of this.#hours.entries()) yield [hour, this.#values[index] as number]
  }
}

const isSameHourOfWeek = (one: number, other: number): boolean => (one - other) % HOURS_OF_WEEK === 0
