import type { AuditEvent } from '@tocsin/contracts'
import { type EventFields, fieldReader } from '@tocsin/sigma'
import { type Hash64, hashBytes, hashText, mixBytes, mixText } from '../held/hash.ts'
import type { EpochMs } from '../time.ts'
import type { FieldPlan } from './event-plan.ts'
import { type EventView, MOST_COPIED, type TextField } from './event-view.ts'
import type { TextCache } from './text-cache.ts'

const ZERO = 0x30
/** Names come from rules; what is remembered of them must not grow without end. */
const MOST_NAMES = 10_000
/** Then their numbers begin again. */
const MOST_RECORDS = 2 ** 31 - 1
/** JSON may write these characters as \uXXXX, and in no other way. */
const PLAIN_NAME = /^[\w:-][\w.:-]*$/
const UNICODE_ESCAPE = Buffer.from('\\u')

/** What a name of a rule means where the event has neither an original nor unknown keys. */
type Meaning = FieldPlan | 'whole event' | 'nothing'

/** The view over the bytes of one record after another. Values are made when they are asked for. */
export class ScannedEvent implements EventView {
  stamp: EpochMs = 0
  shape = 0
  readonly fields: EventFields = (name) => this.#field(name)
  readonly #slots: ReadonlyMap<string, FieldPlan>
  readonly #textSlots: Readonly<Record<TextField, number>>
  readonly #idSlot: number
  readonly #organizationSlot: number
  readonly #recordCountSlot: number
  readonly #bytesSlot: number
  readonly #rawSlot: number
  readonly #detailsSlot: number
  readonly #from: Int32Array
  readonly #to: Int32Array
  /** Number of the last record that had the field. */
  readonly #had: Int32Array
  #record = 0
  /** Texts that are made already. */
  readonly #texts: (string | undefined)[]
  readonly #cache: TextCache
  readonly #meanings = new Map<string, Meaning>()
  /** What a name begins with, as bytes; null where it can be written in several ways. */
  readonly #keys = new Map<string, Buffer | null>()
  #bytes: Buffer = Buffer.alloc(0)
  #begins = 0
  #ends = 0
  /** Whether a text of the event is other than its bytes. */
  #hasOdd = false
  /** Null until it is looked for. */
  #hasEscapes: boolean | null = null
  #event: AuditEvent | null = null
  #reader: EventFields | null = null

