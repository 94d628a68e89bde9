import { type Static, Type } from 'typebox'

/** Why one item of a batch was rejected (events.md §1). */
export const REJECTION_CODES = [
  'REQUIRED_FIELD_MISSING',
  'INVALID_TYPE',
  'INVALID_FORMAT',
  'EMPTY_VALUE',
  'EXCEEDS_MAX_LENGTH',
  'INVALID_VALUE',
  'EXCEEDS_MAX_DEPTH',
  'FORBIDDEN_KEY',
  'UNKNOWN_FORMAT',
] as const
export type RejectionCode = (typeof REJECTION_CODES)[number]

export const FieldError = Type.Object({
  code: Type.Enum([...REJECTION_CODES]),
  pointer: Type.String({ description: 'JSON pointer (RFC 6901) into the item' }),
  detail: Type.String(),
})
export type FieldError = Static<typeof FieldError>

/** RFC 9457 answer of every failed request, as application/problem+json. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'about:blank, or a documentation anchor' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String({ description: 'What happened, where, and what to do' })),
    code: Type.String({ description: 'Stable, for programs' }),
    errors: Type.Optional(Type.Array(FieldError)),
    present: Type.Optional(Type.String({ description: 'On a wrong transition: the present state' })),
  },
  { $id: 'Problem', additionalProperties: true },
)
export type Problem = Static<typeof Problem>
