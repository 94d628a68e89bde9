/**
 * Reads audit events from the bytes of their records without parsing them.
 *
 * 1. What `scan` takes is JSON and meets the contract, and its view says what `parsedEvent` says of the parsed value.
 * 2. What it is not sure of it declines: other than JSON.stringify writes it, a key twice, a number beyond 15 digits, a time in another form
 *    than ingest's. The caller then parses and checks, which decides.
 */
import { OPERATIONS, OUTCOMES } from '@tocsin/contracts'
import { type FieldPlan, type ObjectPlan, planOfEvent } from './event-plan.ts'
import type { EventView } from './event-view.ts'
import {
  CLOSE,
  COLON,
  COMMA,
  digitsEnd,
  NONE,
  OPEN,
  plainTextEnd,
  QUOTE,
  textEnd,
  valueEnd,
  wholeEnd,
  wordEnd,
} from './json-bytes.ts'
import { ScannedEvent } from './scanned-event.ts'
import { StampReader } from './stamp-bytes.ts'
import { TextCache } from './text-cache.ts'
import { UuidCache } from './uuid-cache.ts'

/** Whole numbers of so many digits are exact. */
const EXACT_DIGITS = 15
const POINT = 0x2e

export class EventScanner {
  readonly #plan: ObjectPlan
  readonly #event: ScannedEvent
  readonly #texts = new TextCache()
  /** The bytes in hand, to be read four at a time; many events lie in one buffer. */
  #words: DataView = new DataView(new ArrayBuffer(0))
  #bytes: Buffer | null = null
  /** Where the event in hand ends. */
  #end = 0
  readonly #stamps = new StampReader()
  readonly #uuids = new UuidCache()
  readonly #timestamp: FieldPlan | undefined
  /** What each choice of a field adds to the event's shape, by slot. */
  readonly #shapeSteps: Int32Array

  constructor() {
    const { plan, slots } = planOfEvent()
    this.#plan = plan
    this.#event = new ScannedEvent(slots, this.#texts)
    this.#timestamp = slots.get('timestamp')
    this.#shapeSteps = new Int32Array(slots.size)
    const step = (path: string, size: number) => {
      this.#shapeSteps[slots.get(path)?.slot as number] = size
    }
    step('outcome', 1)
    step('operation', OUTCOMES.length)
    step('category', OUTCOMES.length * OPERATIONS.length)
  }

  /** The event that lies at `from` to `to` (exclusive): a view that is valid until the next call; null: parse it. */
  scan(bytes: Buffer, from = 0, to = bytes.length): EventView | null {
    if (to <= from || bytes[from] !== OPEN) return null
    if (bytes !== this.#bytes) {
      this.#bytes = bytes
      this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    }
    this.#end = to
    this.#event.begin(bytes, from, to)
    return this.#object(bytes, from + 1, this.#plan) === to ? this.#event : null
  }

  /** The place behind an object whose first key begins at `at`. */
  #object(bytes: Buffer, at: number, plan: ObjectPlan): number {
    let seen = 0
    let here = at
    let before: FieldPlan | null = null
    if (bytes[here] === CLOSE) return plan.required === 0 ? here + 1 : NONE
    for (;;) {
      const guess: FieldPlan | null = before === null ? plan.first : before.next
      let field: FieldPlan | null = guess
      if (guess !== null && this.#hasKey(here, guess)) here += guess.keyLength
      else {
        if (bytes[here] !== QUOTE) return NONE
        const end = plainTextEnd(this.#words, here + 1, this.#end)
        if (end === NONE || bytes[end + 1] !== COLON) return NONE
        const place = plan.names.find(bytes, here + 1, end)
        here = end + 2
        field = place === NONE ? null : (plan.fields[place] as FieldPlan)
        if (field !== null) {
          if (before === null) plan.first = field
          else before.next = field
        }
      }
      if (field === null) {
        if (plan.isClosed) return NONE
        here = valueEnd(bytes, here, this.#end)
      } else {
        if ((seen & field.bit) !== 0) return NONE
        seen |= field.bit
        here = this.#value(bytes, here, field)
        before = field
      }
      if (here === NONE) return NONE
      const next = bytes[here]
      if (next === CLOSE) return (seen & plan.required) === plan.required ? here + 1 : NONE
      if (next !== COMMA) return NONE
      here++
    }
  }

  #value(bytes: Buffer, at: number, field: FieldPlan): number {
    switch (field.kind) {
      case 'text':
        return this.#text(bytes, at, field)
      case 'choice':
        return this.#choice(bytes, at, field)
      case 'time':
        return this.#time(bytes, at, field)
      case 'uuid':
        return this.#uuid(bytes, at, field)
      case 'object':
        if (bytes[at] !== OPEN) return NONE
        return this.#placed(field, at, this.#object(bytes, at + 1, field.object as ObjectPlan))
      case 'value':
        return this.#placed(field, at, valueEnd(bytes, at, this.#end))
      case 'boolean':
        return this.#placed(field, at, bytes[at] === 0x74 ? wordEnd(bytes, at, 'true') : wordEnd(bytes, at, 'false'))
      case 'whole':
        return this.#placed(field, at, exactEnd(bytes, at))
      case 'number': {
        const end = exactEnd(bytes, at)
        if (end === NONE || bytes[end] !== POINT) return this.#placed(field, at, end)
        const fraction = digitsEnd(bytes, end + 1)
        return fraction === end + 1 ? NONE : this.#placed(field, at, fraction)
      }
    }
  }

  #placed(field: FieldPlan, from: number, to: number): number {
    if (to !== NONE) this.#event.place(field.slot, from, to)
    return to
  }

