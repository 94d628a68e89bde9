import { CLASSIFICATIONS, OUTCOMES } from '@tocsin/contracts'
import { type EvidenceTexts, evidenceTexts, fit, type HeldSnapshot, TEXT_BYTES, TEXT_LIMIT } from '../alerts/evidence.ts'
import type { EventView } from '../event/event-view.ts'
import type { ByteWriter } from '../snapshots/bytes.ts'
import type { EpochMs } from '../time.ts'

/** No snapshot. */
export const NO_EVIDENCE = -1

/** Snapshots are given room in units, so that few sizes have to be kept apart. */
const UNIT_BYTES = 16
const SEGMENT_UNITS = 2048
const SEGMENT_BITS = 11
const SEGMENT_MASK = SEGMENT_UNITS - 1

/** Words of a snapshot. The first two link a list (loose-evidence.ts), or the free room of one size. */
const OLDER = 0
const NEWER = 1
const ROW = 2
/** 64-bit numbers of a snapshot. */
const T = 2
const OFFSET = 3
const RECORD_COUNT = 4
/**
 * Bytes of a snapshot: length of the list that it begins, two words of closed lists, whether the texts are ASCII, lengths of the five texts,
 * and the texts.
 */
const COUNT = 12
/** Such lists have their length where the oldest would have an older one. */
const LONG = 255
const OUTCOME = 13
const CLASSIFICATION = 14
const ENCODING = 15
const LENGTHS = 40
const TEXTS = 45
const TEXT_COUNT = 5
/** Where that begins which says nothing of lists and rows, and the most there is of it. */
const KEPT = 13
const MOST_BYTES = TEXTS - KEPT + TEXT_BYTES

interface Segment {
  /** Units of each snapshot in it. */
  readonly units: number
  readonly bytes: Buffer
  readonly words: Int32Array
  readonly numbers: Float64Array
}

const SLASH = 0x2f

const encoder = new TextEncoder()
const ASCII = 1
/** Room for five texts of 128 characters. */
const scratch = new Uint8Array(5 * 128 * 3)

/**
 * Snapshots of events (detection.md §2, evidence) as bytes in segments that are never moved: about 60 bytes and the texts, at most 300.
 * As objects they would be most of what the engine holds. Whoever adds one releases it.
 */
export class EvidencePool {
  readonly #segments: Segment[] = []
  /** By number of units: first free snapshot of that size. */
  readonly #free: number[] = []
  /** By number of units: first unit that was never used of the newest segment of that size, and its end. */
  readonly #unused: number[] = []
  readonly #ends: number[] = []
  #live = 0

  get live(): number {
    return this.#live
  }

  add(event: EventView, t: EpochMs, row: number, offset: bigint): number {
    const isPlain = copyTexts(event)
    if (!isPlain) encodeFitting(evidenceTexts(event))
    const outcome = OUTCOMES.indexOf(event.text('outcome') as (typeof OUTCOMES)[number])
    const classification = CLASSIFICATIONS.indexOf(event.text('dataClassification') as (typeof CLASSIFICATIONS)[number])
    return this.#write(t, row, Number(offset), event.number('recordCount') ?? Number.NaN, outcome, classification)
  }

  /** Writes what a state snapshot holds of it: all but its place in a list and in the event pool. */
  save(slot: number, to: Pick<ByteWriter, 'blob'>): void {
    const { bytes } = this.#segment(slot)
    to.blob(bytes, byteOf(slot) + KEPT, endOf(bytes, slot))
  }

  /**
   * Puts back what `save` wrote.
   * @throws RangeError for bytes that no snapshot has
   */
  restore(kept: Uint8Array, row: number): number {
    let length = TEXTS - KEPT
    for (let text = 0; text < TEXT_COUNT; text++) length += kept[LENGTHS - KEPT + text] ?? Number.NaN
    if (length !== kept.length || length > MOST_BYTES) throw new RangeError(`evidence of ${kept.length} bytes`)
    const slot = this.#take(Math.ceil((KEPT + length) / UNIT_BYTES))
    const { bytes, words } = this.#segment(slot)
    words[wordOf(slot) + ROW] = row
    bytes.set(kept, byteOf(slot) + KEPT)
    return slot
  }

  copy(slot: number): number {
    const { bytes } = this.#segment(slot)
    return this.restore(bytes.subarray(byteOf(slot) + KEPT, endOf(bytes, slot)), -1)
  }

  release(slot: number): void {
    const { units, words } = this.#segment(slot)
    words[wordOf(slot) + OLDER] = this.#free[units] ?? NO_EVIDENCE
    this.#free[units] = slot
    this.#live--
  }

