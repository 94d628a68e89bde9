import type { Hash64 } from './hash.ts'
import type { EpochMs } from './time.ts'

const SEGMENT = 4096
const SEGMENT_BITS = 12
const SEGMENT_MASK = SEGMENT - 1
/** End of a chain of rows. */
export const NO_ROW = 0xffffffff

/** What a row tells beside its numbers. */
export const ROW_FLAGS = {
  /** Older than log time minus lateness when it came. */
  late: 1,
  /** Of the second selection (`escalate`): weight 0. */
  mark: 2,
  /** Meets the rule's `severity` step that asks for a kind of event. */
  notable: 4,
  /** Dropped from its group; the row waits to be reached in order of arrival. */
  dropped: 8,
} as const
const FLAG_BITS = 4

interface Segment {
  readonly t: Float64Array
  readonly arrival: Float64Array
  readonly value: Float64Array
  readonly idLow: Uint32Array
  readonly idHigh: Uint32Array
  readonly info: Uint32Array
  readonly next: Uint32Array
}

/** A new row, as the pool takes it. */
export interface Row {
  t: EpochMs
  /** Log time at which it came. */
  arrival: EpochMs
  /** Weight (sums), or the hash of the value that the rule counts or notes; 0 where absent. */
  value: number
  id: Hash64
  contentHash: number
  flags: number
}

/**
 * Held events of all groups of a partition as columns, in segments that are never moved: 40 bytes an event and nothing for a
 * group, so that a million small groups cost no million small arrays. Rows of a group form a chain in order of arrival.
 */
export class EventPool {
  readonly #segments: Segment[] = []
  #used = 0
  #free = NO_ROW
  #live = 0

  get live(): number {
    return this.#live
  }

  add(row: Row): number {
    const slot = this.#take()
    const segment = this.#segments[slot >>> SEGMENT_BITS] as Segment
    const at = slot & SEGMENT_MASK
    segment.t[at] = row.t
    segment.arrival[at] = row.arrival
    segment.value[at] = row.value
    segment.idLow[at] = row.id.low
    segment.idHigh[at] = row.id.high
    segment.info[at] = (row.contentHash << FLAG_BITS) | row.flags
    segment.next[at] = NO_ROW
    return slot
  }

  release(slot: number): void {
    this.setNext(slot, this.#free)
    this.#free = slot
    this.#live--
  }

  t(slot: number): EpochMs {
    return (this.#segments[slot >>> SEGMENT_BITS] as Segment).t[slot & SEGMENT_MASK] as number
  }

  arrival(slot: number): EpochMs {
    return (this.#segments[slot >>> SEGMENT_BITS] as Segment).arrival[slot & SEGMENT_MASK] as number
  }

  setArrival(slot: number, arrival: EpochMs): void {
    ;(this.#segments[slot >>> SEGMENT_BITS] as Segment).arrival[slot & SEGMENT_MASK] = arrival
  }

  value(slot: number): number {
    return (this.#segments[slot >>> SEGMENT_BITS] as Segment).value[slot & SEGMENT_MASK] as number
  }

  idLow(slot: number): number {
    return (this.#segments[slot >>> SEGMENT_BITS] as Segment).idLow[slot & SEGMENT_MASK] as number
  }

  idHigh(slot: number): number {
    return (this.#segments[slot >>> SEGMENT_BITS] as Segment).idHigh[slot & SEGMENT_MASK] as number
  }

  has(slot: number, flag: number): boolean {
    return (((this.#segments[slot >>> SEGMENT_BITS] as Segment).info[slot & SEGMENT_MASK] as number) & flag) !== 0
  }

  setFlag(slot: number, flag: number): void {
    const { info } = this.#segments[slot >>> SEGMENT_BITS] as Segment
    info[slot & SEGMENT_MASK] = (info[slot & SEGMENT_MASK] as number) | flag
  }

  /** Flags and content hash in one number, for snapshots. */
  info(slot: number): number {
    return (this.#segments[slot >>> SEGMENT_BITS] as Segment).info[slot & SEGMENT_MASK] as number
  }

  /** Whether a row was made of this content; 28 bits of its hash are kept. */
  hasContent(slot: number, contentHash: number): boolean {
    return this.info(slot) >>> FLAG_BITS === (contentHash << FLAG_BITS) >>> FLAG_BITS
  }

  next(slot: number): number {
    return (this.#segments[slot >>> SEGMENT_BITS] as Segment).next[slot & SEGMENT_MASK] as number
  }

  setNext(slot: number, next: number): void {
    ;(this.#segments[slot >>> SEGMENT_BITS] as Segment).next[slot & SEGMENT_MASK] = next
  }

  #take(): number {
    this.#live++
    if (this.#free !== NO_ROW) {
      const slot = this.#free
      this.#free = this.next(slot)
      return slot
    }
    if (this.#used === this.#segments.length * SEGMENT) this.#segments.push(newSegment())
    return this.#used++
  }
}

const newSegment = (): Segment => ({
  t: new Float64Array(SEGMENT),
  arrival: new Float64Array(SEGMENT),
  value: new Float64Array(SEGMENT),
  idLow: new Uint32Array(SEGMENT),
  idHigh: new Uint32Array(SEGMENT),
  info: new Uint32Array(SEGMENT),
  next: new Uint32Array(SEGMENT),
})
