/**
 * Records as they lie in a fetched response (record batch format 2, https://kafka.apache.org/documentation/#recordbatch): found without copying or
 * decoding, and decoded when they are asked. kafkajs makes a dozen objects of each record, of which most readers want none.
 */
import type { HeaderValue, KafkaRecord } from './record.ts'

/** One record batch, not compressed. */
export interface RecordSet {
  readonly bytes: Buffer
  readonly baseOffset: number
  /** Of all its records (LogAppendTime); else null, and each has its own from `firstTime` on. */
  readonly appendTime: number | null
  readonly firstTime: number
}

/** kafkajs' form of a record. */
export class FetchedMessage {
  readonly isControlRecord = false
  readonly attributes = 0
  readonly set: RecordSet
  /** Where the record begins, behind its length. */
  readonly at: number

  constructor(set: RecordSet, at: number) {
    this.set = set
    this.at = at
  }

  get offset(): string {
    return String(offsetOf(this))
  }

  get timestamp(): string {
    return String(this.#record.appendTime)
  }

  get key(): Buffer | null {
    return this.#record.key
  }

  get value(): Buffer | null {
    return this.#record.value
  }

  get headers(): Readonly<Record<string, HeaderValue>> {
    return this.#record.headers
  }

  get #record(): FetchedRecord {
    return new FetchedRecord('', 0, this)
  }
}

export function offsetOf({ set, at }: FetchedMessage): number {
  cursor = at + 1
  skipVarint(set.bytes)
  return set.baseOffset + readVarint(set.bytes)
}

/** What follows a record's frame. Its value lies in `bytes` from `from` to `to`; `to` is below `from` where there is none. */
export class FetchedRecord implements KafkaRecord {
  readonly topic: string
  readonly partition: number
  readonly bytes: Buffer
  readonly from: number
  readonly to: number
  readonly #set: RecordSet
  readonly #offsetDelta: number
  readonly #at: number
  readonly #keyFrom: number
  readonly #keyTo: number

  constructor(topic: string, partition: number, { set, at }: FetchedMessage) {
    const { bytes } = set
    this.topic = topic
    this.partition = partition
    this.bytes = bytes
    this.#set = set
    this.#at = at
    cursor = at + 1
    skipVarint(bytes)
    this.#offsetDelta = readVarint(bytes)
    const keyLength = readVarint(bytes)
    this.#keyFrom = cursor
    this.#keyTo = cursor + keyLength
    if (keyLength > 0) cursor += keyLength
    const length = readVarint(bytes)
    this.from = cursor
    this.to = cursor + length
  }

  get offset(): bigint {
    return BigInt(this.#set.baseOffset + this.#offsetDelta)
  }

  get appendTime(): number {
    const { appendTime, firstTime, bytes } = this.#set
    if (appendTime !== null) return appendTime
    cursor = this.#at + 1
    return firstTime + readVarlong(bytes)
  }

  get key(): Buffer | null {
    return this.#slice(this.#keyFrom, this.#keyTo)
  }

  get value(): Buffer | null {
    return this.#slice(this.from, this.to)
  }

  get headers(): Readonly<Record<string, HeaderValue>> {
    const found: Record<string, HeaderValue> = {}
    const { bytes } = this
    for (let left = this.#beginHeaders(); left > 0; left--) {
      const nameLength = readVarint(bytes)
      const name = bytes.toString('utf8', cursor, cursor + nameLength)
      cursor += nameLength
      const value = this.#readHeader() as Buffer
      const before = Object.hasOwn(found, name) ? found[name] : undefined
      const now = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value]
      Object.defineProperty(found, name, { value: now, enumerable: true, configurable: true, writable: true })
    }
    return found
  }

  /** Text of the header, the first where it is repeated; undefined when absent. The name is ASCII. */
  header(name: string): string | undefined {
    const { bytes } = this
    for (let left = this.#beginHeaders(); left > 0; left--) {
      const nameLength = readVarint(bytes)
      const isIt = nameLength === name.length && lies(name, bytes, cursor)
      cursor += nameLength
      const length = readVarint(bytes)
      if (isIt) return length < 0 ? undefined : headerText(bytes, cursor, cursor + length)
      if (length > 0) cursor += length
    }
    return undefined
  }

