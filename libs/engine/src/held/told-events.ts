import type { EpochMs } from '../time.ts'
import { type SettledTerms, Settling } from '../truth/settling.ts'
import type { EventPool } from './event-pool.ts'
import type { HeldEvents, HeldKind } from './held-events.ts'
import { RealSums } from './real-sums.ts'
import { saturated } from './saturating.ts'
import { WindowValues } from './window-values.ts'

/** What an alert is called after. */
export interface OpeningEvent {
  readonly id: string
  readonly correlationId: string | null
}

/** What a row does not hold and few rules need. */
export interface Told extends OpeningEvent {
  /** In a sum of any numbers; else 0. */
  readonly weight: number
}

/** Whether events of this kind are told. */
export const isTold = ({ isReal, isSettled }: HeldKind): boolean => isReal === true || isSettled === true

/**
 * The counted events of a group beside their rows, for two kinds of rules: sums of any numbers, whose order of addition is that of
 * (t, id), and settled conditions, whose alerts are called after events that came long ago. Some 200 bytes an event.
 */
export class ToldEvents {
  readonly settling: Settling | null
  readonly #pool: EventPool
  readonly #held: HeldEvents
  readonly #told = new Map<number, Told>()
  readonly #reals: RealSums | null
  /** Pairs of neighbours of one time: rows are in order of the ids' hashes there. */
  #ties = 0
  readonly #windowValues: WindowValues | null

  constructor(pool: EventPool, held: HeldEvents, kind: HeldKind) {
    this.#pool = pool
    this.#held = held
    this.settling = kind.isSettled === true ? new Settling(pool) : null
    this.#reals = kind.isReal === true ? new RealSums() : null
    this.#windowValues = kind.isSettled === true && kind.distinct ? new WindowValues() : null
  }

  tell(slot: number, told: Told): void {
    this.#told.set(slot, told)
  }

  /** Of a held row, counted or mark. */
  of(slot: number): Told {
    return this.#told.get(slot) as Told
  }

  forget(slot: number): void {
    this.#told.delete(slot)
  }

  /** The row has just got its position among the counted ones. */
  enter(slot: number, position: number): void {
    this.#ties += this.#tiesAround(position)
    this.#reals?.insert(position, this.of(slot).weight)
    this.settling?.enter(slot)
    this.#windowValues?.enter(this.#pool.t(slot), this.#pool.value(slot))
  }

  /** The row is about to lose its position. */
  leave(slot: number, position: number): void {
    this.#ties -= this.#tiesAround(position)
    this.#reals?.removeAt(position)
    this.settling?.leave(slot)
    this.#windowValues?.leave(this.#pool.t(slot), this.#pool.value(slot))
  }

  /** Of the events at positions `from` to `to`, inclusive: added up in order of (t, id), within 2^53 - 1 either way. */
  sum(from: number, to: number): number {
    return saturated(this.#ties === 0 ? this.#sums.sum(from, to) : this.#sumInOrder(from, to))
  }

  /** Below, at or above 0 where the sum is below, at or above the limit; mostly without adding up. */
  compareSum(from: number, to: number, limit: number): number {
    const difference = this.#sums.about(from, to) - limit
    return Math.abs(difference) > this.#sums.error ? difference : this.sum(from, to) - limit
  }

  /** How many different values the events from `from` to `to`, both inclusive, have; for settled kinds. */
  distinctIn(from: EpochMs, to: EpochMs): number {
    return (this.#windowValues as WindowValues).count(this.#held, from, to)
  }

  /** Times that are due, in order, each once, and from now on decided; for settled kinds. */
  decideDue(logTime: EpochMs, terms: SettledTerms): EpochMs[] {
    const settling = this.settling as Settling
    const times = [...settling.takeDue(logTime, terms)].sort((one, other) => one - other)
    return times.filter((t) => {
      const rows = this.#rowsAt(t)
      const isOpen = rows.length > 0 && !settling.isDecided(rows[0] as number)
      if (isOpen) settling.decide(rows)
      return isOpen
    })
  }

  /** Whether the row is counted and its time decided. */
  isDecided(slot: number): boolean {
    return this.settling?.isDecidedRow(slot) === true
  }

  /** Whether an event of time `t` comes into a window that has been decided; for settled kinds. */
  isTooLate(t: EpochMs, terms: SettledTerms): boolean {
    return (this.settling as Settling).isTooLate(t, terms)
  }

  /** Log time at which something may have to be decided; for settled kinds. */
  nextDecision(terms: SettledTerms): EpochMs {
    return (this.settling as Settling).next(terms)
  }

  /** Arrivals or the windows' lateness have changed. */
  reconsider(): void {
    this.settling?.reconsider(Array.from({ length: this.#held.length }, (_, position) => this.#held.slotAt(position)))
  }

  /** Of the counted events with that time, the one with the smallest id. */
  firstAt(t: EpochMs): Told {
    return this.#rowsAt(t)
      .map((slot) => this.of(slot))
      .reduce((first, each) => (each.id < first.id ? each : first))
  }

  get #sums(): RealSums {
    return this.#reals as RealSums
  }

  #sumInOrder(from: number, to: number): number {
    const held = this.#held
    let sum = 0
    for (let at = from; at <= to; ) {
      const end = Math.min(to + 1, held.upperBound(held.t(at)))
      const tied = Array.from({ length: end - at }, (_, place) => this.of(held.slotAt(at + place)))
      if (tied.length > 1) tied.sort((one, other) => (one.id < other.id ? -1 : 1))
      for (const { weight } of tied) sum += weight
      at = end
    }
    return sum
  }

  #rowsAt(t: EpochMs): number[] {
    const held = this.#held
    const rows: number[] = []
    for (let at = held.lowerBound(t); at < held.length && held.t(at) === t; at++) rows.push(held.slotAt(at))
    return rows
  }

  /** By how many pairs of one time there are more with the row at this position than without it. */
  #tiesAround(position: number): number {
    const held = this.#held
    const t = held.t(position)
    const before = position > 0 && held.t(position - 1) === t
    const after = position + 1 < held.length && held.t(position + 1) === t
    return before || after ? 1 : 0
  }
}
