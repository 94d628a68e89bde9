import type { EpochMs } from '../time.ts'
import type { EventPool } from './event-pool.ts'
import type { SlotList } from './slot-list.ts'

/** Lists of rows in order of (event time, hash of the id). */

export function isBefore(pool: EventPool, one: number, other: number): boolean {
  if (pool.t(one) !== pool.t(other)) return pool.t(one) < pool.t(other)
  if (pool.idHigh(one) !== pool.idHigh(other)) return pool.idHigh(one) < pool.idHigh(other)
  return pool.idLow(one) < pool.idLow(other)
}

/** Where the row stands, or would stand. In-order streams ask about the end, so that is tried first. */
export function placeOf(pool: EventPool, list: SlotList, slot: number): number {
  let low = 0
  let high = list.length
  if (high === 0 || isBefore(pool, list.at(high - 1), slot)) return high
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBefore(pool, list.at(middle), slot)) low = middle + 1
    else high = middle
  }
  return low
}

/** First place whose time is at or after `t`. */
export const lowerBound = (pool: EventPool, list: SlotList, t: EpochMs): number => boundOf(pool, list, t, false)

/** First place whose time is after `t`. */
export const upperBound = (pool: EventPool, list: SlotList, t: EpochMs): number => boundOf(pool, list, t, true)

function boundOf(pool: EventPool, list: SlotList, t: EpochMs, after: boolean): number {
  let low = 0
  let high = list.length
  if (high === 0) return 0
  const last = pool.t(list.at(high - 1))
  if (last < t || (after && last === t)) return high
  while (low < high) {
    const middle = (low + high) >>> 1
    const at = pool.t(list.at(middle))
    if (at < t || (after && at === t)) low = middle + 1
    else high = middle
  }
  return low
}
