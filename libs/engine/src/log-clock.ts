import { type DurationMs, type EpochMs, HOUR_MS, MINUTE_MS } from './time.ts'

/** Append time may lie this far below log time before the broker's clock counts as having been wrong. */
const TOLERATED_MS: DurationMs = HOUR_MS
/** An event may be stamped this far ahead of log time. */
const AHEAD_MS: DurationMs = 5 * MINUTE_MS

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

/** Whether a stamp is too far ahead of log time: event time is log time then, else the stamp. */
export const isAhead = (stamp: EpochMs, logTime: EpochMs): boolean => stamp - logTime > AHEAD_MS
