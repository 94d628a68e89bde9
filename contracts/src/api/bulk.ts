import { type Static, Type } from 'typebox'
import { ActBody, AssignBody, CommentBody, DismissBody, LabelBody, ResolveBody } from './actions.ts'
import { ALERT_FILTERS } from './alerts.ts'
import { type ApiOperation, Failures, IDEMPOTENCY_HEADER, InOrganization, Uuid } from './operation.ts'

/** An act, with the fields of the same act on one alert. */
export const actOf = <A extends string, P extends Type.TProperties>(act: A, properties: P) =>
  Type.Object({ act: Type.Literal(act), ...properties })

export const BulkAct = Type.Union([
  actOf('acknowledge', ActBody.properties),
  actOf('unacknowledge', ActBody.properties),
  actOf('resolve', ResolveBody.properties),
  actOf('dismiss', DismissBody.properties),
  actOf('reopen', ActBody.properties),
  actOf('assign', AssignBody.properties),
  actOf('comment', CommentBody.properties),
  actOf('label', LabelBody.properties),
])
export type BulkAct = Static<typeof BulkAct>

export const MAX_BULK_ALERTS = 1_000

export const BulkBody = Type.Object(
  {
    do: BulkAct,
    ids: Type.Optional(Type.Array(Uuid, { minItems: 1, maxItems: MAX_BULK_ALERTS, uniqueItems: true })),
    filter: Type.Optional(
      Type.Object(ALERT_FILTERS, {
        additionalProperties: false,
        description: 'In place of ids; it may fit 1,000 alerts at most',
      }),
    ),
    dryRun: Type.Optional(Type.Boolean({ description: 'Only count' })),
  },
  { $id: 'BulkBody', additionalProperties: false },
)
export type BulkBody = Static<typeof BulkBody>

export const BulkAnswer = Type.Object(
  {
    matched: Type.Integer({ minimum: 0, description: 'Alerts that ids or filter name and that there are, exactly' }),
    done: Type.Integer({ minimum: 0 }),
    items: Type.Array(
      Type.Object({
        id: Uuid,
        outcome: Type.Enum(['done', 'refused', 'missing']),
        reason: Type.Optional(Type.String({ description: 'Why refused' })),
        present: Type.Optional(Type.String({ description: 'The state afterwards' })),
        version: Type.Optional(Type.Integer()),
      }),
      { description: 'In the order of ids; empty on a dry run' },
    ),
  },
  { $id: 'BulkAnswer' },
)
export type BulkAnswer = Static<typeof BulkAnswer>

export const BULK_OPERATIONS = {
  actOnAlerts: {
    service: 'persistence',
    method: 'POST',
    url: '/api/alerts/bulk',
    summary: 'One act on many alerts, each with a result and a history of its own; the act decides what is needed',
    permission: 'alerts:acknowledge',
    schema: {
      querystring: InOrganization,
      headers: Type.Object(IDEMPOTENCY_HEADER),
      body: BulkBody,
      response: { 200: BulkAnswer, ...Failures },
    },
  },
} as const satisfies Record<string, ApiOperation>
