import { type Static, Type } from 'typebox'
import { CATEGORIES, CLASSIFICATIONS, EVENT_STATUSES, OPERATIONS, OUTCOMES } from './vocabulary.ts'

const Text = (maxLength: number) => Type.String({ minLength: 1, maxLength })

export const SessionContext = Type.Object(
  {
    sessionId: Type.Optional(Text(255)),
    ipAddress: Type.Optional(
      Type.String({ minLength: 1, maxLength: 255, description: 'v4 or v6 address, normalized by ingest' }),
    ),
    userAgent: Type.Optional(Text(2000)),
    geolocation: Type.Optional(Type.Unknown()),
  },
  { additionalProperties: true },
)

/** The canonical event, version 2.0 (events.md §1): what ingest writes to `audit.events` and everything after it reads. */
export const AuditEvent = Type.Object(
  {
    id: Type.String({ minLength: 1, maxLength: 128, description: 'Identity for duplicates, unique within an organization' }),
    timestamp: Type.String({ format: 'date-time', description: "The event's own time, RFC 3339, UTC" }),
    receivedAt: Type.String({ format: 'date-time', description: 'Set by ingest, RFC 3339, UTC' }),
    organizationId: Type.String({ format: 'uuid' }),
    action: Text(255),
    status: Type.Enum([...EVENT_STATUSES]),
    outcome: Type.Enum([...OUTCOMES]),
    category: Type.Enum([...CATEGORIES]),
    operation: Type.Enum([...OPERATIONS]),
    dataClassification: Type.Enum([...CLASSIFICATIONS]),
    principalId: Type.Optional(Text(255)),
    principalType: Type.Optional(Text(255)),
    outcomeDescription: Type.Optional(Type.String({ maxLength: 2000 })),
    targetResourceType: Type.Optional(Text(255)),
    targetResourceId: Type.Optional(Text(255)),
    recordCount: Type.Optional(Type.Integer({ minimum: 0 })),
    bytes: Type.Optional(Type.Integer({ minimum: 0 })),
    sessionContext: Type.Optional(SessionContext),
    correlationId: Type.Optional(Text(255)),
    traceparent: Type.Optional(Text(255)),
    retentionPolicy: Type.Optional(Text(255)),
    gdprContext: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    fhirContext: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    processingLatency: Type.Optional(Type.Number({ minimum: 0, description: 'milliseconds' })),
    queueDepth: Type.Optional(Type.Number({ minimum: 0 })),
    integrity: Type.Enum(['verified', 'violated', 'absent']),
    idConflict: Type.Optional(Type.Boolean({ description: 'The same id was seen with another body within a day' })),
    source: Type.Object({
      format: Text(64),
      product: Type.Optional(Text(64)),
      service: Type.Optional(Text(64)),
      name: Text(255),
    }),
    details: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'Unknown keys of the event as sent' })),
    raw: Type.Optional(Type.Unknown({ description: 'The original, where it differs from the canonical event' })),
  },
  { $id: 'AuditEvent', additionalProperties: false, description: 'Who did what to which resource, with what outcome' },
)
export type AuditEvent = Static<typeof AuditEvent>

/** Actions of Tocsin itself (who administers it) begin so; no producer may send one. */
export const OWN_ACTIONS = 'tocsin.'