  /** How many there are; `cursor` is then at the first. */
  #beginHeaders(): number {
    cursor = Math.max(this.from, this.to)
    return readVarint(this.bytes)
  }

  #readHeader(): Buffer | null {
    const length = readVarint(this.bytes)
    const value = this.#slice(cursor, cursor + length)
    if (length > 0) cursor += length
    return value
  }

  #slice(from: number, to: number): Buffer | null {
    return to < from ? null : this.bytes.subarray(from, to)
  }
}

/** The last header that was read: nearly always the same as the next. */
let lastHeader = ''

function headerText(bytes: Buffer, from: number, to: number): string {
  if (lastHeader.length === to - from && lies(lastHeader, bytes, from)) return lastHeader
  lastHeader = bytes.toString('utf8', from, to)
  return lastHeader
}

function lies(text: string, bytes: Uint8Array, from: number): boolean {
  for (let index = 0; index < text.length; index++) if (bytes[from + index] !== text.charCodeAt(index)) return false
  return true
}

/** Where the next number is read. One for all, because several results would be an object for each number. */
let cursor = 0

function readVarint(bytes: Uint8Array): number {
  const first = bytes[cursor] as number
  // Nearly all are of one byte.
  if (first < 0x80) {
    cursor++
    return (first >>> 1) ^ -(first & 1)
  }
  let result = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[cursor++] as number
    result |= (byte & 0x7f) << shift
    if (byte < 0x80) return (result >>> 1) ^ -(result & 1)
  }
}

/** Within what a number holds exactly, which times are. */
function readVarlong(bytes: Uint8Array): number {
  let result = 0
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[cursor++] as number
    result += (byte & 0x7f) * factor
    if (byte < 0x80) return result % 2 === 0 ? result / 2 : -(result + 1) / 2
  }
}

function skipVarint(bytes: Uint8Array): void {
  while ((bytes[cursor++] as number) >= 0x80);
}

const BATCH_HEAD_BYTES = 61
const LENGTH_AT = 8
const MAGIC_AT = 16
const ATTRIBUTES_AT = 21
const FIRST_TIME_AT = 27
const MOST_TIME_AT = 35
const COUNT_AT = 57
const MAGIC = 2
/** Compression, and the marks of transactions and of control batches. */
const NOT_PLAIN = 0x37
const LOG_APPEND_TIME = 0x08

/** The records of whole batches at `from` to `to`, in order; null where one is compressed or part of a transaction. */
export function messagesIn(bytes: Buffer, from: number, to: number): FetchedMessage[] | null {
  const messages: FetchedMessage[] = []
  let at = from
  while (to - at >= BATCH_HEAD_BYTES) {
    const end = at + LENGTH_AT + 4 + bytes.readInt32BE(at + LENGTH_AT)
    if (bytes[at + MAGIC_AT] !== MAGIC) return null
    // The last batch may be cut off by the fetch's limit.
    if (end > to) break
    const attributes = bytes.readInt16BE(at + ATTRIBUTES_AT)
    const baseOffset = Number(bytes.readBigInt64BE(at))
    if ((attributes & NOT_PLAIN) !== 0 || !Number.isSafeInteger(baseOffset)) return null
    const isAppendTime = (attributes & LOG_APPEND_TIME) !== 0
    const set: RecordSet = {
      bytes,
      baseOffset,
      appendTime: isAppendTime ? Number(bytes.readBigInt64BE(at + MOST_TIME_AT)) : null,
      firstTime: Number(bytes.readBigInt64BE(at + FIRST_TIME_AT)),
    }
    let record = at + BATCH_HEAD_BYTES
    for (let left = bytes.readInt32BE(at + COUNT_AT); left > 0; left--) {
      cursor = record
      const length = readVarint(bytes)
      messages.push(new FetchedMessage(set, cursor))
      record = cursor + length
    }
    if (record > end) return null
    at = end
  }
  return messages
}