  #text(bytes: Buffer, at: number, field: FieldPlan): number {
    if (bytes[at] !== QUOTE) return NONE
    const end = plainTextEnd(this.#words, at + 1, this.#end)
    if (end === NONE) return this.#oddText(bytes, at, field)
    const length = end - at - 1
    if (length < field.least || length > field.most) return NONE
    this.#event.place(field.slot, at + 1, end)
    return end + 1
  }

  /** With escapes, or beyond ASCII. The contract counts code points; a text of so many UTF-16 units has no more of them. */
  #oddText(bytes: Buffer, at: number, field: FieldPlan): number {
    const end = textEnd(bytes, at + 1, this.#end)
    if (end === NONE) return NONE
    const text = JSON.parse(bytes.toString('utf8', at, end + 1)) as string
    if (text.length < field.least || text.length > field.most) return NONE
    this.#event.placeOdd(field.slot, at + 1, end, text)
    return end + 1
  }

  #choice(bytes: Buffer, at: number, field: FieldPlan): number {
    if (bytes[at] !== QUOTE || field.choices === null) return NONE
    const end = plainTextEnd(this.#words, at + 1, this.#end)
    const place = end === NONE ? NONE : field.choices.find(bytes, at + 1, end)
    if (place === NONE) return NONE
    this.#event.shape += place * (this.#shapeSteps[field.slot] as number)
    this.#event.place(field.slot, at + 1, end, field.choices.words[place])
    return end + 1
  }

  #time(bytes: Buffer, at: number, field: FieldPlan): number {
    const end = at + 25
    if (bytes[at] !== QUOTE || bytes[end] !== QUOTE) return NONE
    const stamp = this.#stamps.read(bytes, at + 1, end)
    if (Number.isNaN(stamp)) return NONE
    if (field === this.#timestamp) this.#event.stamp = stamp
    this.#event.place(field.slot, at + 1, end)
    return end + 1
  }

  #uuid(bytes: Buffer, at: number, field: FieldPlan): number {
    const end = at + 37
    if (end >= this.#end || bytes[at] !== QUOTE || bytes[end] !== QUOTE) return NONE
    const text = this.#uuids.get(this.#words, at + 1)
    if (text === null) return NONE
    this.#event.place(field.slot, at + 1, end, text)
    return end + 1
  }

  /** Whether the field's key lies at `at`. */
  #hasKey(at: number, { key, keyLength }: FieldPlan): boolean {
    const last = at + keyLength - 4
    if (last + 4 > this.#end) return false
    const words = this.#words
    if (words.getInt32(last, true) !== key[0]) return false
    for (let word = 1, here = at; word < key.length; word++, here += 4) if (words.getInt32(here, true) !== key[word]) return false
    return true
  }
}

function exactEnd(bytes: Uint8Array, at: number): number {
  const end = wholeEnd(bytes, at)
  return end - at > EXACT_DIGITS ? NONE : end
}
