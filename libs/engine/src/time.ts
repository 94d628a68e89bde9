/** Milliseconds since 1970-01-01T00:00:00Z, an integer. */
export type EpochMs = number
/** A length of time in milliseconds, an integer. */
export type DurationMs = number

export const SECOND_MS: DurationMs = 1000
export const MINUTE_MS: DurationMs = 60_000
export const HOUR_MS: DurationMs = 3_600_000
export const DAY_MS: DurationMs = 86_400_000

/** By the letters in which rules write lengths of time. */
export const UNIT_MS: Readonly<Record<string, DurationMs>> = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS }

/** Dates of days, each in one place only: an alert tells of event times and of log time, which may lie days apart. */
const PLACES = 16
const days = new Array<number>(PLACES).fill(Number.NaN)
const dates = new Array<string>(PLACES).fill('')
const digits = (places: number) => Array.from({ length: 10 ** places }, (_, number) => String(number).padStart(places, '0'))
const two = digits(2)
const three = digits(3)

/** As Date.toISOString, whose cost showed: an alert has a hundred of them, mostly of one day. */
export function isoTime(time: EpochMs): string {
  const day = Math.floor(time / DAY_MS)
  const place = day & (PLACES - 1)
  if (days[place] !== day) {
    dates[place] = new Date(time).toISOString().slice(0, -13)
    days[place] = day
  }
  const ms = time - day * DAY_MS
  const hour = two[Math.floor(ms / HOUR_MS)]
  const minute = two[Math.floor(ms / MINUTE_MS) % 60]
  const second = two[Math.floor(ms / SECOND_MS) % 60]
  return `${dates[place]}${hour}:${minute}:${second}.${three[ms % SECOND_MS]}Z`
}
