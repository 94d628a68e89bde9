/**
 * Tocsin's own format: the canonical event (events.md §1) as producers may send it. What a producer says is kept; what it
 * does not say is filled in later. Fields that only ingest sets (receivedAt, integrity, idConflict, raw) are not believed.
 */
import { CATEGORIES, CLASSIFICATIONS, EVENT_STATUSES, OPERATIONS, OUTCOMES } from '@tocsin/contracts'
import { detailsOf } from '../details.ts'
import { Faults } from '../faults.ts'
import { type Field, readField } from '../fields.ts'
import { integrityOf } from '../integrity.ts'
import { isObject } from '../items.ts'
import type { Json, JsonObject } from '../json-reader.ts'
import type { Draft, Format, MapContext, Mapped } from './format.ts'

const name: Field = { kind: 'text', max: 255 }

const FIELDS: Readonly<Record<string, Field>> = {
  id: { kind: 'text', max: 128, blank: 'fault' },
  timestamp: { kind: 'time', required: true },
  action: { kind: 'text', max: 255, required: true },
  status: { kind: 'word', words: EVENT_STATUSES, required: true },
  outcome: { kind: 'word', words: OUTCOMES },
  category: { kind: 'word', words: CATEGORIES },
  operation: { kind: 'word', words: OPERATIONS },
  dataClassification: { kind: 'word', words: CLASSIFICATIONS },
  principalId: name,
  principalType: name,
  outcomeDescription: { kind: 'text', max: 2000 },
  targetResourceType: name,
  targetResourceId: name,
  recordCount: { kind: 'count' },
  bytes: { kind: 'count' },
  sessionContext: { kind: 'session' },
  correlationId: name,
  traceparent: name,
  retentionPolicy: name,
  gdprContext: { kind: 'object' },
  fhirContext: { kind: 'object' },
  processingLatency: { kind: 'measure' },
  queueDepth: { kind: 'measure' },
}

/** Read here and not stored as such: what they were stays in `raw`. */
const PROOFS: Readonly<Record<string, Field>> = {
  hash: { kind: 'text', max: 255 },
  hashAlgorithm: { kind: 'word', words: ['SHA-256'] },
  signature: { kind: 'text', max: 16_384 },
  algorithm: { kind: 'word', words: ['HMAC-SHA256', 'RSASSA_PSS_SHA_256', 'Ed25519'] },
}

const SOURCE: Readonly<Record<string, Field>> = {
  name,
  product: { kind: 'text', max: 64 },
  service: { kind: 'text', max: 64 },
}

const NOT_BELIEVED = ['organizationId', 'receivedAt', 'integrity', 'idConflict', 'raw', 'source', 'details']
const KNOWN: ReadonlySet<string> = new Set([...Object.keys(FIELDS), ...Object.keys(PROOFS), ...NOT_BELIEVED])

export const tocsin: Format = {
  name: 'tocsin',
  body: 'json',
  recognizes: (item) => isObject(item) && ['action', 'timestamp', 'status'].some((key) => Object.hasOwn(item, key)),
  begin: (context) => (item) => [mapTocsin(item, context)],
}

export function mapTocsin(item: Json, context: MapContext): Mapped {
  const faults = new Faults()
  if (!isObject(item)) {
    faults.add('INVALID_TYPE', [], 'an event must be an object')
    return { faults: faults.list }
  }
  const draft: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(FIELDS)) {
    const value = readField(field, item[key], [key], faults)
    if (value !== undefined) draft[key] = value
  }
  for (const [key, field] of Object.entries(PROOFS)) readField(field, item[key], [key], faults)
  checkOrganization(item['organizationId'], context, faults)
  draft['source'] = readSource(item['source'], faults)
  const details = readDetails(item, faults)
  if (details !== undefined) draft['details'] = details
  if (faults.list.length > 0) return { faults: faults.list }
  // FIELDS has each required property of a draft, with its limits.
  return { draft: { ...(draft as unknown as Draft), integrity: integrityOf(item) } }
}

/** The key decides the organization. An event may repeat it, by id or slug; naming another is a mistake that must be told. */
function checkOrganization(value: Json | undefined, { organization }: MapContext, faults: Faults): void {
  if (value === undefined || value === null) return
  if (typeof value !== 'string') faults.add('INVALID_TYPE', ['organizationId'], 'must be text')
  else if (value.toLowerCase() !== organization.organizationId.toLowerCase() && value !== organization.slug)
    faults.add('INVALID_VALUE', ['organizationId'], 'is not the organization of the key; leave it out')
}

function readSource(value: Json | undefined, faults: Faults): Draft['source'] {
  const given = typeof value === 'string' ? { name: value } : (value ?? {})
  const source: Record<string, unknown> = { product: 'tocsin' }
  if (!isObject(given)) faults.add('INVALID_TYPE', ['source'], 'must be an object or a name')
  else {
    for (const [key, field] of Object.entries(SOURCE)) {
      const text = readField(field, given[key], ['source', key], faults)
      if (text !== undefined) source[key] = text
    }
  }
  return source
}

function readDetails(item: JsonObject, faults: Faults): JsonObject | undefined {
  const given = readField({ kind: 'object' }, item['details'], ['details'], faults)
  const unknown = Object.fromEntries(Object.entries(item).filter(([key]) => !KNOWN.has(key)))
  const all = { ...(isObject(given) ? given : {}), ...unknown }
  return Object.keys(all).length === 0 ? undefined : detailsOf(all)
}
