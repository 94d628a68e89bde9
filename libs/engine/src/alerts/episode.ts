import type { Severity } from '@tocsin/contracts'
import { severityRank } from '@tocsin/contracts'
import type { DurationMs, EpochMs } from '../time.ts'
import { type Interval, Stretches } from '../truth/stretches.ts'
import type { EvidenceLists } from './evidence.ts'

/** Different values that an alert tells of are counted up to here. */
export const MOST_NOTED = 10_000

/** What is fixed when an alert opens. */
export interface Opening {
  readonly id: string
  /** Offset of the opening record: which of two alerts is the older one. */
  readonly offset: bigint
  readonly createdAt: EpochMs
  readonly correlationId: string | null
}

/** One open alert: the stretches that belong to it and the figures so far. All times but `…At` are event times. */
export class Episode {
  readonly opening: Opening
  readonly stretches = new Stretches()
  /** The first moment at which the condition was true, and the end of the last stretch (F in detection.md). */
  firstTrue: EpochMs
  end: EpochMs
  /** F as far as closing goes: less than `end` only after log time was set back. */
  endForClosing: EpochMs
  firstSeen: EpochMs
  lastSeen: EpochMs
  /** Value of the window at `firstTrue`. */
  windowValue = 0
  count = 0
  /** Sum of the counted events' values, for rules that sum. */
  total = 0
  peak = 0
  severity: Severity
  /** Whether an event counted in it was not late. */
  live = false
  /** Whether events were refused for want of room, so that `count` is a lower bound. */
  lowerBound = false
  lastCountedAt: EpochMs
  /** Log time of the record that counted an event last: of a settled condition, long after that event came. */
  countedAt: EpochMs
  readonly noted = new Set<number>()
  readonly evidence: EvidenceLists = { first: [], newest: [] }
  /** 0 until it is published for the first time. */
  revision = 0
  publishedSize = 0
  publishedSeverity: Severity
  lastRevisionAt: EpochMs
  changed = true

  constructor(opening: Opening, first: Interval, severity: Severity) {
    this.opening = opening
    this.firstTrue = first.from
    this.end = first.to
    this.endForClosing = first.to
    this.firstSeen = first.from
    this.lastSeen = first.from
    this.severity = severity
    this.publishedSeverity = severity
    this.lastCountedAt = opening.createdAt
    this.countedAt = opening.createdAt
    this.lastRevisionAt = opening.createdAt
  }

  /** Whether a stretch from `from` to `to` belongs to this alert; `reach` is Q. */
  isReachedBy(from: EpochMs, to: EpochMs, reach: DurationMs): boolean {
    return from - this.end <= reach && this.firstTrue - to <= reach
  }

  addStretch(stretch: Interval): void {
    this.stretches.add(stretch)
    this.firstTrue = Math.min(this.firstTrue, stretch.from)
    if (stretch.to > this.end) {
      this.end = stretch.to
      this.endForClosing = stretch.to
    }
  }

  /** Severity never falls. */
  raise(severity: Severity): void {
    if (severityRank(severity) <= severityRank(this.severity)) return
    this.severity = severity
    this.changed = true
  }

  note(value: number): void {
    if (value !== 0 && this.noted.size < MOST_NOTED) this.noted.add(value)
  }
}
