import type { OrganizationSettings } from '@tocsin/contracts'

/** Half-open, epoch milliseconds. */
export interface Interval {
  readonly begin: number
  readonly end: number
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Nights are cut every 168 h. */
const WEEK = 168 * HOUR
/** How far from the stream's first day the model's calendar reaches. */
const DAYS_AROUND = 60

const formats = new Map<string, Intl.DateTimeFormat>()

/** Local minus UTC at an instant, in milliseconds. */
function offsetAt(zone: string, instant: number): number {
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(zone, format)
  }
  const part = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]))
  const local = Date.UTC(part['year'] ?? 0, (part['month'] ?? 1) - 1, part['day'], part['hour'], part['minute'], part['second'])
  return local - Math.floor(instant / 1000) * 1000
}

/**
 * The instant of a local time (given as if it were UTC): of two, the earlier; of none, the first instant after the gap.
 * Found by trying every minute of the two days around: slow, and plain to see.
 */
export function instantOf(zone: string, local: number): number {
  for (const offset of [offsetAt(zone, local - DAY), offsetAt(zone, local + DAY)].sort((a, b) => b - a)) {
    if (offsetAt(zone, local - offset) === offset) return local - offset
  }
  for (let instant = local - DAY; instant < local + DAY; instant += 60_000) {
    if (instant + offsetAt(zone, instant) >= local) return instant
  }
  throw new Error('no such instant')
}

const known = new Map<string, Interval[]>()

/** Business hours of every business day around `day0` (midnight UTC of some day), in order. */
export function businessHours(settings: OrganizationSettings, day0: number): Interval[] {
  const { zone = 'UTC', holidays = [], offHoursStart = 18, offHoursEnd = 8 } = settings
  const key = JSON.stringify([zone, holidays, offHoursStart, offHoursEnd, day0])
  const before = known.get(key)
  if (before !== undefined) return before
  const hours: Interval[] = []
  for (let day = day0 - DAYS_AROUND * DAY; day <= day0 + DAYS_AROUND * DAY; day += DAY) {
    const date = new Date(day)
    const weekend = date.getUTCDay() === 0 || date.getUTCDay() === 6
    if (weekend || holidays.includes(date.toISOString().slice(0, 10))) continue
    const begin = instantOf(zone, day + offHoursEnd * HOUR)
    const end = instantOf(zone, day + offHoursStart * HOUR)
    if (begin < end) hours.push({ begin, end })
  }
  known.set(key, hours)
  return hours
}

/** The night (or its piece of 168 h) that holds `t`; undefined within business hours. */
export function nightAt(hours: readonly Interval[], t: number): Interval | undefined {
  if (hours.some(({ begin, end }) => begin <= t && t < end)) return undefined
  const before = hours.filter(({ end }) => end <= t).at(-1)
  const after = hours.find(({ begin }) => begin > t)
  if (before === undefined || after === undefined) throw new Error('the event lies outside the calendar of the model')
  const begin = before.end + Math.floor((t - before.end) / WEEK) * WEEK
  return { begin, end: Math.min(begin + WEEK, after.begin) }
}
