import type { EpochMs } from '../time.ts'
import { type EventPool, NO_ROW, ROW_FLAGS, type Row } from './event-pool.ts'
import type { Hash64 } from './hash.ts'
import { IdIndex } from './id-index.ts'
import { PrefixSums } from './prefix-sums.ts'
import { isBefore, lowerBound, placeOf, upperBound } from './row-order.ts'
import { RowsByPart } from './rows-by-part.ts'
import { SlotList } from './slot-list.ts'
import { isTold, type Told, ToldEvents } from './told-events.ts'

/** Up to here an id is found by walking along them. */
const WALKED = 16

/** What a rule wants to know of its events beside their times. */
export interface HeldKind {
  readonly sums: boolean
  readonly distinct: boolean
  /** Rules of which a row's value has a bit each; 0 where it is something else. */
  readonly parts?: number
  /** Sums are of any numbers. */
  readonly isReal?: boolean
  /** The condition is decided once for each event time. */
  readonly isSettled?: boolean
}

/** Whether values need more than 32 bits. */
export const isWide = ({ sums, distinct }: HeldKind): boolean => sums || distinct

/** Where the number of held events is kept for all groups of an organization. */
export interface Tally {
  held: number
}

/**
 * The events that take part in one group: counted ones in order of (event time, hash of the id), marks (weight 0) in another
 * such list. Where events came in another order than that of their times, a third list has all of them in order of arrival.
 */
export class HeldEvents {
  readonly #pool: EventPool
  readonly #tally: Tally
  readonly #counted = new SlotList()
  #marks: SlotList | null = null
  #sums: PrefixSums | null
  /** How often each value occurs among the counted events; only for rules that count distinct values. */
  #values: Map<number, number> | null
  /** Only for rules that ask which of several rules have events. */
  readonly #byPart: RowsByPart | null
  readonly #told: ToldEvents | null
  #index: IdIndex | null = null
  /** Null while the counted events are all there is and have come in order. */
  #arrived: SlotList | null = null
  /** While there is no index: the lower half of each id as a signed number, in order of arrival. Rows lie far apart; this does not. */
  #lows: number[] = []
  /** Rows in order of arrival that have been dropped. */
  #dropped = 0
  readonly #isWide: boolean
  #held = 0

  constructor(pool: EventPool, kind: HeldKind, tally: Tally) {
    this.#pool = pool
    this.#tally = tally
    this.#isWide = isWide(kind)
    this.#sums = kind.sums && kind.isReal !== true ? new PrefixSums() : null
    this.#told = isTold(kind) ? new ToldEvents(pool, this, kind) : null
    this.#values = kind.distinct ? new Map() : null
    this.#byPart = kind.parts === undefined || kind.parts === 0 ? null : new RowsByPart(pool, kind.parts)
  }

  /** Counted events; positions run from 0 in order of event time. */
  get length(): number {
    return this.#counted.length
  }

  /** Counted events and marks. */
  get held(): number {
    return this.#held
  }

