import type { EpochMs } from '../time.ts'
import type { Hash64 } from './hash.ts'

const SEGMENT = 4096
const SEGMENT_BITS = 12
const SEGMENT_MASK = SEGMENT - 1
/** Times of a segment are 32-bit offsets from these multiples: 49.7 days. */
const RANGE = 2 ** 32
/** Segments of so many ranges are begun; times of any further range lie in a map. */
const MOST_SHELVES = 256
/** No row. Also the end of a chain of free rows. */
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
const CONTENT_MASK = 2 ** 12 - 1

/** Words of a row in its segment; the second word of a value only where values are wide. */
const T = 0
const ARRIVAL = 1
const ID_LOW = 2
const ID_HIGH = 3
const VALUE_LOW = 4
const VALUE_HIGH = 5

/** Segments whose rows have times of one range and values of one width, and the free rows of these. */
interface Shelf {
  readonly t0: EpochMs
  readonly arrival0: EpochMs
  readonly isWide: boolean
  free: number
  /** First row of its newest segment that was never used, and the end of that segment. */
  unused: number
  end: number
}

interface Segment {
  readonly shelf: Shelf
  readonly t0: EpochMs
  readonly arrival0: EpochMs
  readonly stride: number
  readonly words: Uint32Array
  readonly infos: Uint16Array
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
 * Held events of all groups of a partition as rows, in segments that are never moved: 22 bytes an event, 26 where values are
 * wide (integers to 2^53 - 1, else to 2^32 - 1), and nothing for a group, so that a million small groups cost no million small
 * arrays. Times are whole milliseconds.
 */
export class EventPool {
  readonly #segments: Segment[] = []
  readonly #shelves = new Map<string, Shelf>()
  /** The shelves used last, for narrow and for wide values. */
  readonly #last: [Shelf | null, Shelf | null] = [null, null]
  /** Times that the range of their row's segment does not hold. */
  readonly #odd = new Map<number, { readonly t: EpochMs; readonly arrival: EpochMs }>()
  #live = 0

  get live(): number {
    return this.#live
  }

  /** Of all segments, free rows included. */
  get bytes(): number {
    return this.#segments.reduce((sum, { words, infos }) => sum + words.byteLength + infos.byteLength, 0)
  }

  add(row: Row, isWide: boolean): number {
    const shelf = this.#shelfOf(row.t, row.arrival, isWide)
    const slot = this.#take(shelf)
    const { words, infos, stride } = this.#segment(slot)
    const at = (slot & SEGMENT_MASK) * stride
    words[at + T] = row.t - shelf.t0
    words[at + ARRIVAL] = row.arrival - shelf.arrival0
    words[at + ID_LOW] = row.id.low
    words[at + ID_HIGH] = row.id.high
    words[at + VALUE_LOW] = row.value
    if (isWide) words[at + VALUE_HIGH] = row.value / RANGE
    infos[slot & SEGMENT_MASK] = ((row.contentHash & CONTENT_MASK) << FLAG_BITS) | row.flags
    if (!isWithin(shelf, row.t, row.arrival)) this.#odd.set(slot, { t: row.t, arrival: row.arrival })
    return slot
  }

  release(slot: number): void {
    const { shelf, words, stride } = this.#segment(slot)
    if (this.#odd.size > 0) this.#odd.delete(slot)
    words[(slot & SEGMENT_MASK) * stride] = shelf.free
    shelf.free = slot
    this.#live--
  }

  t(slot: number): EpochMs {
    const odd = this.#odd.size === 0 ? undefined : this.#odd.get(slot)
    if (odd !== undefined) return odd.t
    const { words, stride, t0 } = this.#segments[slot >>> SEGMENT_BITS] as Segment
    return t0 + (words[(slot & SEGMENT_MASK) * stride + T] as number)
  }

  arrival(slot: number): EpochMs {
    const odd = this.#odd.size === 0 ? undefined : this.#odd.get(slot)
    if (odd !== undefined) return odd.arrival
    const { words, stride, arrival0 } = this.#segments[slot >>> SEGMENT_BITS] as Segment
    return arrival0 + (words[(slot & SEGMENT_MASK) * stride + ARRIVAL] as number)
  }

  setArrival(slot: number, arrival: EpochMs): void {
    const t = this.t(slot)
    const { shelf, words, stride } = this.#segment(slot)
    if (isWithin(shelf, t, arrival)) {
      words[(slot & SEGMENT_MASK) * stride + ARRIVAL] = arrival - shelf.arrival0
      this.#odd.delete(slot)
    } else this.#odd.set(slot, { t, arrival })
  }

  value(slot: number): number {
    const low = this.#word(slot, VALUE_LOW)
    return this.#segment(slot).shelf.isWide ? this.#word(slot, VALUE_HIGH) * RANGE + low : low
  }

  idLow(slot: number): number {
    return this.#word(slot, ID_LOW)
  }

  idHigh(slot: number): number {
    return this.#word(slot, ID_HIGH)
  }

  has(slot: number, flag: number): boolean {
    return (this.info(slot) & flag) !== 0
  }

  setFlag(slot: number, flag: number): void {
    this.#segment(slot).infos[slot & SEGMENT_MASK] = this.info(slot) | flag
  }

  /** Flags and content hash in one number, for snapshots. */
  info(slot: number): number {
    return this.#segment(slot).infos[slot & SEGMENT_MASK] as number
  }

  /** Whether a row was made of this content; 12 bits of its hash are kept. */
  hasContent(slot: number, contentHash: number): boolean {
    return this.info(slot) >>> FLAG_BITS === (contentHash & CONTENT_MASK)
  }

  #segment(slot: number): Segment {
    return this.#segments[slot >>> SEGMENT_BITS] as Segment
  }

  #word(slot: number, word: number): number {
    const { words, stride } = this.#segments[slot >>> SEGMENT_BITS] as Segment
    return words[(slot & SEGMENT_MASK) * stride + word] as number
  }

  #shelfOf(t: EpochMs, arrival: EpochMs, isWide: boolean): Shelf {
    const last = this.#last[isWide ? 1 : 0]
    if (last !== null && isWithin(last, t, arrival)) return last
    const t0 = Math.floor(t / RANGE) * RANGE
    const arrival0 = Math.floor(arrival / RANGE) * RANGE
    const key = `${t0}/${arrival0}/${isWide}`
    const known = this.#shelves.get(key)
    if (known === undefined && last !== null && this.#shelves.size >= MOST_SHELVES) return last
    const shelf = known ?? { t0, arrival0, isWide, free: NO_ROW, unused: 0, end: 0 }
    this.#shelves.set(key, shelf)
    this.#last[isWide ? 1 : 0] = shelf
    return shelf
  }

  #take(shelf: Shelf): number {
    this.#live++
    if (shelf.free !== NO_ROW) {
      const slot = shelf.free
      shelf.free = this.#word(slot, T)
      return slot
    }
    if (shelf.unused === shelf.end) {
      const stride = shelf.isWide ? VALUE_HIGH + 1 : VALUE_LOW + 1
      shelf.unused = this.#segments.length * SEGMENT
      shelf.end = shelf.unused + SEGMENT
      const { t0, arrival0 } = shelf
      this.#segments.push({
        shelf,
        t0,
        arrival0,
        stride,
        words: new Uint32Array(SEGMENT * stride),
        infos: new Uint16Array(SEGMENT),
      })
    }
    return shelf.unused++
  }
}

const isWithin = ({ t0, arrival0 }: Shelf, t: EpochMs, arrival: EpochMs): boolean =>
  t >= t0 && t < t0 + RANGE && arrival >= arrival0 && arrival < arrival0 + RANGE
