import { type EpochMs, HOUR_MS, MINUTE_MS, SECOND_MS } from '../time.ts'

const ZERO = 0x30
const MOST_DAYS = 1_000

/** Reads times of the form that ingest stores, `2026-01-31T23:59:59.999Z`, from bytes. */
export class StampReader {
  /** Beginnings of days, NaN for one that does not exist, by year, month and day as one number. */
  readonly #days = new Map<number, EpochMs>()
  #lastDay = Number.NaN
  #lastBeginning: EpochMs = Number.NaN

  /** Whole milliseconds of the time that lies at `from` to `to` (exclusive); NaN where it has another form, or is none. */
  read(bytes: Uint8Array, from: number, to: number): EpochMs {
    if (to - from !== 24) return Number.NaN
    if (
      bytes[from + 4] !== 0x2d || // -
      bytes[from + 7] !== 0x2d ||
      bytes[from + 10] !== 0x54 || // T
      bytes[from + 13] !== 0x3a || // :
      bytes[from + 16] !== 0x3a ||
      bytes[from + 19] !== 0x2e || // .
      bytes[from + 23] !== 0x5a // Z
    )
      return Number.NaN
    const day =
      twoDigits(bytes, from) * 1_000_000 +
      twoDigits(bytes, from + 2) * 10_000 +
      twoDigits(bytes, from + 5) * 100 +
      twoDigits(bytes, from + 8)
    const hour = twoDigits(bytes, from + 11)
    const minute = twoDigits(bytes, from + 14)
    const second = twoDigits(bytes, from + 17)
    const fraction = digit(bytes, from + 20) * 100 + twoDigits(bytes, from + 21)
    if (!(hour < 24 && minute < 60 && second < 60)) return Number.NaN
    if (day !== this.#lastDay) {
      this.#lastBeginning = this.#beginningOf(day)
      this.#lastDay = day
    }
    return this.#lastBeginning + hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + fraction
  }

  #beginningOf(day: number): EpochMs {
    if (Number.isNaN(day)) return Number.NaN
    const known = this.#days.get(day)
    if (known !== undefined) return known
    const digits = String(day).padStart(8, '0')
    const text = `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`
    const beginning = Date.parse(text)
    // Date.parse takes 30 February for 2 March.
    const exists = !Number.isNaN(beginning) && new Date(beginning).toISOString().startsWith(text)
    if (this.#days.size >= MOST_DAYS) this.#days.clear()
    this.#days.set(day, exists ? beginning : Number.NaN)
    return exists ? beginning : Number.NaN
  }
}

function digit(bytes: Uint8Array, at: number): number {
  const value = (bytes[at] as number) - ZERO
  return value >= 0 && value <= 9 ? value : Number.NaN
}

const twoDigits = (bytes: Uint8Array, at: number): number => digit(bytes, at) * 10 + digit(bytes, at + 1)
