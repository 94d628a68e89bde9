import { type Static, Type } from 'typebox'
import { type ApiOperation, Failures, InOrganization, Nullable, Time, Uuid, WriteHeaders } from './operation.ts'

export const EraseSubject = Type.Object(
  {
    subject: Type.String({
      minLength: 2,
      maxLength: 1_000,
      description: 'The person as alerts name it, exactly; what differs in case is another one',
    }),
    reason: Type.String({ minLength: 1, maxLength: 2_000 }),
  },
  { $id: 'EraseSubject', additionalProperties: false },
)

export const Erasure = Type.Object(
  {
    id: Uuid,
    state: Type.Enum(['running', 'done']),
    pseudonym: Type.String({ description: 'What stands in place of the person from now on' }),
    reason: Type.String(),
    touched: Type.Integer({
      minimum: 0,
      description: 'Alerts from which the person, or entries of the history about them, were taken',
    }),
    held: Type.Integer({
      minimum: 0,
      description: 'Alerts that name the person and were left as they are, because a legal hold covers them',
    }),
    requestedAt: Time,
    requestedBy: Type.String(),
    finishedAt: Nullable(Time),
    lastCopyExpires: Type.Record(Type.String(), Time, {
      description:
        'By topic: when what it held at `requestedAt` is gone, by its retention and Kafka’s default segments of 7 days',
    }),
  },
  { $id: 'Erasure' },
)
export type Erasure = Static<typeof Erasure>

export const ERASURE_OPERATIONS = {
  eraseSubject: {
    service: 'persistence',
    method: 'POST',
    url: '/api/erasures',
    summary:
      'Put a pseudonym in place of a person in all alerts, also later ones; 409 where a legal hold covers the person (admin)',
    permission: 'erasure:write',
    schema: { querystring: InOrganization, headers: WriteHeaders, body: EraseSubject, response: { 202: Erasure, ...Failures } },
  },
  listErasures: {
    service: 'persistence',
    method: 'GET',
    url: '/api/erasures',
    summary: 'Erasures of persons, newest first',
    permission: 'history:read',
    schema: {
      querystring: InOrganization,
      response: { 200: Type.Object({ items: Type.Array(Erasure) }, { $id: 'ErasureList' }), ...Failures },
    },
  },
  getErasure: {
    service: 'persistence',
    method: 'GET',
    url: '/api/erasures/:id',
    summary: 'How far an erasure is',
    permission: 'history:read',
    schema: { params: Type.Object({ id: Uuid }), querystring: InOrganization, response: { 200: Erasure, ...Failures } },
  },
} as const satisfies Record<string, ApiOperation>
