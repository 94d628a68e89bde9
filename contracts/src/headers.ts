/** Headers of Tocsin's own records. A record of `audit.events` without `type` is an event; elsewhere it is dead-lettered. */
export const HEADERS = {
  /** What the value is: `event` `tick` `control` on audit.events; `alert.created` … on alerts. */
  type: 'tocsin-type',
  /** Contract and version, for instance `AuditEvent/2.0`. A reader accepts any later minor version. */
  schema: 'tocsin-schema',
  contentType: 'content-type',
  traceparent: 'traceparent',
  /** On audit.intake only: the ingest key of the producer; never forwarded. */
  key: 'tocsin-key',
  /** On audit.intake only, optional: the format of the value (events.md §2). */
  format: 'tocsin-format',
  /** On a replayed dead letter: the only consumer that takes it. */
  replayFor: 'replay-for',
} as const

/** Headers of a dead letter, beside the source record's own (less `tocsin-key`). */
export const DEAD_HEADERS = {
  reason: 'dead-reason',
  code: 'dead-code',
  consumer: 'dead-consumer',
  attempts: 'dead-attempts',
  topic: 'dead-topic',
  partition: 'dead-partition',
  offset: 'dead-offset',
} as const

export const DEAD_CODES = [
  'MALFORMED',
  'INVALID',
  'UNKNOWN_TYPE',
  'UNAUTHENTICATED',
  'TOO_LARGE',
  'UNKNOWN_ORGANIZATION',
  'UNEXPECTED',
] as const
export type DeadCode = (typeof DEAD_CODES)[number]

export const EVENT_RECORD_TYPES = ['event', 'tick', 'control'] as const
export type EventRecordType = (typeof EVENT_RECORD_TYPES)[number]
export const SCHEMA_VERSIONS = {
  AuditEvent: '2.0',
  Alert: '1.0',
  Control: '1.0',
  Tick: '1.0',
  Tenant: '1.0',
  Rule: '1.0',
  Access: '1.0',
  HistoryHead: '1.0',
  ExceptionHits: '1.0',
} as const
