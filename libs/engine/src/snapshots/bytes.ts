/**
 * Plain data as bytes and back, for snapshots: a million groups must not become a million small objects on their way. Whatever is written comes
 * back the same, every text (lone surrogates too) and every number (-0, NaN and infinities too); the reader asks in the writer's order.
 */
const FIRST_BYTES = 65_536
/** Longest of a whole number in groups of 7 bits, or a number's 8 bytes and what says so. */
const LONGEST_NUMBER = 10
const LOW_BITS = 0x7f
const MORE = 0x80
const SHIFT = 128
const LATIN1_END = 0x100
/** Larger ones are not doubled to make room for a mark. */
const LARGEST_MARKED = 2 ** 51

const TAGS = { null: 0, false: 1, true: 2, number: 3, text: 4, array: 5, object: 6 } as const

/** What `value` takes: data without classes, undefined or holes. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain }

export class ByteWriter {
  #bytes = new Uint8Array(FIRST_BYTES)
  #view = new DataView(this.#bytes.buffer)
  #names = new Map<string, number>()
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What was written since the last time; names are told anew after it. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length)
    this.#length = 0
    this.#names = new Map()
    return taken
  }

  /** A whole number from 0 to 2^53 - 1: a byte for 7 bits. */
  uint(value: number): void {
    this.#reserve(LONGEST_NUMBER)
    const bytes = this.#bytes
    let rest = value
    while (rest > LOW_BITS) {
      bytes[this.#length++] = (rest % SHIFT) + MORE
      rest = Math.floor(rest / SHIFT)
    }
    bytes[this.#length++] = rest
  }

  /** A whole number of at most 2^52 - 1 either way. */
  int(value: number): void {
    this.uint(value < 0 ? -2 * value - 1 : 2 * value)
  }

  /** 32 bits, unsigned. */
  word(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
  }

  number(value: number): void {
    const isSimple = Number.isInteger(value) && value >= 0 && value <= LARGEST_MARKED && !Object.is(value, -0)
    this.uint(isSimple ? 2 * value : 1)
    if (isSimple) return
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  /** The bytes at `from` to `to` (exclusive) as they are. */
  blob(bytes: Uint8Array, from = 0, to = bytes.length): void {
    this.#reserve(LONGEST_NUMBER + to - from)
    this.uint(to - from)
    const into = this.#bytes
    let at = this.#length
    for (let index = from; index < to; index++) into[at++] = bytes[index] as number
    this.#length = at
  }

  text(text: string): void {
    const { length } = text
    this.#reserve(LONGEST_NUMBER + 2 * length)
    const begin = this.#length
    this.uint(2 * length)
    const bytes = this.#bytes
    let at = this.#length
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index)
      if (unit >= LATIN1_END) {
        this.#wide(text, begin)
        return
      }
      bytes[at++] = unit
    }
    this.#length = at
  }

  /** A text that comes again and again: its place among the names written before. */
  name(text: string): void {
    const known = this.#names.get(text)
    this.uint(known ?? 0)
    if (known !== undefined) return
    this.text(text)
    this.#names.set(text, this.#names.size + 1)
  }

  value(value: Plain): void {
    if (value === null) this.uint(TAGS.null)
    else if (typeof value === 'boolean') this.uint(value ? TAGS.true : TAGS.false)
    else if (typeof value === 'number') {
      this.uint(TAGS.number)
      this.number(value)
    } else if (typeof value === 'string') {
      this.uint(TAGS.text)
      this.text(value)
    } else if (Array.isArray(value)) {
      this.uint(TAGS.array)
      this.uint(value.length)
      for (const item of value as readonly Plain[]) this.value(item)
    } else {
      const entries = Object.entries(value)
      this.uint(TAGS.object)
      this.uint(entries.length)
      for (const [name, item] of entries) {
        this.name(name)
        this.value(item)
      }
    }
  }

  #wide(text: string, begin: number): void {
    this.#length = begin
    this.uint(2 * text.length + 1)
    for (let index = 0; index < text.length; index++) {
      this.#view.setUint16(this.#length, text.charCodeAt(index), true)
      this.#length += 2
    }
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const grown = new Uint8Array(2 * (this.#length + bytes))
    grown.set(this.#bytes)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

/** Reads what one `take()` gave. @throws RangeError where the bytes end too early or say what no writer says */
export class ByteReader {
  readonly #bytes: Buffer
  readonly #names: string[] = []
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  uint(): number {
    const bytes = this.#bytes
    let value = 0
    for (let factor = 1; ; factor *= SHIFT) {
      const byte = bytes[this.#at++]
      if (byte === undefined) throw new RangeError('the bytes end in the middle of a number')
      value += (byte & LOW_BITS) * factor
      if (byte < MORE) return value
    }
  }

  int(): number {
    const value = this.uint()
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2
  }

  word(): number {
    const value = this.#bytes.readUInt32LE(this.#at)
    this.#at += 4
    return value
  }

  number(): number {
    const marked = this.uint()
    if (marked % 2 === 0) return marked / 2
    const value = this.#bytes.readDoubleLE(this.#at)
    this.#at += 8
    return value
  }

  /** A view of the bytes that are read. */
  blob(): Uint8Array {
    const length = this.uint()
    const from = this.#at
    this.#at += length
    if (this.#at > this.#bytes.length) throw new RangeError('the bytes end too early')
    return this.#bytes.subarray(from, this.#at)
  }

  text(): string {
    const marked = this.uint()
    const isWide = marked % 2 === 1
    const begin = this.#at
    this.#at += isWide ? marked - 1 : marked / 2
    if (this.#at > this.#bytes.length) throw new RangeError('the bytes end in the middle of a text')
    return this.#bytes.toString(isWide ? 'utf16le' : 'latin1', begin, this.#at)
  }

  name(): string {
    const place = this.uint()
    if (place > 0) {
      const known = this.#names[place - 1]
      if (known === undefined) throw new RangeError(`name ${place} of ${this.#names.length}`)
      return known
    }
    const name = this.text()
    this.#names.push(name)
    return name
  }

  value(): Plain {
    const tag = this.uint()
    switch (tag) {
      case TAGS.null:
        return null
      case TAGS.false:
        return false
      case TAGS.true:
        return true
      case TAGS.number:
        return this.number()
      case TAGS.text:
        return this.text()
      case TAGS.array:
        return Array.from({ length: this.uint() }, () => this.value())
      case TAGS.object: {
        const count = this.uint()
        const entries: [string, Plain][] = []
        for (let index = 0; index < count; index++) entries.push([this.name(), this.value()])
        // Defined, not assigned: a name may be __proto__.
        return Object.fromEntries(entries)
      }
      default:
        throw new RangeError(`tag ${tag}`)
    }
  }
}
