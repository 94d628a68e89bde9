/** Up to here a plain array is smaller and quick enough; a million groups hold a handful of events each. */
const SMALL = 64
/** Room left in a long list, as a power of two: a thirty-second part. Moving it is one copy of memory. */
const ROOM_BITS = 5

/**
 * A list of row numbers, positions counted from 0. Adding at the end and removing at the beginning cost nothing worth
 * naming; in the middle, what lies behind is moved. Long lists take 4 to 4.2 bytes a row.
 */
export class SlotList {
  #few: number[] = []
  #many: Uint32Array | null = null
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Of memory; a plain array is reckoned with 8 bytes an entry. */
  get bytes(): number {
    return this.#many === null ? this.#few.length * 8 : this.#many.byteLength
  }

  at(position: number): number {
    return (this.#many === null ? this.#few[position] : this.#many[this.#head + position]) as number
  }

  insert(position: number, slot: number): void {
    if (this.#many === null && this.#length < SMALL) {
      if (position === this.#length) this.#few.push(slot)
      else this.#few.splice(position, 0, slot)
      this.#length++
      return
    }
    const many = this.#roomAtTheEnd()
    const at = this.#head + position
    many.copyWithin(at + 1, at, this.#head + this.#length)
    many[at] = slot
    this.#length++
  }

  removeAt(position: number): void {
    this.#length--
    if (this.#many === null) {
      if (position === 0) this.#few.shift()
      else this.#few.splice(position, 1)
      return
    }
    if (position === 0) this.#head++
    else {
      const at = this.#head + position
      this.#many.copyWithin(at, at + 1, this.#head + this.#length + 1)
    }
    if (this.#length * 4 < this.#many.length) this.#shrink(this.#many)
  }

  copy(): SlotList {
    const copy = new SlotList()
    for (let position = 0; position < this.#length; position++) copy.insert(position, this.at(position))
    return copy
  }

  #roomAtTheEnd(): Uint32Array {
    const old = this.#many
    if (old !== null && this.#head + this.#length < old.length) return old
    const grown = new Uint32Array(Math.max(2 * SMALL, this.#length + (this.#length >> ROOM_BITS) + 1))
    if (old === null) grown.set(this.#few)
    else grown.set(old.subarray(this.#head, this.#head + this.#length))
    this.#few = []
    this.#many = grown
    this.#head = 0
    return grown
  }

  /** Only once three quarters lie idle, so that the removals before have paid for it. */
  #shrink(old: Uint32Array): void {
    const kept = old.subarray(this.#head, this.#head + this.#length)
    if (this.#length <= SMALL / 2) {
      this.#few = Array.from(kept)
      this.#many = null
    } else {
      this.#many = new Uint32Array(this.#length * 2)
      this.#many.set(kept)
    }
    this.#head = 0
  }
}
