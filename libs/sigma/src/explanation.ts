import type { EventFields } from './field-reader.ts'

/** One node of a detection, held against an event. */
export interface Explanation {
  /** As in the rule: `all of`, the name of a selection, `eventName|contains: Delete`. */
  readonly text: string
  readonly holds: boolean
  /** What the event has there, of a node that looks at fields; else empty. */
  readonly why: string
  readonly parts: readonly Explanation[]
}

export type Explain = (event: EventFields) => Explanation

const SHOWN_CHARACTERS = 80
const SHOWN_VALUES = 5
const SHOWN_DEPTH = 3

/** What the event has in some fields, in words. */
export const seen = (event: EventFields, fields: readonly string[]): string =>
  [...new Set(fields)].map((field) => `${field} is ${shown(event(field))}`).join(', ')

export function shown(value: unknown, depth = 0): string {
  if (value === undefined) return 'absent'
  if (Array.isArray(value))
    return value.length === 0
      ? 'an empty list'
      : depth < SHOWN_DEPTH
        ? some(
            value.map((each) => shown(each, depth + 1)),
            ' and ',
          )
        : 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text
}

/** The first few of several texts. */
export const some = (texts: readonly string[], separator = ', '): string =>
  texts.length <= SHOWN_VALUES
    ? texts.join(separator)
    : `${texts.slice(0, SHOWN_VALUES).join(separator)}${separator}${texts.length - SHOWN_VALUES} more`
