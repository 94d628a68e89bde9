import { type EventPool, NO_ROW } from './event-pool.ts'
import type { Hash64 } from './hash.ts'

const FIRST_CAPACITY = 64

/** Finds a held event by its id: open addressing over row numbers, at most two thirds full (6 to 12 bytes an event). */
export class IdIndex {
  readonly #pool: EventPool
  #table = new Uint32Array(FIRST_CAPACITY).fill(NO_ROW)
  #count = 0

  constructor(pool: EventPool) {
    this.#pool = pool
  }

  find(id: Hash64): number {
    const mask = this.#table.length - 1
    for (let at = id.low & mask; ; at = (at + 1) & mask) {
      const slot = this.#table[at] as number
      if (slot === NO_ROW) return NO_ROW
      if (this.#pool.idLow(slot) === id.low && this.#pool.idHigh(slot) === id.high) return slot
    }
  }

  add(slot: number): void {
    if ((this.#count + 1) * 3 > this.#table.length * 2) this.#resize(this.#table.length * 2)
    this.#place(slot)
    this.#count++
  }

  /** Closes the gap, so that no later search ends too early. */
  remove(slot: number): void {
    const mask = this.#table.length - 1
    let gap = this.#pool.idLow(slot) & mask
    while (this.#table[gap] !== slot) gap = (gap + 1) & mask
    for (let at = (gap + 1) & mask; this.#table[at] !== NO_ROW; at = (at + 1) & mask) {
      const home = this.#pool.idLow(this.#table[at] as number) & mask
      if (((at - home) & mask) < ((at - gap) & mask)) continue
      this.#table[gap] = this.#table[at] as number
      gap = at
    }
    this.#table[gap] = NO_ROW
    this.#count--
    if (this.#table.length > FIRST_CAPACITY && this.#count * 6 < this.#table.length) this.#resize(this.#table.length / 2)
  }

  #place(slot: number): void {
    const mask = this.#table.length - 1
    let at = this.#pool.idLow(slot) & mask
    while (this.#table[at] !== NO_ROW) at = (at + 1) & mask
    this.#table[at] = slot
  }

  #resize(capacity: number): void {
    const old = this.#table
    this.#table = new Uint32Array(capacity).fill(NO_ROW)
    for (const slot of old) if (slot !== NO_ROW) this.#place(slot)
  }
}
