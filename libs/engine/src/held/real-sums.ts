const FIRST_CAPACITY = 8
/** Of one rounding, doubled: bounds below are generous. */
const ROUNDING = 2 ** -52

/**
 * Running sums of any numbers in a list's order. A sum of fractions depends on the order of its additions, so what counts is the one
 * added up afresh, from the first to the last (detection.md §1). The running sums tell in one subtraction what that is to within `error`,
 * and only what is nearer to a limit is added up. 16 bytes a number.
 */
export class RealSums {
  #values = new Float64Array(FIRST_CAPACITY)
  /** Running sums: of the numbers before each, and after the last. */
  #sums = new Float64Array(FIRST_CAPACITY + 1)
  #head = 0
  #length = 0
  /** Of all numbers that went into the running sums since they were made afresh. */
  #magnitude = 0
  /** Changes in the middle since then. */
  #changes = 0
  /** The stretch added up last, and its sum. */
  #added = { from: 0, to: -1, sum: 0 }

  /** How far a running sum may be from one added up afresh. */
  get error(): number {
    return (this.#changes + this.#values.length + 8) * ROUNDING * this.#magnitude * 4
  }

  /** Of the numbers from position `from` to position `to`, both inclusive; to within `error`. */
  about(from: number, to: number): number {
    return (this.#sums[this.#head + to + 1] as number) - (this.#sums[this.#head + from] as number)
  }

  value(position: number): number {
    return this.#values[this.#head + position] as number
  }

  /** Added up from `from` to `to`. One that begins where the last one did goes on from it. */
  sum(from: number, to: number): number {
    const goesOn = this.#added.from === from && this.#added.to <= to && this.#added.to >= from
    let sum = goesOn ? this.#added.sum : 0
    const values = this.#values
    const end = this.#head + to
    for (let at = this.#head + (goesOn ? this.#added.to + 1 : from); at <= end; at++) sum += values[at] as number
    this.#added = { from, to, sum }
    return sum
  }

  insert(position: number, value: number): void {
    this.#makeRoom()
    const at = this.#head + position
    const end = this.#head + this.#length
    this.#values.copyWithin(at + 1, at, end)
    this.#values[at] = value
    this.#sums.copyWithin(at + 1, at, end + 1)
    this.#length++
    this.#magnitude += Math.abs(value)
    for (let index = at + 1; index <= end + 1; index++) this.#sums[index] = (this.#sums[index] as number) + value
    if (at < end) this.#changes++
    if (position <= this.#added.to) this.#added = { from: 0, to: -1, sum: 0 }
  }

  removeAt(position: number): void {
    const { from, to, sum } = this.#added
    this.#added =
      position < from ? { from: from - 1, to: to - 1, sum } : position > to ? this.#added : { from: 0, to: -1, sum: 0 }
    this.#length--
    if (position === 0) {
      this.#head++
      return
    }
    const at = this.#head + position
    const value = this.#values[at] as number
    const end = this.#head + this.#length
    this.#values.copyWithin(at, at + 1, end + 1)
    this.#sums.copyWithin(at, at + 1, end + 2)
    this.#changes++
    for (let index = at; index <= end; index++) this.#sums[index] = (this.#sums[index] as number) - value
  }

  /** Moving to other arrays adds up anew, which keeps the error small for ever. */
  #makeRoom(): void {
    if (this.#head + this.#length < this.#values.length && this.#changes <= this.#length + FIRST_CAPACITY) return
    const capacity = Math.max(FIRST_CAPACITY, this.#length + (this.#length >> 1) + 2)
    const values = new Float64Array(capacity)
    values.set(this.#values.subarray(this.#head, this.#head + this.#length))
    const sums = new Float64Array(capacity + 1)
    this.#magnitude = 0
    for (let at = 0; at < this.#length; at++) {
      sums[at + 1] = (sums[at] as number) + (values[at] as number)
      this.#magnitude += Math.abs(values[at] as number)
    }
    this.#values = values
    this.#sums = sums
    this.#head = 0
    this.#changes = 0
  }
}
