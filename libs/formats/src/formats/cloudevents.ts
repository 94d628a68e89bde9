/**
 * CloudEvents 1.0, one event in JSON form (cloudevents.io, JSON event format). Bodies in binary mode are turned into that form
 * first (`structuredOf`). What `data` says in the words of the canonical event is used where it is valid there; the rest of it
 * is the producer's own business and stays in `raw`.
 */
import {
  CATEGORIES,
  CLASSIFICATIONS,
  categoryOf,
  EVENT_STATUSES,
  type EventStatus,
  OPERATIONS,
  OUTCOMES,
  type Outcome,
} from '@tocsin/contracts'
import { Faults } from '../faults.ts'
import { type Field, readField } from '../fields.ts'
import { isObject } from '../items.ts'
import type { Json, JsonObject } from '../json-reader.ts'
import { formatTime } from '../time.ts'
import { at, type Draft, type Format, fit, type Mapped, rejected, requiredTime, textAt } from './format.ts'

const MAX_ID = 128
const SUPPORTED = '1.0'
const REQUIRED_ATTRIBUTES = ['id', 'source', 'type'] as const

/** Canonical fields that are looked for in `data`, under the same names. */
const DATA_FIELDS: Readonly<Record<string, Field>> = {
  outcome: { kind: 'word', words: OUTCOMES },
  category: { kind: 'word', words: CATEGORIES },
  operation: { kind: 'word', words: OPERATIONS },
  dataClassification: { kind: 'word', words: CLASSIFICATIONS },
  principalId: { kind: 'text', max: 255 },
  principalType: { kind: 'text', max: 255 },
  outcomeDescription: { kind: 'text', max: 2000 },
  targetResourceType: { kind: 'text', max: 255 },
  targetResourceId: { kind: 'text', max: 255 },
  recordCount: { kind: 'count' },
  bytes: { kind: 'count' },
  sessionContext: { kind: 'session' },
  correlationId: { kind: 'text', max: 255 },
  processingLatency: { kind: 'measure' },
  queueDepth: { kind: 'measure' },
}
const STATUS: Field = { kind: 'word', words: EVENT_STATUSES }

const STATUS_OF_OUTCOME: Readonly<Record<Outcome, EventStatus>> = {
  success: 'success',
  failure: 'failure',
  denied: 'failure',
  unknown: 'attempt',
}

export const cloudevents: Format = {
  name: 'cloudevents',
  body: 'json',
  recognizes: (item) => isObject(item) && Object.hasOwn(item, 'specversion'),
  begin: () => (item) => [mapCloudEvent(item)],
}

export function mapCloudEvent(item: Json): Mapped {
  if (!isObject(item)) return rejected('INVALID_TYPE', [], 'an event must be an object')
  const faults = new Faults()
  if (at(item, 'specversion') !== SUPPORTED)
    faults.add(at(item, 'specversion') === undefined ? 'REQUIRED_FIELD_MISSING' : 'INVALID_VALUE', ['specversion'], 'must be 1.0')
  const [id = '', source = '', type = ''] = REQUIRED_ATTRIBUTES.map((name) =>
    readField({ kind: 'text', max: 4096, required: true }, item[name], [name], faults),
  ).map((value) => (typeof value === 'string' ? value : ''))
  const timestamp = requiredTime(item, 'time', faults)
  if (faults.list.length > 0) return { faults: faults.list }

  const data = at(item, 'data')
  const found = fieldsOf(isObject(data) ? data : {})
  const status = readField(STATUS, at(data, 'status'), [], new Faults()) as EventStatus | undefined
  const principalId = textAt(item, 'authid')
  const principalType = textAt(item, 'authtype')
  const subject = textAt(item, 'subject')
  const targetType = targetTypeOf(type)
  const traceparent = textAt(item, 'traceparent')
  const draft: Draft = {
    // Derived from type and subject first; what data names wins.
    ...(targetType === undefined ? {} : { targetResourceType: fit(targetType, 255) }),
    ...(subject === undefined ? {} : { targetResourceId: fit(subject, 255) }),
    ...(principalType === undefined ? {} : { principalType: fit(principalType, 255) }),
    ...found,
    ...(principalId === undefined ? {} : { principalId: fit(principalId, 255) }),
    ...(traceparent === undefined ? {} : { traceparent: fit(traceparent, 255) }),
    id: idOf(source, id),
    timestamp: formatTime(timestamp),
    action: fit(type, 255),
    status: status ?? (found.outcome === undefined ? 'attempt' : STATUS_OF_OUTCOME[found.outcome]),
    source: { name: fit(source, 255) },
  }
  // The target made of the type is no hint of data access: only one that data names is (contracts/classify.ts).
  const category = found.category ?? categoryOf({ action: type, targetResourceType: found.targetResourceType })
  return { draft: { ...draft, category } }
}

type Found = Partial<Pick<Draft, 'outcome' | 'category' | 'operation' | 'targetResourceType'>>

/** Fields of `data` that are valid as canonical ones; others are left to `raw` without complaint, since `data` has no contract with us. */
function fieldsOf(data: JsonObject): Found {
  const found: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(DATA_FIELDS)) {
    const faults = new Faults()
    const value = readField(field, at(data, key), [], faults)
    if (value !== undefined && faults.list.length === 0) found[key] = value
  }
  if (found['sessionContext'] === undefined) {
    const flat = {
      ipAddress: at(data, 'ipAddress') ?? null,
      userAgent: at(data, 'userAgent') ?? null,
      sessionId: at(data, 'sessionId') ?? null,
    }
    const faults = new Faults()
    const session = readField({ kind: 'session' }, flat, [], faults)
    if (isObject(session) && faults.list.length === 0 && Object.keys(session).length > 0) found['sessionContext'] = session
  }
  return found as Found
}

/** `source` and `id` together are unique by the CloudEvents specification. */
function idOf(source: string, id: string): string {
  return fit(`${source}#${id}`, MAX_ID)
}

/** The word before the last of a dotted type: `com.example.order.created` is about an `order`. */
function targetTypeOf(type: string): string | undefined {
  return type.split('.').at(-2) || undefined
}

/** Content types that mean CloudEvents in one JSON body; any other with a `ce-specversion` header is binary mode. */
export const STRUCTURED_TYPES: ReadonlySet<string> = new Set([
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
])

/**
 * A request in binary mode (HTTP binding §3.1) as a CloudEvent in JSON form: `ce-*` headers are attributes, the body is `data`.
 * `body` is the body's JSON where its content type says so, else its text.
 */
export function structuredOf(headers: Readonly<Record<string, string | string[] | undefined>>, body: Json): JsonObject {
  const event: JsonObject = {}
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith('ce-') || typeof value !== 'string') continue
    const attribute = header.slice('ce-'.length)
    if (/^[a-z0-9]{1,64}$/.test(attribute) && attribute !== 'data' && attribute !== 'constructor' && attribute !== 'prototype')
      event[attribute] = percentDecoded(value)
  }
  const contentType = headers['content-type']
  if (typeof contentType === 'string') event['datacontenttype'] = contentType
  if (body !== null) event['data'] = body
  return event
}

function percentDecoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
