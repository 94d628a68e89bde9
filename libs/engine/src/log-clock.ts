import { type DurationMs, type EpochMs, HOUR_MS, MINUTE_MS } from './time.ts'

/** Append time may lie this far below log time before the broker's clock counts as having been wrong. */
const TOLERATED_MS: DurationMs = HOUR_MS
/** An event may be stamped this far ahead of log time. */
export const AHEAD_MS: DurationMs = 5 * MINUTE_MS

/** Log time of one partition (detection.md §1): the running maximum of append times. */
export class LogClock {
  now: EpochMs = Number.NEGATIVE_INFINITY

  /** Log time after a record of this append time. */
  after(appendTime: EpochMs): EpochMs {
    const isSetBack = this.now - appendTime > TOLERATED_MS && this.now !== Number.NEGATIVE_INFINITY
    return isSetBack ? appendTime : Math.max(appendTime, this.now)
  }

  /** Moves on with a record; tells whether log time was set back. */
  advance(appendTime: EpochMs): 'moved' | 'set back' {
    const before = this.now
    this.now = this.after(appendTime)
    return this.now < before ? 'set back' : 'moved'
  }
}

/** Event time: the event's stamp, or log time where the stamp is too far ahead of it. */
export function eventTime(stamp: EpochMs, logTime: EpochMs): { readonly t: EpochMs; readonly isSkewed: boolean } {
  const isSkewed = stamp - logTime > AHEAD_MS
  return { t: isSkewed ? logTime : stamp, isSkewed }
}