  /** Of memory, for lists and index; rows are the pool's. */
  get bytes(): number {
    const lists = [this.#counted, this.#marks, this.#arrived, this.#index]
    return lists.reduce((sum, list) => sum + (list?.bytes ?? 0), 0)
  }

  get distinct(): number {
    return this.#values?.size ?? 0
  }

  /** For kinds with parts. */
  get byPart(): RowsByPart {
    return this.#byPart as RowsByPart
  }

  /** For kinds that are told. */
  get told(): ToldEvents {
    return this.#told as ToldEvents
  }

  slotAt(position: number): number {
    return this.#counted.at(position)
  }

  t(position: number): EpochMs {
    return this.#pool.t(this.#counted.at(position))
  }

  value(position: number): number {
    return this.#pool.value(this.#counted.at(position))
  }

  /** Sum of the values at positions `from` to `to`, inclusive; for kinds that sum. */
  sum(from: number, to: number): number {
    return this.#sums === null ? this.told.sum(from, to) : this.#sums.sum(from, to)
  }

  /** Below, at or above 0 where the sum is below, at or above the limit. */
  compareSum(from: number, to: number, limit: number): number {
    return this.#sums === null ? this.told.compareSum(from, to, limit) : this.#sums.sum(from, to) - limit
  }

  /** Weight of a row in a sum. */
  weight(slot: number): number {
    return this.#sums === null ? this.told.of(slot).weight : this.#pool.value(slot)
  }

  /** First position whose event time is at or after `t`. */
  lowerBound(t: EpochMs): number {
    return lowerBound(this.#pool, this.#counted, t)
  }

  /** First position whose event time is after `t`. */
  upperBound(t: EpochMs): number {
    return upperBound(this.#pool, this.#counted, t)
  }

  hasMarkIn(from: EpochMs, to: EpochMs): boolean {
    if (this.#marks === null) return false
    const at = lowerBound(this.#pool, this.#marks, from)
    return at < this.#marks.length && this.#pool.t(this.#marks.at(at)) < to
  }

  find(id: Hash64): number {
    if (this.#index !== null) return this.#index.find(id)
    const pool = this.#pool
    const low = id.low | 0
    for (let at = 0; at < this.#lows.length; at++) {
      if (this.#lows[at] !== low) continue
      const slot = this.#inOrder().at(at)
      if (pool.idHigh(slot) === id.high && !pool.has(slot, ROW_FLAGS.dropped)) return slot
    }
    return NO_ROW
  }

  /** Takes the event in and returns its row. @param told for kinds that are told */
  add(row: Row, told: Told | null = null): number {
    const slot = this.#pool.add(row, this.#isWide)
    if (told !== null) this.#told?.tell(slot, told)
    this.#tally.held++
    this.enter(slot)
    return slot
  }

  /** Takes over a row that is held and counted already. */
  enter(slot: number): void {
    this.#place(slot)
    this.#arrived?.insert(this.#arrived.length, slot)
    this.#held++
    if (this.#index !== null) this.#index.add(slot)
    else if (this.#held > WALKED) this.#buildIndex()
    else this.#lows.push(this.#pool.idLow(slot) | 0)
  }

  /** Position of a counted row. */
  positionOf(slot: number): number {
    return placeOf(this.#pool, this.#counted, slot)
  }

  /** Log time at which the event that came first of all held ones came; Infinity where there is none. */
  oldestArrival(): EpochMs {
    const rows = this.#inOrder()
    return rows.length === 0 ? Number.POSITIVE_INFINITY : this.#pool.arrival(rows.at(0))
  }

  newestArrival(): EpochMs {
    const rows = this.#inOrder()
    return rows.length === 0 ? Number.NEGATIVE_INFINITY : this.#pool.arrival(rows.at(rows.length - 1))
  }

  /** Lets the event go that came first; `seen` is called with its row just before. */
  dropOldestArrival(seen: (slot: number) => void): void {
    const slot = this.#inOrder().at(0)
    seen(slot)
    this.#leave(slot)
    this.#arrived?.removeAt(0)
    this.#lows.shift()
    this.#pool.release(slot)
    this.#skipDropped()
  }

  /** Row of the oldest event by (t, id hash), counted or mark; the group is not empty. */
  oldestByTime(): number {
    const counted = this.#counted.length === 0 ? NO_ROW : this.#counted.at(0)
    const mark = this.#marks === null ? NO_ROW : this.#marks.at(0)
    if (counted === NO_ROW) return mark
    return mark !== NO_ROW && isBefore(this.#pool, mark, counted) ? mark : counted
  }

  /** Lets one event go out of order; its row stays while events that came before it and after it are held. */
  drop(slot: number): void {
    if (this.#inOrder().at(0) === slot) {
      this.dropOldestArrival(() => {})
      return
    }
    this.#arrived ??= this.#counted.copy()
    this.#leave(slot)
    this.#pool.setFlag(slot, ROW_FLAGS.dropped)
    this.#dropped++
    this.#skipDropped()
    if (this.#dropped > this.#held) this.#releaseDropped()
  }

  clear(seen: (slot: number) => void): void {
    while (this.#inOrder().length > 0) this.dropOldestArrival(seen)
  }

  /** Rows in order of arrival. */
  rows(): number[] {
    const rows = this.#inOrder()
    const held: number[] = []
    for (let at = 0; at < rows.length; at++) {
      const slot = rows.at(at)
      if (this.#dropped === 0 || !this.#pool.has(slot, ROW_FLAGS.dropped)) held.push(slot)
    }
    return held
  }

  capArrivals(limit: EpochMs): void {
    const rows = this.#inOrder()
    for (let at = 0; at < rows.length; at++) {
      if (this.#pool.arrival(rows.at(at)) > limit) this.#pool.setArrival(rows.at(at), limit)
    }
    this.#told?.reconsider()
  }

  /** All rows in order of arrival; the first and the last are held, those between may have been dropped. */
  #inOrder(): SlotList {
    return this.#arrived ?? this.#counted
  }

  #place(slot: number): void {
    if (this.#pool.has(slot, ROW_FLAGS.mark)) {
      this.#arrived ??= this.#counted.copy()
      this.#marks ??= new SlotList()
      this.#marks.insert(placeOf(this.#pool, this.#marks, slot), slot)
      return
    }
    const position = placeOf(this.#pool, this.#counted, slot)
    if (position < this.#counted.length) this.#arrived ??= this.#counted.copy()
    this.#counted.insert(position, slot)
    const value = this.#pool.value(slot)
    this.#sums?.insert(position, value)
    this.#byPart?.add(slot)
    this.#told?.enter(slot, position)
    if (this.#values !== null && value !== 0) this.#values.set(value, (this.#values.get(value) ?? 0) + 1)
  }

  #leave(slot: number): void {
    this.#held--
    this.#tally.held--
    this.#index?.remove(slot)
    if (this.#pool.has(slot, ROW_FLAGS.mark)) {
      const marks = this.#marks as SlotList
      marks.removeAt(placeOf(this.#pool, marks, slot))
      if (marks.length === 0) this.#marks = null
      this.#told?.forget(slot)
      return
    }
    const position = this.positionOf(slot)
    this.#told?.leave(slot, position)
    this.#told?.forget(slot)
    this.#counted.removeAt(position)
    this.#sums?.removeAt(position)
    this.#byPart?.remove(slot)
    const value = this.#pool.value(slot)
    if (this.#values === null || value === 0) return
    const left = (this.#values.get(value) as number) - 1
    if (left === 0) this.#values.delete(value)
    else this.#values.set(value, left)
  }

  #skipDropped(): void {
    const arrived = this.#arrived
    if (arrived === null) return
    while (arrived.length > 0 && this.#releaseIfDropped(arrived, 0)) this.#lows.shift()
    while (arrived.length > 0 && this.#releaseIfDropped(arrived, arrived.length - 1)) this.#lows.pop()
    if (arrived.length === 0) this.#arrived = null
  }

  #releaseIfDropped(arrived: SlotList, at: number): boolean {
    const slot = arrived.at(at)
    if (!this.#pool.has(slot, ROW_FLAGS.dropped)) return false
    this.#pool.release(slot)
    arrived.removeAt(at)
    this.#dropped--
    return true
  }

  /** Before dropped rows are more than held ones, whatever order events come in. */
  #releaseDropped(): void {
    const arrived = this.#inOrder()
    const kept = new SlotList()
    const lows: number[] = []
    for (let at = 0; at < arrived.length; at++) {
      const slot = arrived.at(at)
      if (this.#pool.has(slot, ROW_FLAGS.dropped)) {
        this.#pool.release(slot)
        continue
      }
      kept.insert(kept.length, slot)
      if (this.#index === null) lows.push(this.#pool.idLow(slot) | 0)
    }
    this.#arrived = kept
    this.#lows = lows
    this.#dropped = 0
  }

  #buildIndex(): void {
    this.#lows = []
    this.#index = new IdIndex(this.#pool)
    for (const slot of this.rows()) this.#index.add(slot)
  }
}
