/** Reads the fields of a canonical event as a producer sent them: one kind of field, one function. */
import type { RejectionCode } from '@tocsin/contracts'
import type { Faults } from './faults.ts'
import { meansNoAddress, normalizeIp } from './ip-address.ts'
import { isObject } from './items.ts'
import type { Json, JsonObject } from './json-reader.ts'
import { formatTime, readTime } from './time.ts'

export type Field =
  | { readonly kind: 'text'; readonly max: number; readonly required?: boolean; readonly blank?: 'fault' | 'absent' }
  | { readonly kind: 'word'; readonly words: readonly string[]; readonly required?: boolean }
  | { readonly kind: 'time'; readonly required?: boolean }
  | { readonly kind: 'count' | 'measure' | 'object' | 'session'; readonly required?: boolean }

type Path = readonly (string | number)[]

/**
 * The value of a field in canonical form, or undefined: absent, null and blank are the same. What is wrong goes to `faults`.
 */
export function readField(field: Field, value: Json | undefined, path: Path, faults: Faults): Json | undefined {
  if (value === undefined || value === null) {
    if (field.required === true) faults.add('REQUIRED_FIELD_MISSING', path, 'is required')
    return undefined
  }
  const refuse = (code: RejectionCode, detail: string): undefined => faults.add(code, path, detail) as undefined
  switch (field.kind) {
    case 'text':
      return readText(value, field, refuse)
    case 'word':
      if (typeof value !== 'string') return refuse('INVALID_TYPE', 'must be text')
      if (value === '') return refuse('EMPTY_VALUE', 'must not be empty')
      return field.words.includes(value) ? value : refuse('INVALID_VALUE', `must be one of ${field.words.join(', ')}`)
    case 'time':
      return readTimeField(value, refuse)
    case 'count':
      if (typeof value !== 'number' || !Number.isInteger(value))
        return refuse('INVALID_TYPE', 'must be a whole number up to 2^53 - 1')
      return value >= 0 ? value : refuse('INVALID_VALUE', 'must not be negative')
    case 'measure':
      if (typeof value !== 'number') return refuse('INVALID_TYPE', 'must be a number')
      return value >= 0 ? value : refuse('INVALID_VALUE', 'must not be negative')
    case 'object':
      return isObject(value) ? value : refuse('INVALID_TYPE', 'must be an object')
    case 'session':
      return isObject(value) ? readSession(value, path, faults) : refuse('INVALID_TYPE', 'must be an object')
  }
}

type Refuse = (code: RejectionCode, detail: string) => undefined

function readText(value: Json, field: Field & { kind: 'text' }, refuse: Refuse): string | undefined {
  if (typeof value !== 'string') return refuse('INVALID_TYPE', 'must be text')
  if (value.trim() === '')
    return field.required === true || field.blank === 'fault' ? refuse('EMPTY_VALUE', 'must not be empty') : undefined
  return isLongerThan(value, field.max) ? refuse('EXCEEDS_MAX_LENGTH', `must have at most ${field.max} characters`) : value
}

function readTimeField(value: Json, refuse: Refuse): string | undefined {
  if (typeof value !== 'string') return refuse('INVALID_TYPE', 'must be text')
  if (value.trim() === '') return refuse('EMPTY_VALUE', 'must not be empty')
  const reading = readTime(value)
  if ('ms' in reading) return formatTime(reading.ms)
  return reading.fault === 'format'
    ? refuse('INVALID_FORMAT', 'must be RFC 3339 with a zone, for instance 2026-01-31T08:00:00Z')
    : refuse('INVALID_VALUE', 'must lie between 1970 and 9999')
}

const SESSION_FIELDS = {
  sessionId: { kind: 'text', max: 255 },
  ipAddress: { kind: 'text', max: 255 },
  userAgent: { kind: 'text', max: 2000 },
} as const satisfies Record<string, Field>

function readSession(sent: JsonObject, path: Path, faults: Faults): JsonObject {
  const { sessionId: _s, ipAddress: _i, userAgent: _u, ...session } = sent
  for (const [name, field] of Object.entries(SESSION_FIELDS)) {
    const value = readField(field, sent[name], [...path, name], faults)
    if (typeof value !== 'string') continue
    if (name !== 'ipAddress') session[name] = value
    else if (!meansNoAddress(value)) {
      const address = normalizeIp(value)
      if (address === undefined) faults.add('INVALID_FORMAT', [...path, name], 'must be an IPv4 or IPv6 address')
      else session[name] = address
    }
  }
  return session
}

/** Length in code points, which is what people count and PostgreSQL's limits are in. */
function isLongerThan(text: string, max: number): boolean {
  return text.length > max && (text.length > max * 2 || Array.from(text).length > max)
}
