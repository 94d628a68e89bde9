import type { OrganizationSettings } from '@tocsin/contracts'
import { DAY_MS, type EpochMs, HOUR_MS } from '../time.ts'
import { type LocalMs, type Zone, zoneOf } from './zone.ts'

/** A night is cut into pieces of this length, counted from its beginning (detection.md §3). */
const LONGEST_NIGHT_MS = 7 * DAY_MS
/** How far back the beginning of a night is looked for. */
const LONGEST_HOLIDAY_DAYS = 400
/** Where pieces are counted from when there was no business hour for that long: a Monday, 00:00 local. */
const FIRST_MONDAY: LocalMs = Date.UTC(2001, 0, 1)

/** Local hours of day; off hours run from `start` (inclusive) to `end` (exclusive). */
export interface Hours {
  readonly start: number
  readonly end: number
}

/** Time outside business hours, `[start, end)`. */
export interface Night {
  readonly start: EpochMs
  readonly end: EpochMs
  /** Hours of the calendar that made it. */
  readonly hours: Hours
}

interface Business {
  readonly from: EpochMs
  readonly to: EpochMs
}

/** Business hours of one organization: its zone, its hours, its holidays; Saturday and Sunday are off. */
export class Calendar {
  readonly hours: Hours
  readonly #zone: Zone
  readonly #holidays: ReadonlySet<string>
  readonly #days = new Map<LocalMs, readonly Business[]>()
  #lastNight: Night | null = null
  #lastBusiness: Business = { from: 0, to: 0 }

  constructor(defaults: Hours, settings: OrganizationSettings) {
    this.hours = { start: settings.offHoursStart ?? defaults.start, end: settings.offHoursEnd ?? defaults.end }
    this.#zone = zoneOf(settings.zone ?? 'UTC')
    this.#holidays = new Set(settings.holidays ?? [])
  }

  /** The night that holds `t`, or null within business hours. */
  nightOf(t: EpochMs): Night | null {
    const last = this.#lastNight
    if (last !== null && last.start <= t && t < last.end) return last
    const { from, to } = this.#lastBusiness
    if (from <= t && t < to) return null
    const today = startOfDay(this.#zone.localOf(t))
    const business = this.#businessOf(today).find((hours) => hours.from <= t && t < hours.to)
    if (business !== undefined) {
      this.#lastBusiness = business
      return null
    }
    const start = this.#startOfNight(t, today)
    const piece = start + Math.floor((t - start) / LONGEST_NIGHT_MS) * LONGEST_NIGHT_MS
    const end = Math.min(piece + LONGEST_NIGHT_MS, this.#nextBusiness(t, today))
    const night: Night = { start: piece, end, hours: this.hours }
    this.#lastNight = night
    return night
  }

  #startOfNight(t: EpochMs, today: LocalMs): EpochMs {
    for (let back = -1; back <= LONGEST_HOLIDAY_DAYS; back++) {
      const ended = this.#businessOf(today - back * DAY_MS).findLast(({ to }) => to <= t)
      if (ended !== undefined) return ended.to
    }
    return this.#zone.instantOf(FIRST_MONDAY)
  }

  /** The next beginning of business hours, Infinity when the night is cut before it. */
  #nextBusiness(t: EpochMs, today: LocalMs): EpochMs {
    for (let ahead = -1; ahead <= LONGEST_NIGHT_MS / DAY_MS + 1; ahead++) {
      const begins = this.#businessOf(today + ahead * DAY_MS).find(({ from }) => from > t)
      if (begins !== undefined) return begins.from
    }
    return Number.POSITIVE_INFINITY
  }

  #businessOf(day: LocalMs): readonly Business[] {
    const known = this.#days.get(day)
    if (known !== undefined) return known
    if (this.#days.size > 1000) this.#days.clear()
    const business = this.#isWorkingDay(day) ? this.#workingHours(day) : []
    this.#days.set(day, business)
    return business
  }

  #isWorkingDay(day: LocalMs): boolean {
    const date = new Date(day)
    const weekday = date.getUTCDay()
    return weekday !== 0 && weekday !== 6 && !this.#holidays.has(date.toISOString().slice(0, 10))
  }

  /** What the hours leave of a day; where `start` is the earlier one, that is a piece before and a piece after. */
  #workingHours(day: LocalMs): Business[] {
    const { start, end } = this.hours
    const pieces =
      start > end
        ? [[end, start]]
        : start === end
          ? [[0, 24]]
          : [
              [0, start],
              [end, 24],
            ]
    return pieces
      .map(([from = 0, to = 0]) => ({
        from: this.#zone.instantOf(day + from * HOUR_MS),
        to: this.#zone.instantOf(day + to * HOUR_MS),
      }))
      .filter(({ from, to }) => from < to)
  }
}

const startOfDay = (local: LocalMs): LocalMs => Math.floor(local / DAY_MS) * DAY_MS
