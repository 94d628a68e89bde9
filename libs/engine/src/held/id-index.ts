import { type EventPool, NO_ROW } from './event-pool.ts'
import type { Hash64 } from './hash.ts'

const FIRST_CAPACITY = 64
/** The table grows by so much when it is fuller than `FULLEST`: 5 to 5.75 bytes an event, and searches stay short. */
const FULLEST = 0.8
const GROWTH = 1.15
const EMPTIEST = 0.25

/** Finds a held event by its id: open addressing over row numbers. */
export class IdIndex {
  readonly #pool: EventPool
  #table = new Uint32Array(FIRST_CAPACITY).fill(NO_ROW)
  #count = 0

  constructor(pool: EventPool) {
    this.#pool = pool
  }

  get bytes(): number {
    return this.#table.byteLength
  }

  find(id: Hash64): number {
    const table = this.#table
    for (let at = this.#homeOf(id.low); ; at = at + 1 === table.length ? 0 : at + 1) {
      const slot = table[at] as number
      if (slot === NO_ROW) return NO_ROW
      if (this.#pool.idLow(slot) === id.low && this.#pool.idHigh(slot) === id.high) return slot
    }
  }

  add(slot: number): void {
    if (this.#count + 1 > this.#table.length * FULLEST) this.#resize(Math.ceil(this.#table.length * GROWTH))
    this.#place(slot)
    this.#count++
  }

  /** Closes the gap, so that no later search ends too early. */
  remove(slot: number): void {
    const table = this.#table
    const size = table.length
    let gap = this.#homeOf(this.#pool.idLow(slot))
    while (table[gap] !== slot) gap = gap + 1 === size ? 0 : gap + 1
    for (let at = gap + 1 === size ? 0 : gap + 1; table[at] !== NO_ROW; at = at + 1 === size ? 0 : at + 1) {
      const home = this.#homeOf(this.#pool.idLow(table[at] as number))
      if ((at - home + size) % size < (at - gap + size) % size) continue
      table[gap] = table[at] as number
      gap = at
    }
    table[gap] = NO_ROW
    this.#count--
    if (size > FIRST_CAPACITY && this.#count < size * EMPTIEST) this.#resize(Math.max(FIRST_CAPACITY, size >>> 1))
  }

  /** Order of homes is that of the hashes, so that a larger table is filled from the smaller one in one sweep. */
  #homeOf(idLow: number): number {
    return Math.floor((idLow * this.#table.length) / 4294967296)
  }

  #place(slot: number): void {
    const table = this.#table
    let at = this.#homeOf(this.#pool.idLow(slot))
    while (table[at] !== NO_ROW) at = at + 1 === table.length ? 0 : at + 1
    table[at] = slot
  }

  #resize(capacity: number): void {
    const old = this.#table
    this.#table = new Uint32Array(capacity).fill(NO_ROW)
    for (const slot of old) if (slot !== NO_ROW) this.#place(slot)
  }
}
