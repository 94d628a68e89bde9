import type { EventFields } from '@tocsin/sigma'
import { targetOf } from '../alerts/evidence.ts'
import { hash53 } from '../held/hash.ts'
import { saturated } from '../held/saturating.ts'
import type { NotedField } from '../rules/patterns.ts'
import type { CompiledRule } from '../rules/rule.ts'
import { WHOLE_FIELDS } from '../rules/rule-condition.ts'
import type { EventView, TextField } from './event-view.ts'

/** The value column of an event's row under a rule, and its text where the alert names it. */
export interface EventValue {
  readonly value: number
  readonly name: string | null
  /** The summed field holds something that is not a number >= 0: the event counts with weight 0. */
  readonly notNumeric: boolean
}

const NOTHING: EventValue = { value: 0, name: null, notNumeric: false }
const NOT_NUMERIC: EventValue = { value: 0, name: null, notNumeric: true }
const eventValue = (value: number, name: string | null = null): EventValue => ({ value, name, notNumeric: false })

/**
 * Weight for sums, hash of the value for counts of distinct values and for what a pattern notes, a bit for each rule that the
 * event matches (`parts`) where these are asked for.
 */
export function valueOfEvent(rule: CompiledRule, event: EventView, parts: number): EventValue {
  if (rule.unit === 'sum') return rule.numbers === 'real' ? numberOf(rule, event.fields) : weightOf(rule, event.fields)
  if (rule.unit === 'rules' || rule.unit === 'steps') return eventValue(parts)
  if (isDistinct(rule)) return hashed(tupleOf(rule.valueFields, event.fields), hash53)
  const { noted } = rule.traits
  if (noted === undefined) return NOTHING
  const text = notedText(noted, event)
  return text === '' ? NOTHING : eventValue(notedHash(text), noted === 'targetResourceType' ? text : null)
}

function weightOf({ valueFields, valueDefault }: CompiledRule, fields: EventFields): EventValue {
  const value = fields(valueFields[0] ?? '')
  if (value === undefined || value === null) return eventValue(valueDefault ?? 0)
  const weight = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof weight !== 'number' || !(weight >= 0)) return NOT_NUMERIC
  return eventValue(Math.min(Math.floor(weight), Number.MAX_SAFE_INTEGER))
}

/** Any number; where more events can only add to the sum, none below 0. `recordCount` and `bytes` are whole numbers. */
function numberOf({ valueFields: [field = ''], valueDefault, settled }: CompiledRule, fields: EventFields): EventValue {
  const value = fields(field)
  if (value === undefined || value === null) return eventValue(valueDefault ?? 0)
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number !== 'number' || Number.isNaN(number) || (settled === null && number < 0)) return NOT_NUMERIC
  return eventValue(saturated(WHOLE_FIELDS.has(field) ? Math.trunc(number) : number))
}

const isDistinct = (rule: CompiledRule): boolean => rule.unit === 'distinct' || rule.also.length > 0

const hashed = (text: string, hash: (text: string) => number): EventValue => (text === '' ? NOTHING : eventValue(hash(text)))

/** What an alert only notes has half the bits: no condition depends on it (docs/detection.md D27). Never 0. */
export const notedHash = (text: string): number => hash53(text) >>> 0 || 1

/** Of several fields the tuple; nothing where one of them is absent (docs/detection.md D46). */
function tupleOf(names: readonly string[], fields: EventFields): string {
  const [only, second] = names
  if (only === undefined) return ''
  if (second === undefined) return textOf(fields(only))
  const texts = names.map((name) => textOf(fields(name)))
  return texts.includes('') ? '' : JSON.stringify(texts)
}

/** Blank is absent. */
const textOf = (value: unknown): string =>
  typeof value === 'string'
    ? value.trim() === ''
      ? ''
      : value
    : value === undefined || value === null
      ? ''
      : JSON.stringify(value)

function notedText(noted: NotedField, event: EventView): string {
  switch (noted) {
    case 'ipAddress':
      return event.text('ipAddress') ?? ''
    case 'targetResource':
      return targetOf(event)
    case 'targetResourceType':
      return event.text('targetResourceType') ?? ''
  }
}

const CONTENT: readonly TextField[] = [
  'action',
  'status',
  'outcomeDescription',
  'dataClassification',
  'principalId',
  'targetResourceType',
  'targetResourceId',
  'ipAddress',
  'sessionId',
]

/**
 * Whether two copies of an id are the same event is decided by what the rules and the alerts read of it; `receivedAt` and
 * `traceparent` differ with every delivery and are left out.
 */
export function contentHash(event: EventView): number {
  let hash = (event.stamp ^ Math.imul(event.shape, 0x85ebca6b)) | 0
  for (let place = 0; place < CONTENT.length; place++) hash = event.mixText(CONTENT[place] as TextField, hash)
  return mixNumber(event.number('bytes'), mixNumber(event.number('recordCount'), hash))
}

/** Absent is another one than 0. */
function mixNumber(value: number | undefined, seed: number): number {
  const given = value ?? -1
  const hash = Math.imul(seed ^ given, 0x9e3779b1) ^ Math.imul(given / 4294967296, 0x85ebca6b)
  return hash ^ (hash >>> 15)
}
