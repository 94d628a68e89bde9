import { MAX_TOTAL, saturatingAdd } from './saturating.ts'

/**
 * Weights are cut into two limbs, because a window may hold 100,000 weights of 2^53 - 1 and a double adds integers exactly
 * only below 2^53.
 */
const LIMB = 2 ** 26
const FIRST_CAPACITY = 8

/**
 * Running sums of integer weights in a list's order, so that the sum of any stretch of it is one subtraction. Positions are
 * those of the list of rows beside it. Costs 16 bytes an event, and only rules that sum have it.
 */
export class PrefixSums {
  #high = new Float64Array(FIRST_CAPACITY)
  #low = new Float64Array(FIRST_CAPACITY)
  #head = 0
  #length = 0

  /** Sum of the weights from position `from` to position `to`, both inclusive; at most 2^53 - 1. */
  sum(from: number, to: number): number {
    return this.#between(this.#head + from, this.#head + to + 1)
  }

  insert(position: number, weight: number): void {
    this.#makeRoom()
    const end = this.#head + this.#length
    const at = this.#head + position
    // At the end, as most come, only the total so far is to be copied.
    if (at === end) {
      this.#high[at + 1] = this.#high[at] as number
      this.#low[at + 1] = this.#low[at] as number
    } else {
      this.#high.copyWithin(at + 1, at, end + 1)
      this.#low.copyWithin(at + 1, at, end + 1)
    }
    this.#length++
    this.#add(at + 1, weight, 1)
  }

  removeAt(position: number): void {
    const at = this.#head + position
    if (position === 0) {
      this.#head++
      this.#length--
      return
    }
    const weight = this.#between(at, at + 1)
    const end = this.#head + this.#length
    this.#high.copyWithin(at, at + 1, end + 1)
    this.#low.copyWithin(at, at + 1, end + 1)
    this.#length--
    this.#add(at, weight, -1)
  }

  #add(from: number, weight: number, sign: 1 | -1): void {
    const high = Math.floor(weight / LIMB) * sign
    const low = (weight % LIMB) * sign
    const end = this.#head + this.#length
    for (let index = from; index <= end; index++) {
      if (high !== 0) this.#high[index] = (this.#high[index] as number) + high
      this.#low[index] = (this.#low[index] as number) + low
    }
  }

  #between(from: number, to: number): number {
    const high = (this.#high[to] as number) - (this.#high[from] as number)
    const low = (this.#low[to] as number) - (this.#low[from] as number)
    return high >= LIMB * 2 ? MAX_TOTAL : saturatingAdd(high * LIMB, low)
  }

  /** Moving to another array starts again from 0, which keeps the limbs small for ever. */
  #makeRoom(): void {
    if (this.#head + this.#length + 1 < this.#high.length) return
    const capacity = Math.max(FIRST_CAPACITY, this.#length + (this.#length >> 1) + 2)
    this.#high = rebased(this.#high, this.#head, this.#length, capacity)
    this.#low = rebased(this.#low, this.#head, this.#length, capacity)
    this.#head = 0
  }
}

function rebased(old: Float64Array, head: number, length: number, capacity: number): Float64Array<ArrayBuffer> {
  const moved = new Float64Array(capacity)
  const base = old[head] as number
  for (let index = 0; index <= length; index++) moved[index] = (old[head + index] as number) - base
  return moved
}
