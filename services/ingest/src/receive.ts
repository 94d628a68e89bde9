/**
 * Prepared events of one sender → `audit.events`; the one way in, for HTTP and for `audit.intake`.
 *
 * 1. Resolves only after the broker has acknowledged every event that it calls accepted; else it rejects with RetryableError.
 * 2. An event that was accepted before (same id, same body) is a duplicate and is not written again; the same id with another
 *    body is written, flagged idConflict.
 * 3. An id is remembered only after (1), so that a failed request can be sent again.
 * 4. Nobody tells of acts in Tocsin itself: those are persistence's to tell.
 */
import type { FieldError } from '@tocsin/contracts'
import { HEADERS, OWN_ACTIONS, SCHEMA_VERSIONS, TOPICS } from '@tocsin/contracts'
import type { PreparedEvent, PreparedItem } from '@tocsin/formats'
import type { OutgoingRecord, Producer } from '@tocsin/kafka'
import { childTraceparent } from '@tocsin/telemetry'
import { type IdMemory, sameContent } from './id-memory.ts'
import type { IngestMetrics } from './metrics.ts'
import type { Sender } from './tenants.ts'

export interface ItemResult {
  readonly index: number
  readonly id: string | null
  readonly status: 'accepted' | 'duplicate' | 'rejected'
  readonly ids?: readonly string[]
  readonly errors?: readonly FieldError[]
}

export type Receive = (by: {
  readonly via: 'http' | 'intake'
  readonly sender: Sender
  readonly items: readonly PreparedItem[]
}) => Promise<ItemResult[]>

export function createReceive(options: {
  readonly producer: Producer
  readonly memory: IdMemory
  readonly metrics: IngestMetrics
}): Receive {
  const { producer, memory, metrics } = options
  return async ({ via, sender, items: sent }) => {
    const items = sent.map(withoutOwn)
    const events = items.flatMap((item) => ('events' in item ? item.events : []))
    const ids = events.map(({ id }) => id)
    const recalled = await memory.recall(sender.organizationId, ids)
    if (recalled === undefined) metrics.unlabelled.inc(events.length)
    const { fresh, repeated } = sortOut(events, recalled)

    if (fresh.length > 0) {
      const timer = metrics.publishSeconds.startTimer()
      await producer.send(fresh.map(({ event, conflict }) => recordOf(event, conflict, sender))) // (1)
      timer()
      metrics.idConflicts.inc(fresh.filter(({ conflict }) => conflict).length)
      await memory.remember(
        // (3)
        sender.organizationId,
        fresh.map(({ event }) => event),
      )
    }
    return items.map((item, index) => {
      const result = resultOf(item, index, repeated)
      metrics.items.inc({
        via,
        format: 'events' in item ? (item.events[0]?.event.source.format ?? '') : 'unknown',
        status: result.status,
      })
      for (const { code } of result.errors ?? []) metrics.rejections.inc({ code })
      return result
    })
  }
}

/** The item, or why it is refused (4). */
function withoutOwn(item: PreparedItem): PreparedItem {
  if (!('events' in item) || !item.events.some(({ event }) => event.action.startsWith(OWN_ACTIONS))) return item
  return {
    faults: [{ code: 'INVALID_VALUE', pointer: '/action', detail: `begins with ${OWN_ACTIONS}, as only Tocsin's own do` }],
  }
}

interface SortedOut {
  readonly fresh: readonly { readonly event: PreparedEvent; readonly conflict: boolean }[]
  readonly repeated: ReadonlySet<PreparedEvent>
}

/** Holds each event against what is remembered and what stood before it in the request (2). */
function sortOut(events: readonly PreparedEvent[], recalled: readonly (string | null)[] | undefined): SortedOut {
  const fresh: { event: PreparedEvent; conflict: boolean }[] = []
  const repeated = new Set<PreparedEvent>()
  const inRequest = new Map<string, string>()
  for (const [index, event] of events.entries()) {
    const kept = recalled?.[index] ?? undefined
    const earlier = inRequest.get(event.id)
    const isRepeated =
      (kept !== undefined && sameContent(kept, event.contentHash)) || (earlier !== undefined && earlier === event.contentHash)
    if (isRepeated) repeated.add(event)
    else {
      fresh.push({ event, conflict: kept !== undefined || earlier !== undefined })
      if (earlier === undefined) inRequest.set(event.id, event.contentHash)
    }
  }
  return { fresh, repeated }
}

function recordOf(event: PreparedEvent, conflict: boolean, sender: Sender): OutgoingRecord {
  return {
    topic: TOPICS.auditEvents.name,
    partition: sender.partition,
    key: sender.organizationId,
    value: conflict ? JSON.stringify({ ...event.event, idConflict: true }) : event.value,
    headers: {
      [HEADERS.type]: 'event',
      [HEADERS.schema]: `AuditEvent/${SCHEMA_VERSIONS.AuditEvent}`,
      [HEADERS.contentType]: 'application/json',
      [HEADERS.traceparent]: childTraceparent(event.traceparent),
    },
  }
}

function resultOf(item: PreparedItem, index: number, repeated: ReadonlySet<PreparedEvent>): ItemResult {
  if ('faults' in item) return { index, id: null, status: 'rejected', errors: item.faults }
  const ids = item.events.map(({ id }) => id)
  const status = item.events.every((event) => repeated.has(event)) ? 'duplicate' : 'accepted'
  return { index, id: ids[0] ?? null, status, ...(ids.length > 1 ? { ids } : {}) }
}
