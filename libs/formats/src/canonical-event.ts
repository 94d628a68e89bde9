/** From a format's draft to the canonical event: fills in what decides the patterns, and keeps the original beside it. */
import { isDeepStrictEqual } from 'node:util'
import { type AuditEvent, categoryOf, classificationOf, type FieldError, operationOf, outcomeOf } from '@tocsin/contracts'
import { fault } from './faults.ts'
import type { Draft, MapContext } from './formats/format.ts'
import { contentHash } from './integrity.ts'
import type { Json, JsonObject } from './json-reader.ts'
import { formatTime, isStoredForm } from './time.ts'

/** `audit.events` takes 4 MiB a record (contracts/topics.ts); the rest is for key, headers and the batch around it. */
export const MAX_EVENT_BYTES = 4 * 1_048_576 - 16_384

export interface Completion {
  readonly format: string
  readonly context: MapContext
  /** The only source name the key may send as. */
  readonly boundSource?: string | undefined
  /** Identity of an event that brings none; default: the hash of what it says. */
  readonly fallbackId?: string | undefined
}

export type Completed = { readonly event: AuditEvent; readonly contentHash: string } | { readonly faults: readonly FieldError[] }

/** `sent` is the item as sent. The event is whole but for `idConflict`. */
export function complete(draft: Draft, sent: Json, by: Completion): Completed {
  const { raw, content, id, source, integrity, ...fields } = draft
  if (by.boundSource !== undefined && by.format === 'tocsin' && source.name !== undefined && source.name !== by.boundSource)
    return { faults: [fault('INVALID_VALUE', ['source', 'name'], 'is not the source that the key is bound to')] }
  const hash = contentHash(content ?? sent)
  const event: AuditEvent = {
    ...fields,
    id: id ?? by.fallbackId ?? hash,
    receivedAt: formatTime(by.context.now),
    organizationId: by.context.organization.organizationId,
    category: fields.category ?? categoryOf(fields),
    operation: fields.operation ?? operationOf(fields),
    outcome: fields.outcome ?? outcomeOf(fields),
    dataClassification: fields.dataClassification ?? classificationOf(fields),
    integrity: integrity ?? 'absent',
    source: { ...source, format: by.format, name: by.boundSource ?? source.name ?? by.format },
  }
  const original = raw ?? sent
  return { event: isTold(original, event) ? event : { ...event, raw: original }, contentHash: hash }
}

/** Does the canonical event say all that the original says? Then the original is not kept beside it. */
function isTold(original: Json, event: AuditEvent): boolean {
  if (typeof original !== 'object' || original === null || Array.isArray(original)) return false
  const told = event as unknown as JsonObject
  return Object.entries(original).every(([key, value]) => {
    if (value === null || key === 'organizationId') return true
    if (key === 'timestamp') return typeof value === 'string' && isStoredForm(value)
    return Object.hasOwn(told, key) && isDeepStrictEqual(value, told[key])
  })
}
