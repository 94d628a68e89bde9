import { AuditEvent } from '@tocsin/contracts'
import { ByteWords } from './byte-words.ts'

/** How a value is read; `value` is any JSON, and `object` one whose keys are in `fields`. */
export type FieldKind = 'text' | 'choice' | 'time' | 'uuid' | 'whole' | 'number' | 'boolean' | 'object' | 'value'

export interface FieldPlan {
  readonly name: string
  readonly kind: FieldKind
  /** The key with its quotes and the colon, four bytes at a time: first the last four, then from the beginning those before. */
  readonly key: Int32Array
  readonly keyLength: number
  /** This field among those of its object, as one bit. */
  readonly bit: number
  /** This field among all of the event. */
  readonly slot: number
  /** Lengths of a text in UTF-16 units, or the least number. */
  readonly least: number
  readonly most: number
  readonly choices: ByteWords | null
  readonly object: ObjectPlan | null
  /** The field that came after this one the last time. */
  next: FieldPlan | null
}

/** An object of the contract as the scanner walks it. */
export interface ObjectPlan {
  readonly fields: readonly FieldPlan[]
  readonly names: ByteWords
  /** Bits of the fields that must be there. */
  readonly required: number
  /** Whether keys that are none of `fields` break the contract. */
  readonly isClosed: boolean
  /** The field that came first the last time. */
  first: FieldPlan | null
}

/** What a schema of the contract may say; anything else is refused, so that the scanner never knows less than the contract. */
interface Schema {
  readonly type?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly format?: string
  readonly enum?: readonly string[]
  readonly properties?: Readonly<Record<string, object>>
  readonly patternProperties?: Readonly<Record<string, object>>
  readonly required?: readonly string[] | undefined
  readonly additionalProperties?: boolean
  readonly description?: string
  readonly $id?: string
}

const KNOWN_WORDS: ReadonlySet<string> = new Set([
  'type',
  'minLength',
  'maxLength',
  'minimum',
  'format',
  'enum',
  'properties',
  'patternProperties',
  'required',
  'additionalProperties',
  'description',
  '$id',
])
const encoder = new TextEncoder()

/** The plan of AuditEvent, and the slot of each of its fields by path (`sessionContext.ipAddress`). */
export function planOfEvent(): { readonly plan: ObjectPlan; readonly slots: ReadonlyMap<string, FieldPlan> } {
  const slots = new Map<string, FieldPlan>()
  return { plan: objectOf(AuditEvent, '', slots), slots }
}

function objectOf(schema: Schema, path: string, slots: Map<string, FieldPlan>): ObjectPlan {
  const properties = Object.entries(schema.properties ?? {})
  const fields = properties.map(([name, each], index) => fieldOf(name, each as Schema, 1 << index, path + name, slots))
  if (fields.length > 30) throw new Error(`Too many fields for the bits of a number: ${path}`)
  const required = new Set(schema.required ?? [])
  return {
    fields,
    names: new ByteWords(fields.map(({ name }) => name)),
    required: fields.reduce((bits, { name, bit }) => (required.has(name) ? bits | bit : bits), 0),
    isClosed: schema.additionalProperties === false,
    first: fields[0] ?? null,
  }
}

function fieldOf(name: string, schema: Schema, bit: number, path: string, slots: Map<string, FieldPlan>): FieldPlan {
  const kind = kindOf(schema, path)
  const slot = slots.size
  const isText = kind === 'text'
  const key = encoder.encode(`"${name}":`)
  const plan: FieldPlan = {
    name,
    kind,
    key: wordsOf(key),
    keyLength: key.length,
    bit,
    slot,
    least: isText ? (schema.minLength ?? 0) : (schema.minimum ?? Number.NEGATIVE_INFINITY),
    most: schema.maxLength ?? Number.POSITIVE_INFINITY,
    choices: schema.enum === undefined ? null : new ByteWords(schema.enum),
    object: null,
    next: null,
  }
  slots.set(path, plan)
  return kind === 'object' ? Object.assign(plan, { object: objectOf(schema, `${path}.`, slots) }) : plan
}

function wordsOf(key: Uint8Array): Int32Array {
  const view = new DataView(key.buffer, key.byteOffset, key.length)
  const words = [view.getInt32(key.length - 4, true)]
  for (let at = 0; at < key.length - 4; at += 4) words.push(view.getInt32(at, true))
  return Int32Array.from(words)
}

function kindOf(schema: Schema, path: string): FieldKind {
  const unknown = Object.keys(schema).find((word) => !KNOWN_WORDS.has(word))
  if (unknown === undefined) {
    if (schema.enum !== undefined) return 'choice'
    if (schema.type === undefined) return 'value'
    if (schema.type === 'string' && schema.format === undefined) return 'text'
    if (schema.type === 'string' && schema.format === 'date-time') return 'time'
    if (schema.type === 'string' && schema.format === 'uuid') return 'uuid'
    if (schema.type === 'integer' && schema.minimum === 0) return 'whole'
    if (schema.type === 'number' && schema.minimum === 0) return 'number'
    if (schema.type === 'boolean') return 'boolean'
    if (schema.type === 'object') return 'object'
  }
  throw new Error(`The scanner does not know what the contract says of ${path}: ${JSON.stringify(schema)}`)
}
