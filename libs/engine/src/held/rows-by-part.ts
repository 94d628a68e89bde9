import type { EpochMs } from '../time.ts'
import type { EventPool } from './event-pool.ts'
import { lowerBound, placeOf, upperBound } from './row-order.ts'
import { SlotList } from './slot-list.ts'

/**
 * For rules that ask which of several rules an event matches: the counted rows of each of these, in order of time, so that
 * the nearest one is found without walking the window. 4 bytes for each rule that an event matches.
 */
export class RowsByPart {
  readonly parts: number
  readonly #pool: EventPool
  readonly #lists: readonly SlotList[]

  constructor(pool: EventPool, parts: number) {
    this.parts = parts
    this.#pool = pool
    this.#lists = Array.from({ length: parts }, () => new SlotList())
  }

  /** The row's value has a bit for each part. */
  add(slot: number): void {
    const bits = this.#pool.value(slot)
    for (let part = 0; part < this.parts; part++) {
      const list = this.#listOf(part)
      if (((bits >>> part) & 1) === 1) list.insert(placeOf(this.#pool, list, slot), slot)
    }
  }

  remove(slot: number): void {
    const bits = this.#pool.value(slot)
    for (let part = 0; part < this.parts; part++) {
      const list = this.#listOf(part)
      if (((bits >>> part) & 1) === 1) list.removeAt(placeOf(this.#pool, list, slot))
    }
  }

  /** Whether every part has an event. */
  get hasAll(): boolean {
    for (const { length } of this.#lists) if (length === 0) return false
    return true
  }

  /** Time of the part's last event at or before `t`; -Infinity where there is none. */
  lastUpTo(part: number, t: EpochMs): EpochMs {
    const list = this.#listOf(part)
    const place = upperBound(this.#pool, list, t)
    return place === 0 ? Number.NEGATIVE_INFINITY : this.#pool.t(list.at(place - 1))
  }

  /** Time of the part's first event at or after `t`; Infinity where there is none. */
  firstFrom(part: number, t: EpochMs): EpochMs {
    const list = this.#listOf(part)
    const place = lowerBound(this.#pool, list, t)
    return place === list.length ? Number.POSITIVE_INFINITY : this.#pool.t(list.at(place))
  }

  /** Up to `most` rows of the part with time `t`. */
  at(part: number, t: EpochMs, most: number): number[] {
    const list = this.#listOf(part)
    const rows: number[] = []
    for (let place = lowerBound(this.#pool, list, t); place < list.length && rows.length < most; place++) {
      if (this.#pool.t(list.at(place)) !== t) break
      rows.push(list.at(place))
    }
    return rows
  }

  /** A bit for each part that has events from `from` to `to`, both inclusive. */
  within(from: EpochMs, to: EpochMs): number {
    let bits = 0
    for (let part = 0; part < this.parts; part++) if (this.lastUpTo(part, to) >= from) bits |= 1 << part
    return bits >>> 0
  }

  #listOf(part: number): SlotList {
    return this.#lists[part] as SlotList
  }
}

/** How many bits are set. */
export function countBits(bits: number): number {
  let count = 0
  for (let rest = bits >>> 0; rest !== 0; rest &= rest - 1) count++
  return count
}