  read(slot: number): HeldSnapshot {
    const { bytes, numbers } = this.#segment(slot)
    const at = byteOf(slot)
    const recordCount = numbers[numberOf(slot) + RECORD_COUNT] as number
    const from = at + TEXTS
    const idEnd = bytes[at + LENGTHS] as number
    const actionEnd = idEnd + (bytes[at + LENGTHS + 1] as number)
    const subjectEnd = actionEnd + (bytes[at + LENGTHS + 2] as number)
    const targetEnd = subjectEnd + (bytes[at + LENGTHS + 3] as number)
    const ipEnd = targetEnd + (bytes[at + LENGTHS + 4] as number)
    // Asking for one text and cutting it takes a third of the time of asking for five.
    const ascii = bytes[at + ENCODING] === ASCII ? bytes.toString('latin1', from, from + ipEnd) : null
    const text = (begin: number, end: number): string =>
      ascii === null ? bytes.toString('utf8', from + begin, from + end) : ascii.slice(begin, end)
    return {
      t: this.t(slot),
      id: text(0, idEnd),
      offset: String(numbers[numberOf(slot) + OFFSET]),
      action: text(idEnd, actionEnd),
      outcome: OUTCOMES[bytes[at + OUTCOME] as number] ?? 'unknown',
      subject: text(actionEnd, subjectEnd) || null,
      target: text(subjectEnd, targetEnd) || null,
      ip: text(targetEnd, ipEnd) || null,
      recordCount: Number.isNaN(recordCount) ? null : recordCount,
      classification: CLASSIFICATIONS[bytes[at + CLASSIFICATION] as number] ?? null,
    }
  }

  t(slot: number): EpochMs {
    return this.#segment(slot).numbers[numberOf(slot) + T] as number
  }

  /** The event's row while it is held; of snapshots in a list of loose ones. */
  row(slot: number): number {
    return this.#segment(slot).words[wordOf(slot) + ROW] as number
  }

  isSameEvent(one: number, other: number): boolean {
    return this.#offset(one) === this.#offset(other)
  }

  /** Order of evidence: by event time, then by id, then by place in the log. */
  isBefore(one: number, other: number): boolean {
    const t = this.t(one)
    const otherT = this.t(other)
    if (t !== otherT) return t < otherT
    const ids = this.#compareIds(one, other)
    return ids !== 0 ? ids < 0 : this.#offset(one) < this.#offset(other)
  }

  older(slot: number): number {
    return this.#segment(slot).words[wordOf(slot) + OLDER] as number
  }

  newer(slot: number): number {
    return this.#segment(slot).words[wordOf(slot) + NEWER] as number
  }

  setOlder(slot: number, older: number): void {
    this.#segment(slot).words[wordOf(slot) + OLDER] = older
  }

  setNewer(slot: number, newer: number): void {
    this.#segment(slot).words[wordOf(slot) + NEWER] = newer
  }

  /** Length of the list whose newest snapshot this is. */
  count(slot: number): number {
    const count = this.#segment(slot).bytes[byteOf(slot) + COUNT] as number
    return count < LONG ? count : this.older(this.newer(slot))
  }

  /** To be called when the list is linked: its newest's newer one is its oldest. */
  setCount(slot: number, count: number): void {
    this.#segment(slot).bytes[byteOf(slot) + COUNT] = Math.min(count, LONG)
    if (count >= LONG) this.setOlder(this.newer(slot), count)
  }

  /** Links a snapshot of a later time behind the newest of a list and returns how many there are then; 0 where its time is not later. */
  append(newest: number, snapshot: number): number {
    const { numbers, words } = this.#segment(newest)
    const added = this.#segment(snapshot)
    if ((numbers[numberOf(newest) + T] as number) >= (added.numbers[numberOf(snapshot) + T] as number)) return 0
    const count = this.count(newest) + 1
    added.words[wordOf(snapshot) + OLDER] = newest
    added.words[wordOf(snapshot) + NEWER] = words[wordOf(newest) + NEWER] as number
    words[wordOf(newest) + NEWER] = snapshot
    this.setCount(snapshot, count)
    return count
  }

