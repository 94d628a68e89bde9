import { type Static, Type } from 'typebox'
import { FieldError } from '../problem.ts'
import { type ApiOperation, Failures } from './operation.ts'

export const IngestResult = Type.Object({
  index: Type.Integer(),
  id: Type.Union([Type.String(), Type.Null()]),
  status: Type.Enum(['accepted', 'duplicate', 'rejected']),
  ids: Type.Optional(
    Type.Array(Type.String(), { description: 'All ids, where one item is several events (sshd: message repeated)' }),
  ),
  errors: Type.Optional(Type.Array(FieldError)),
})
export type IngestResult = Static<typeof IngestResult>
export const IngestAnswer = Type.Object({ results: Type.Array(IngestResult) }, { $id: 'IngestAnswer' })
export type IngestAnswer = Static<typeof IngestAnswer>

export const IngestQuery = Type.Object(
  {
    format: Type.Optional(Type.String({ maxLength: 32, description: 'tocsin, sshd, cloudtrail, cloudevents; else recognized' })),
    year: Type.Optional(Type.Integer({ minimum: 1970, maximum: 9999, description: 'sshd: the year of RFC 3164 stamps' })),
    zone: Type.Optional(Type.String({ maxLength: 64, description: 'sshd: IANA zone of RFC 3164 stamps; default UTC' })),
  },
  { $id: 'IngestQuery', additionalProperties: false },
)

export const EVENT_OPERATIONS = {
  postEvents: {
    service: 'ingest',
    method: 'POST',
    url: '/v1/events',
    summary: 'One event, an array, or NDJSON; gzip accepted; key in Authorization: Bearer or x-api-key',
    permission: 'key',
    schema: { querystring: IngestQuery, response: { 202: IngestAnswer, 422: IngestAnswer, ...Failures } },
  },
} as const satisfies Record<string, ApiOperation>
