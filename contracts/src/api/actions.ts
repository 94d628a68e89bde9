import { type Static, Type } from 'typebox'
import { Alert } from '../alert.ts'
import { DISMISS_REASONS } from '../vocabulary.ts'
import { AlertParams, type ApiOperation, Failures, IDEMPOTENCY_HEADER, InOrganization, Nullable } from './operation.ts'

const Notes = Type.String({ maxLength: 10_000 })
const Comment = Type.String({ minLength: 1, maxLength: 10_000, pattern: '\\S' })
const Metadata = Type.Record(Type.String({ maxLength: 255 }), Type.Unknown(), { maxProperties: 100 })

export const ActBody = Type.Object({ comment: Type.Optional(Comment) }, { $id: 'ActBody', additionalProperties: false })
export const ResolveBody = Type.Object(
  {
    notes: Type.String({ minLength: 1, maxLength: 10_000 }),
    action: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000, description: 'What was done about it' })),
    metadata: Type.Optional(Metadata),
    comment: Type.Optional(Comment),
  },
  { $id: 'ResolveBody' },
)
export const DismissBody = Type.Object(
  { reason: Type.Enum([...DISMISS_REASONS]), notes: Type.Optional(Notes), comment: Type.Optional(Comment) },
  { $id: 'DismissBody' },
)
export const AssignBody = Type.Object(
  {
    assignee: Nullable(Type.String({ minLength: 1, maxLength: 255, description: 'Subject of a member; null: nobody' })),
    comment: Type.Optional(Comment),
  },
  { $id: 'AssignBody', additionalProperties: false },
)
export const CommentBody = Type.Object({ comment: Comment }, { $id: 'CommentBody', additionalProperties: false })
const Labels = Type.Array(Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' }), { maxItems: 50 })
export const LabelBody = Type.Object(
  { add: Type.Optional(Labels), remove: Type.Optional(Labels) },
  { $id: 'LabelBody', additionalProperties: false, description: 'Labels are kept in lower case' },
)
export type LabelBody = Static<typeof LabelBody>

/**
 * Of every act: `If-Match` takes the `ETag` that an answer gave. The ETag is the alert's `version`: what people did. A new revision
 * of the figures does not change it, so a growing alert can be acted on.
 */
export const ActHeaders = Type.Object({
  'if-match': Type.Optional(
    Type.String({ maxLength: 1_000, description: '"VERSION": refused with 412 where somebody has acted since' }),
  ),
  ...IDEMPOTENCY_HEADER,
  'x-tocsin-channel': Type.Optional(Type.String({ description: 'dashboard or cli: kept in the history; else api' })),
})

const schema = { params: AlertParams, querystring: InOrganization, headers: ActHeaders, response: { 200: Alert, ...Failures } }
const OptionalBody = Type.Union([ActBody, Type.Null()])

export const ACTION_OPERATIONS = {
  acknowledgeAlert: {
    service: 'persistence',
    method: 'POST',
    url: '/api/alerts/:id/acknowledge',
    summary: 'Somebody looks at it',
    permission: 'alerts:acknowledge',
    schema: { ...schema, body: OptionalBody },
  },
  unacknowledgeAlert: {
    service: 'persistence',
    method: 'POST',
    url: '/api/alerts/:id/unacknowledge',
    summary: 'Nobody looks at it any more',
    permission: 'alerts:acknowledge',
    schema: { ...schema, body: OptionalBody },
  },
  resolveAlert: {
    service: 'persistence',
    method: 'POST',
    url: '/api/alerts/:id/resolve',
    summary: 'The trouble is over',
    permission: 'alerts:resolve',
    schema: { ...schema, body: ResolveBody },
  },
  dismissAlert: {
    service: 'persistence',
    method: 'POST',
    url: '/api/alerts/:id/dismiss',
    summary: 'It was no trouble',
    permission: 'alerts:dismiss',
    schema: { ...schema, body: DismissBody },
  },
  reopenAlert: {
    service: 'persistence',
    method: 'POST',
    url: '/api/alerts/:id/reopen',
    summary: 'It is not over after all',
    permission: 'alerts:resolve',
    schema: { ...schema, body: OptionalBody },
  },
  assignAlert: {
    service: 'persistence',
    method: 'PUT',
    url: '/api/alerts/:id/assignee',
    summary: 'Who takes care of it: a member, or nobody',
    permission: 'alerts:acknowledge',
    schema: { ...schema, body: AssignBody },
  },
  commentAlert: {
    service: 'persistence',
    method: 'POST',
    url: '/api/alerts/:id/comments',
    summary: 'Say something of it; it is kept in the history',
    permission: 'alerts:comment',
    schema: { ...schema, body: CommentBody },
  },
  labelAlert: {
    service: 'persistence',
    method: 'POST',
    url: '/api/alerts/:id/labels',
    summary: 'Add and remove labels',
    permission: 'alerts:comment',
    schema: { ...schema, body: LabelBody },
  },
} as const satisfies Record<string, ApiOperation>