  #offset(slot: number): number {
    return this.#segment(slot).numbers[numberOf(slot) + OFFSET] as number
  }

  /** Below 0 where the first id comes first, by UTF-16 units. */
  #compareIds(one: number, other: number): number {
    const { bytes } = this.#segment(one)
    const { bytes: others } = this.#segment(other)
    const at = byteOf(one)
    const otherAt = byteOf(other)
    const length = bytes[at + LENGTHS] as number
    const otherLength = others[otherAt + LENGTHS] as number
    if (bytes[at + ENCODING] !== ASCII || others[otherAt + ENCODING] !== ASCII) {
      const id = bytes.toString('utf8', at + TEXTS, at + TEXTS + length)
      const otherId = others.toString('utf8', otherAt + TEXTS, otherAt + TEXTS + otherLength)
      return id === otherId ? 0 : id < otherId ? -1 : 1
    }
    for (let index = TEXTS; index < TEXTS + Math.min(length, otherLength); index++) {
      const difference = (bytes[at + index] as number) - (others[otherAt + index] as number)
      if (difference !== 0) return difference
    }
    return length - otherLength
  }

  #segment(slot: number): Segment {
    return this.#segments[slot >>> SEGMENT_BITS] as Segment
  }

  /** With the texts that lie in the scratch. */
  #write(t: EpochMs, row: number, offset: number, recordCount: number, outcome: number, classification: number): number {
    const { bytes: length, ends } = written
    const slot = this.#take(Math.ceil((TEXTS + length) / UNIT_BYTES))
    const { bytes, words, numbers } = this.#segment(slot)
    const at = byteOf(slot)
    words[wordOf(slot) + ROW] = row
    numbers[numberOf(slot) + T] = t
    numbers[numberOf(slot) + OFFSET] = offset
    numbers[numberOf(slot) + RECORD_COUNT] = recordCount
    bytes[at + OUTCOME] = outcome
    bytes[at + CLASSIFICATION] = classification
    bytes[at + ENCODING] = written.isAscii ? ASCII : 0
    for (let text = 0, from = 0; text < ends.length; text++) {
      bytes[at + LENGTHS + text] = (ends[text] as number) - from
      from = ends[text] as number
    }
    for (let byte = 0; byte < length; byte++) bytes[at + TEXTS + byte] = scratch[byte] as number
    return slot
  }

  #take(units: number): number {
    this.#live++
    const free = this.#free[units] ?? NO_EVIDENCE
    if (free !== NO_EVIDENCE) {
      this.#free[units] = this.older(free)
      return free
    }
    const unused = this.#unused[units] ?? 0
    if (unused + units <= (this.#ends[units] ?? 0)) {
      this.#unused[units] = unused + units
      return unused
    }
    const begin = this.#segments.length * SEGMENT_UNITS
    const buffer = new ArrayBuffer(SEGMENT_UNITS * UNIT_BYTES)
    this.#segments.push({
      units,
      bytes: Buffer.from(buffer),
      words: new Int32Array(buffer),
      numbers: new Float64Array(buffer),
    })
    this.#unused[units] = begin + units
    this.#ends[units] = begin + SEGMENT_UNITS
    return begin
  }
}

const byteOf = (slot: number): number => (slot & SEGMENT_MASK) * UNIT_BYTES
const wordOf = (slot: number): number => (slot & SEGMENT_MASK) * (UNIT_BYTES / 4)
const numberOf = (slot: number): number => (slot & SEGMENT_MASK) * (UNIT_BYTES / 8)

/** The place behind its texts. */
function endOf(bytes: Uint8Array, slot: number): number {
  const at = byteOf(slot)
  let end = at + TEXTS
  for (let text = 0; text < TEXT_COUNT; text++) end += bytes[at + LENGTHS + text] as number
  return end
}

/** What lies in the scratch: five texts, one behind the other. Its length as JSON counts what is written there with an escape. */
const written = { ends: [0, 0, 0, 0, 0], bytes: 0, jsonBytes: 0, isAscii: true }

function encodeFitting(texts: EvidenceTexts): void {
  encode(texts)
  if (written.jsonBytes <= TEXT_BYTES) return
  fit(texts)
  encode(texts)
}

/** As for most events: texts that lie there as they are to be written. False for others. */
function copyTexts(event: EventView): boolean {
  const { ends } = written
  const id = event.copyText('id', scratch, 0)
  const action = id < 0 ? id : event.copyText('action', scratch, id)
  if (action < 0) return false
  let subject = event.copyText('principalId', scratch, action)
  if (subject === action) subject = event.copyText('ipAddress', scratch, action)
  if (subject === action) subject = event.copyText('sessionId', scratch, action)
  if (subject < 0) return false
  const type = event.copyText('targetResourceType', scratch, subject)
  if (type < 0) return false
  let target = event.copyText('targetResourceId', scratch, type > subject ? type + 1 : type)
  if (target < 0) return false
  if (type > subject) {
    if (target === type + 1) target = type
    else scratch[type] = SLASH
  }
  const ip = event.copyText('ipAddress', scratch, target)
  // A target of both parts may be longer than a text may be.
  if (ip < 0 || ip > TEXT_BYTES || target - subject > TEXT_LIMIT) return false
  ends[0] = id
  ends[1] = action
  ends[2] = subject
  ends[3] = target
  ends[4] = ip
  written.bytes = ip
  written.isAscii = true
  return true
}

function encode(texts: EvidenceTexts): void {
  let at = 0
  let escaped = 0
  written.isAscii = true
  for (let place = 0; place < texts.length; place++) {
    const text = texts[place] as string
    const from = at
    let index = 0
    for (; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      if (unit >= 0x80) break
      if (unit < 0x20) escaped += 5
      else if (unit === 0x22 || unit === 0x5c) escaped += 1
      scratch[at++] = unit
    }
    if (index < text.length) {
      at = from + encoder.encodeInto(text, scratch.subarray(from)).written
      escaped += 5 * text.length
      written.isAscii = false
    }
    written.ends[place] = at
  }
  written.bytes = at
  written.jsonBytes = at + escaped
}
