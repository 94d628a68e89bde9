import { DAY_MS, type DurationMs, type EpochMs, HOUR_MS, MINUTE_MS, SECOND_MS } from '../time.ts'

/** A local date and time written as if it were UTC: 2026-03-29 02:30 in Berlin is the number of 2026-03-29T02:30Z. */
export type LocalMs = number

const QUARTER_MS: DurationMs = 15 * MINUTE_MS
const MOST_QUARTERS = 10_000
/** Of a quarter of an hour within which the offset changes. */
const CHANGES: DurationMs = Number.NaN

/** One takes 60 µs to make and 29 KB of memory (measured); thousands of organizations share the few hundred that exist. */
const zones = new Map<string, Zone>()

/** @throws RangeError for an unknown zone */
export function zoneOf(name: string): Zone {
  let zone = zones.get(name)
  if (zone === undefined) {
    zone = new Zone(name)
    zones.set(name, zone)
  }
  return zone
}

/** Local time of one IANA zone, from the time zone data that Node carries. */
export class Zone {
  readonly name: string
  readonly #format: Intl.DateTimeFormat
  readonly #offsets = new Map<number, DurationMs>()

  constructor(name: string) {
    this.name = name
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  localOf(t: EpochMs): LocalMs {
    return t + this.#offsetAt(t)
  }

  /** Formatting is slow, and most quarters of an hour have one offset from end to end. */
  #offsetAt(t: EpochMs): DurationMs {
    const quarter = Math.floor(t / QUARTER_MS)
    let offset = this.#offsets.get(quarter)
    if (offset === undefined) {
      const begin = this.#formattedOffset(quarter * QUARTER_MS)
      offset = begin === this.#formattedOffset((quarter + 1) * QUARTER_MS - 1) ? begin : CHANGES
      if (this.#offsets.size >= MOST_QUARTERS) this.#offsets.clear()
      this.#offsets.set(quarter, offset)
    }
    return Number.isNaN(offset) ? this.#formattedOffset(t) : offset
  }

  #formattedOffset(t: EpochMs): DurationMs {
    const seconds = Math.floor(t / SECOND_MS) * SECOND_MS
    const parts: Record<string, number> = {}
    for (const { type, value } of this.#format.formatToParts(seconds)) parts[type] = Number(value)
    const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
    return Date.UTC(year, month - 1, day, hour, minute, second) - seconds
  }

  /** The instant of a local time: the earlier of two, and the first instant after the gap where there is none. */
  instantOf(local: LocalMs): EpochMs {
    const before = this.#offsetAt(local - DAY_MS)
    const after = this.#offsetAt(local + DAY_MS)
    const instants = [local - before, local - after].filter((instant) => this.localOf(instant) === local)
    return instants.length > 0 ? Math.min(...instants) : this.#endOfGap(local, before)
  }

  /** The moment within a day of `local` at which the offset changes from `before`, found by halving. */
  #endOfGap(local: LocalMs, before: DurationMs): EpochMs {
    let low = local - before - 12 * HOUR_MS
    let high = local - before + 12 * HOUR_MS
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (this.#offsetAt(middle) === before) low = middle
      else high = middle
    }
    return high
  }
}