  constructor(slots: ReadonlyMap<string, FieldPlan>, cache: TextCache) {
    const slot = (path: string): number => {
      const plan = slots.get(path)
      if (plan === undefined) throw new Error(`The contract has no ${path}.`)
      return plan.slot
    }
    this.#slots = slots
    this.#cache = cache
    this.#textSlots = {
      action: slot('action'),
      principalId: slot('principalId'),
      ipAddress: slot('sessionContext.ipAddress'),
      sessionId: slot('sessionContext.sessionId'),
      targetResourceType: slot('targetResourceType'),
      targetResourceId: slot('targetResourceId'),
      status: slot('status'),
      outcome: slot('outcome'),
      outcomeDescription: slot('outcomeDescription'),
      dataClassification: slot('dataClassification'),
      correlationId: slot('correlationId'),
      format: slot('source.format'),
    }
    this.#idSlot = slot('id')
    this.#organizationSlot = slot('organizationId')
    this.#recordCountSlot = slot('recordCount')
    this.#bytesSlot = slot('bytes')
    this.#rawSlot = slot('raw')
    this.#detailsSlot = slot('details')
    this.#from = new Int32Array(slots.size)
    this.#to = new Int32Array(slots.size)
    this.#had = new Int32Array(slots.size)
    this.#texts = new Array<string | undefined>(slots.size).fill(undefined)
  }

  /** Begins with the next record. */
  begin(bytes: Buffer, from: number, to: number): void {
    this.#bytes = bytes
    this.#begins = from
    this.#ends = to
    this.shape = 0
    if (this.#record === MOST_RECORDS) {
      this.#had.fill(0)
      this.#record = 0
    }
    this.#record++
    this.#hasOdd = false
    this.#hasEscapes = null
    this.#event = null
    this.#reader = null
  }

  /** The same for a text that its bytes do not say as they are: with escapes, or beyond ASCII. */
  placeOdd(slot: number, from: number, to: number, text: string): void {
    this.place(slot, from, to, text)
    this.#hasOdd = true
  }

  /** The value of a field lies at `from` to `to` (exclusive); `text` where it is known already. */
  place(slot: number, from: number, to: number, text?: string): void {
    this.#from[slot] = from
    this.#to[slot] = to
    this.#had[slot] = this.#record
    this.#texts[slot] = text
  }

  get id(): string {
    const text = this.#texts[this.#idSlot]
    if (text !== undefined) return text
    // Ids are all different: nothing to remember them for.
    const made = this.#bytes.toString('latin1', this.#from[this.#idSlot], this.#to[this.#idSlot])
    this.#texts[this.#idSlot] = made
    return made
  }

  get organizationId(): string {
    return this.#textAt(this.#organizationSlot) as string
  }

  text(field: TextField): string | undefined {
    return this.#textAt(this.#textSlots[field])
  }

  number(field: 'recordCount' | 'bytes'): number | undefined {
    const slot = field === 'bytes' ? this.#bytesSlot : this.#recordCountSlot
    return this.#has(slot) ? this.#numberAt(slot) : undefined
  }

  hashId(into: Hash64): void {
    if (this.#hasOdd) hashText(this.id, into)
    else hashBytes(this.#bytes, this.#from[this.#idSlot] as number, this.#to[this.#idSlot] as number, into)
  }

  mixText(field: TextField, seed: number): number {
    const slot = this.#textSlots[field]
    if (this.#hasOdd || !this.#has(slot)) return mixText(this.text(field) ?? '', seed)
    return mixBytes(this.#bytes, this.#from[slot] as number, this.#to[slot] as number, seed)
  }

  copyText(field: TextField | 'id', into: Uint8Array, at: number): number {
    const slot = field === 'id' ? this.#idSlot : this.#textSlots[field]
    if (!this.#has(slot)) return at
    const from = this.#from[slot] as number
    const length = (this.#to[slot] as number) - from
    if (this.#hasOdd || length > MOST_COPIED) return -1
    const bytes = this.#bytes
    for (let index = 0; index < length; index++) into[at + index] = bytes[from + index] as number
    return at + length
  }

  get event(): AuditEvent {
    this.#event ??= JSON.parse(this.#bytes.toString('utf8', this.#begins, this.#ends)) as AuditEvent
    return this.#event
  }

  #has(slot: number): boolean {
    return this.#had[slot] === this.#record
  }

  #textAt(slot: number): string | undefined {
    if (!this.#has(slot)) return undefined
    const known = this.#texts[slot]
    if (known !== undefined) return known
    const made = this.#cache.get(this.#bytes, this.#from[slot] as number, this.#to[slot] as number)
    this.#texts[slot] = made
    return made
  }

  #numberAt(slot: number): number {
    const to = this.#to[slot] as number
    let whole = 0
    for (let at = this.#from[slot] as number; at < to; at++) {
      const digit = (this.#bytes[at] as number) - ZERO
      if (digit < 0) return this.#fractionAt(slot)
      whole = whole * 10 + digit
    }
    return whole
  }

  /** A number with a point in it. */
  #fractionAt(slot: number): number {
    return Number(this.#bytes.toString('latin1', this.#from[slot], this.#to[slot]))
  }

  #field(name: string): unknown {
    const meaning = this.#meaningOf(name)
    if (meaning === 'whole event') return this.#whole(name)
    if (meaning !== 'nothing' && this.#has(meaning.slot)) {
      if (meaning.kind === 'whole' || meaning.kind === 'number') return this.#numberAt(meaning.slot)
      if (meaning.kind === 'object' || meaning.kind === 'value' || meaning.kind === 'boolean') return this.#whole(name)
      return this.#textAt(meaning.slot)
    }
    if (!this.#has(this.#rawSlot) && !this.#has(this.#detailsSlot)) return undefined
    return this.#mayName(name) ? this.#whole(name) : undefined
  }

  /**
   * Whether a key of the event may be this name, or begin a path of it: its bytes are somewhere in the record. Most originals lack most
   * fields that rules read, and are then not parsed. Keys may also be written in escapes.
   */
  #mayName(name: string): boolean {
    const key = this.#keys.get(name) ?? this.#makeKey(name)
    if (key === null) return true
    const record = this.#bytes.subarray(this.#begins, this.#ends)
    if (record.includes(key)) return true
    this.#hasEscapes ??= record.includes(UNICODE_ESCAPE)
    return this.#hasEscapes
  }

  #makeKey(name: string): Buffer | null {
    if (this.#keys.size >= MOST_NAMES) this.#keys.clear()
    const key = PLAIN_NAME.test(name) ? Buffer.from(name.split('.', 1)[0] as string) : null
    this.#keys.set(name, key)
    return key
  }

  #whole(name: string): unknown {
    this.#reader ??= fieldReader(this.event)
    return this.#reader(name)
  }

  #meaningOf(name: string): Meaning {
    const known = this.#meanings.get(name)
    if (known !== undefined) return known
    if (this.#meanings.size >= MOST_NAMES) this.#meanings.clear()
    const meaning = this.#makeMeaning(name)
    this.#meanings.set(name, meaning)
    return meaning
  }

  /** As libs/sigma's field-reader.ts: the parts of the session that groups call by their last name, and paths into objects. */
  #makeMeaning(name: string): Meaning {
    const plan = this.#slots.get(name) ?? this.#slots.get(`sessionContext.${name}`)
    if (plan !== undefined && (this.#slots.has(name) || name === 'ipAddress' || name === 'sessionId')) return plan
    for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1))
      if (this.#slots.has(name.slice(0, dot))) return 'whole event'
    return name.startsWith('\u0000') ? 'whole event' : 'nothing'
  }
}
