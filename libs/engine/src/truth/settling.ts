import { DeadlineHeap } from '../held/deadline-heap.ts'
import type { EventPool } from '../held/event-pool.ts'
import { lowerBound, placeOf, upperBound } from '../held/row-order.ts'
import { SlotList } from '../held/slot-list.ts'
import type { DurationMs, EpochMs } from '../time.ts'

/** The windows of a settled condition, and how long they wait. Times are whole milliseconds. */
export interface SettledTerms {
  /** `[t, t + span)` in place of `(t - span, t]`. */
  readonly isAhead: boolean
  readonly latenessMs: DurationMs
  /** First time whose events are in a window that ends at `t`. */
  opens(t: EpochMs): EpochMs
  /** First time at which an event of time `t` is in the window no more. */
  leaves(t: EpochMs): EpochMs
}

/** First and last time of the window at `t`. */
export const windowOf = ({ isAhead, opens, leaves }: SettledTerms, t: EpochMs): readonly [from: EpochMs, to: EpochMs] =>
  isAhead ? [t, leaves(t) - 1] : [opens(t), t]

/** First and last time of the windows in which an event of time `t` is. */
const windowsWith = ({ isAhead, opens, leaves }: SettledTerms, t: EpochMs): readonly [from: EpochMs, to: EpochMs] =>
  isAhead ? [opens(t), t] : [t, leaves(t) - 1]

/** Events of a window that are asked for their arrival before it is looked at again. */
const ASKED = 16

/**
 * When the windows of a settled condition are decided (docs/detection.md D42): each event time once, when log time is more than the
 * lateness past the window's end and past the arrival of every event in it.
 *
 * 1. A time is looked at no later than it is due: its entry among the deadlines is never too late, and put back where it was too early.
 * 2. Whether a window waits for an arrival is found among the events that came within the lateness (`#fresh`), so that windows of
 *    100,000 events are not walked.
 * 3. A decided time is remembered as long as an event of that time is held.
 */
export class Settling {
  readonly #pool: EventPool
  /** Rows of decided times, and those whose lateness is not over: both in order of time. */
  readonly #decided = new SlotList()
  #fresh = new SlotList()
  /** Fresh rows by arrival. */
  readonly #arrivals = new DeadlineHeap<number>()
  /** (1.) Times by when they may be due. */
  readonly #due = new DeadlineHeap<EpochMs>()
  /** Times that have come and are not yet among the deadlines. */
  #entered: { readonly t: EpochMs; readonly arrival: EpochMs }[] = []

  constructor(pool: EventPool) {
    this.#pool = pool
  }

  enter(slot: number): void {
    const t = this.#pool.t(slot)
    const arrival = this.#pool.arrival(slot)
    this.#fresh.insert(placeOf(this.#pool, this.#fresh, slot), slot)
    this.#arrivals.push(arrival, slot)
    if (this.#hasDecidedIn(t, t)) this.#decided.insert(placeOf(this.#pool, this.#decided, slot), slot)
    else this.#entered.push({ t, arrival })
  }

  leave(slot: number): void {
    removeFrom(this.#pool, this.#decided, slot)
    removeFrom(this.#pool, this.#fresh, slot)
  }

  /** Whether an event of time `t` comes into a window that has been decided. */
  isTooLate(t: EpochMs, terms: SettledTerms): boolean {
    return this.#hasDecidedIn(...windowsWith(terms, t))
  }

  isDecided(slot: number): boolean {
    const t = this.#pool.t(slot)
    return this.#hasDecidedIn(t, t)
  }

  isDecidedRow(slot: number): boolean {
    const place = placeOf(this.#pool, this.#decided, slot)
    return place < this.#decided.length && this.#decided.at(place) === slot
  }

  /** @param rows of one time or several, all that are counted */
  decide(rows: readonly number[]): void {
    for (const slot of rows) this.#decided.insert(placeOf(this.#pool, this.#decided, slot), slot)
  }

  /** Log time at which something may be due; Infinity where nothing waits. */
  next(terms: SettledTerms): EpochMs {
    for (const { t, arrival } of this.#entered) {
      const end = terms.isAhead ? terms.leaves(t) : t
      this.#due.push(Math.max(end, arrival) + terms.latenessMs + 1, t)
    }
    this.#entered = []
    return this.#due.earliest
  }

  /** Takes the times that are due, in no order; some may have been decided or may have no events any more. */
  takeDue(logTime: EpochMs, terms: SettledTerms): Set<EpochMs> {
    const due = new Set<EpochMs>()
    while (this.next(terms) <= logTime) {
      const t = this.#due.pop()
      const arrival = this.#waitsFor(t, logTime, terms)
      if (arrival === null) due.add(t)
      else this.#due.push(arrival + terms.latenessMs + 1, t)
    }
    return due
  }

  /** Arrivals or terms have changed: everything waits anew. @param rows all counted rows */
  reconsider(rows: Iterable<number>): void {
    this.#fresh = new SlotList()
    this.#arrivals.clear()
    this.#due.clear()
    this.#entered = []
    for (const slot of rows) {
      this.#fresh.insert(placeOf(this.#pool, this.#fresh, slot), slot)
      this.#arrivals.push(this.#pool.arrival(slot), slot)
      if (!this.isDecided(slot)) this.#entered.push({ t: this.#pool.t(slot), arrival: this.#pool.arrival(slot) })
    }
  }

  /** (2.) An arrival in the window whose lateness is not over, late ones preferred; null where there is none. */
  #waitsFor(t: EpochMs, logTime: EpochMs, terms: SettledTerms): EpochMs | null {
    while (this.#arrivals.earliest + terms.latenessMs < logTime) {
      const slot = this.#arrivals.pop()
      // The row may have gone, and another one have its place.
      if (this.#pool.arrival(slot) + terms.latenessMs < logTime) removeFrom(this.#pool, this.#fresh, slot)
    }
    const [from, to] = windowOf(terms, t)
    const begin = lowerBound(this.#pool, this.#fresh, from)
    const count = upperBound(this.#pool, this.#fresh, to) - begin
    if (count === 0) return null
    let latest = Number.NEGATIVE_INFINITY
    const asked = Math.min(count, ASKED)
    for (let nth = 0; nth < asked; nth++) {
      const place = begin + (asked === 1 ? 0 : Math.floor((nth * (count - 1)) / (asked - 1)))
      latest = Math.max(latest, this.#pool.arrival(this.#fresh.at(place)))
    }
    return latest
  }

  #hasDecidedIn(from: EpochMs, to: EpochMs): boolean {
    const place = lowerBound(this.#pool, this.#decided, from)
    return place < this.#decided.length && this.#pool.t(this.#decided.at(place)) <= to
  }
}

function removeFrom(pool: EventPool, list: SlotList, slot: number): void {
  const place = placeOf(pool, list, slot)
  if (place < list.length && list.at(place) === slot) list.removeAt(place)
}
