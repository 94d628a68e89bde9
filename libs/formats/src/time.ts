/** Times of events: RFC 3339 to the stored form, and wall clocks of a zone to UTC. */

const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(?:([Zz])|([+-])(\d{2}):?(\d{2}))$/
const MINUTE_MS = 60_000
/** An audit event from before 1970 is a fault of its producer; and PostgreSQL has no year 0. */
const EARLIEST_MS = 0
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

export interface WallClock {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly millisecond: number
}

export type TimeReading = { readonly ms: number } | { readonly fault: 'format' | 'range' }

/** RFC 3339 with a zone and any fraction, cut to milliseconds. `format`: not that, or no such day; `range`: before 1970 or after 9999. */
export function readTime(text: string): TimeReading {
  const match = RFC_3339.exec(text)
  if (match === null) return { fault: 'format' }
  const [, year, month, day, hour, minute, second, fraction, , sign, zoneHour, zoneMinute] = match
  const clock = {
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    millisecond: Number((fraction ?? '0').slice(0, 3).padEnd(3, '0')),
  }
  if (!exists(clock) || Number(zoneHour ?? 0) > 23 || Number(zoneMinute ?? 0) > 59) return { fault: 'format' }
  const offset = (sign === '-' ? -1 : 1) * (Number(zoneHour ?? 0) * 60 + Number(zoneMinute ?? 0))
  const ms = asUtc(clock) - offset * MINUTE_MS
  return ms < EARLIEST_MS || ms > LATEST_MS ? { fault: 'range' } : { ms }
}

/** The stored form: UTC, milliseconds. */
export const formatTime = (ms: number): string => new Date(ms).toISOString()

/** Whether `text` is the stored form up to trailing zeros, so that nothing is lost by storing the other. */
export const isStoredForm = (text: string): boolean => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/.test(text)

/** No 31 February and no hour 24; a leap second is allowed and is the first moment of the next minute. */
export function exists({ year, month, day, hour, minute, second }: WallClock): boolean {
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 60) return false
  return day <= new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()
}

/** The wall clock read as UTC, in ms; also for the years 0 to 99, which Date.UTC takes for 1900 to 1999. */
function asUtc(clock: WallClock): number {
  const date = new Date(0)
  date.setUTCFullYear(clock.year, clock.month - 1, clock.day)
  date.setUTCHours(clock.hour, clock.minute, clock.second, clock.millisecond)
  return date.getTime()
}

/** A time zone by its IANA name; undefined where there is none of that name. */
export interface Zone {
  /** The moment of a wall clock in ms: the first instant after a gap, the earlier of two. */
  toMs(clock: WallClock): number
  /** The wall clock's year at a moment. */
  yearAt(ms: number): number
}

const UTC: Zone = { toMs: asUtc, yearAt: (ms) => new Date(ms).getUTCFullYear() }
const zones = new Map<string, Zone | undefined>([['UTC', UTC]])
/** Names come from requests: what is remembered must not grow with them. */
const MAX_ZONES = 1_000

export function zoneOf(name: string): Zone | undefined {
  if (!zones.has(name)) {
    if (zones.size >= MAX_ZONES) zones.clear()
    zones.set(name, name === 'UTC' ? UTC : makeZone(name))
  }
  return zones.get(name)
}

function makeZone(name: string): Zone | undefined {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'iso8601',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    return undefined
  }
  const wallAt = (ms: number): WallClock => {
    const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]))
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = part
    return { year, month, day, hour, minute, second, millisecond: 0 }
  }
  const offsets = new Map<number, number>()
  /** Offset from UTC in ms, asked once for each quarter of an hour: zones change at those only. */
  const offsetAt = (ms: number): number => {
    const quarter = Math.floor(ms / (15 * MINUTE_MS))
    let offset = offsets.get(quarter)
    if (offset === undefined) {
      if (offsets.size > 10_000) offsets.clear()
      const start = quarter * 15 * MINUTE_MS
      offset = asUtc(wallAt(start)) - start
      offsets.set(quarter, offset)
    }
    return offset
  }
  return {
    toMs: (clock) => {
      const wall = asUtc(clock)
      // Offsets a day on either side bracket every change; the larger one gives the earlier moment.
      const [before, after] = [offsetAt(wall - 86_400_000), offsetAt(wall + 86_400_000)]
      const candidates = [before, after].map((offset) => wall - offset).filter((ms) => offsetAt(ms) === wall - ms)
      if (candidates.length > 0) return Math.min(...candidates)
      return firstInstantAfterGap(wall, before, after, offsetAt)
    },
    yearAt: (ms) => wallAt(ms).year,
  }
}

/** The wall clock does not exist: the moment at which the clocks were set forward, found by halving. */
function firstInstantAfterGap(wall: number, before: number, after: number, offsetAt: (ms: number) => number): number {
  let low = wall - after
  let high = wall - before
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle) === before) low = middle
    else high = middle
  }
  return high
}
