import type { AuditEvent } from '@tocsin/contracts'
import type { EventFields } from '@tocsin/sigma'
import type { Hash64 } from '../held/hash.ts'
import type { EpochMs } from '../time.ts'

/** Longest text that `copyText` writes: that of a text in evidence (detection.md §2). */
export const MOST_COPIED = 128

/** Canonical texts that grouping, values and evidence read of every event. */
export type TextField =
  | 'action'
  | 'principalId'
  | 'ipAddress'
  | 'sessionId'
  | 'targetResourceType'
  | 'targetResourceId'
  | 'status'
  | 'outcome'
  | 'outcomeDescription'
  | 'dataClassification'
  | 'correlationId'
  /** `source.format`. */
  | 'format'

/**
 * One audit event as the engine reads it, over an event that has been parsed or over a record's bytes. Views over equal events give
 * equal answers. A view is valid until the engine has processed its record: its maker may use it again for the next one,
 * so whoever keeps something keeps what he read, not the view.
 */
export interface EventView {
  readonly id: string
  readonly organizationId: string
  /** `timestamp`, whole milliseconds. */
  readonly stamp: EpochMs
  /** Category, operation and outcome as one number (event-shape.ts). */
  readonly shape: number
  text(field: TextField): string | undefined
  number(field: 'recordCount' | 'bytes'): number | undefined
  /** As `hashText(id, into)`. */
  hashId(into: Hash64): void
  /** As `mixText(text(field) ?? '', seed)`. */
  mixText(field: TextField, seed: number): number
  /**
   * Writes a text that is ASCII, needs no escape in JSON and is at most MOST_COPIED long to `into` from `at`, and returns its end: `at` where the
   * field is absent, -1 for any other text.
   */
  copyText(field: TextField | 'id', into: Uint8Array, at: number): number
  /** Fields by any name a rule may use. */
  readonly fields: EventFields
  /** The whole event; parsed when it is first asked for. */
  readonly event: AuditEvent
}
