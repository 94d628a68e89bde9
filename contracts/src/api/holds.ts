import { type Static, Type } from 'typebox'
import { type ApiOperation, Failures, InOrganization, Nullable, Time, Uuid, WriteHeaders } from './operation.ts'

/** What a legal hold covers: these alerts, those of a rule, those about a subject, or everything of the organization. */
export const HoldScope = Type.Union(
  [
    Type.Object({ alertIds: Type.Array(Uuid, { minItems: 1, maxItems: 1_000 }) }, { additionalProperties: false }),
    Type.Object({ ruleId: Type.String({ minLength: 1, maxLength: 200 }) }, { additionalProperties: false }),
    Type.Object(
      { subject: Type.String({ minLength: 1, maxLength: 1_000, description: 'A value of `group`, exactly' }) },
      { additionalProperties: false },
    ),
    Type.Object({ everything: Type.Literal(true) }, { additionalProperties: false }),
  ],
  { $id: 'HoldScope' },
)
export type HoldScope = Static<typeof HoldScope>

export const PlaceHold = Type.Object(
  { scope: HoldScope, reason: Type.String({ minLength: 1, maxLength: 2_000 }) },
  { $id: 'PlaceHold', additionalProperties: false },
)

export const Hold = Type.Object(
  {
    id: Uuid,
    scope: HoldScope,
    reason: Type.String(),
    placedAt: Time,
    placedBy: Type.String(),
    releasedAt: Nullable(Time),
    releasedBy: Nullable(Type.String()),
  },
  { $id: 'Hold' },
)
export type Hold = Static<typeof Hold>

export const HOLD_OPERATIONS = {
  listHolds: {
    service: 'persistence',
    method: 'GET',
    url: '/api/holds',
    summary: 'Legal holds, also released ones, newest first',
    permission: 'history:read',
    schema: {
      querystring: InOrganization,
      response: { 200: Type.Object({ items: Type.Array(Hold) }, { $id: 'HoldList' }), ...Failures },
    },
  },
  placeHold: {
    service: 'persistence',
    method: 'POST',
    url: '/api/holds',
    summary: 'Keep alerts whatever retention says (admin)',
    permission: 'holds:write',
    schema: { querystring: InOrganization, headers: WriteHeaders, body: PlaceHold, response: { 201: Hold, ...Failures } },
  },
  releaseHold: {
    service: 'persistence',
    method: 'DELETE',
    url: '/api/holds/:id',
    summary: 'End a legal hold; it stays listed (admin)',
    permission: 'holds:write',
    schema: {
      params: Type.Object({ id: Uuid }),
      querystring: InOrganization,
      headers: WriteHeaders,
      response: { 200: Hold, ...Failures },
    },
  },
} as const satisfies Record<string, ApiOperation>
