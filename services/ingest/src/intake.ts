/**
 * `audit.intake` → `audit.events`: events of producers that write to Kafka themselves, in the formats of HTTP. The organization
 * comes from the record's `tocsin-key` alone; the key is never forwarded.
 */
import { HEADERS, TOPICS } from '@tocsin/contracts'
import { RetryableError } from '@tocsin/errors'
import { formatOf, type PreparedItem, UnreadableBody } from '@tocsin/formats'
import {
  type Disposition,
  deadLettered,
  done,
  headerOf,
  type Kafka,
  type KafkaRecord,
  type Producer,
  type RunningConsumer,
  retry,
  runConsumer,
} from '@tocsin/kafka'
import type { TokenBuckets } from '@tocsin/redis'
import { recognizeBody } from './body.ts'
import { prepareInSlices } from './prepare-in-slices.ts'
import type { Receive } from './receive.ts'
import type { Sender, Tenants } from './tenants.ts'

export const INTAKE_CONSUMER = 'ingest'

export interface IntakeOptions {
  readonly kafka: Kafka
  readonly producer: Producer
  readonly tenants: Tenants
  readonly rateLimit: TokenBuckets
  readonly receive: Receive
  readonly now: () => number
}

export function startIntake(options: IntakeOptions): RunningConsumer {
  return runConsumer({
    kafka: options.kafka,
    producer: options.producer,
    groupId: INTAKE_CONSUMER,
    topics: [TOPICS.auditIntake.name],
    read: (record) => ({ kind: 'take', value: record }),
    handleBatch: ({ items }) =>
      takeIn(
        items.map(({ record }) => record),
        options,
      ),
  })
}

/** A record that is understood: whose it is, and what it holds. */
interface Taken {
  readonly sender: Sender
  readonly items: readonly PreparedItem[]
}

/** One disposition for each record. What one organization sent is written together, in order. */
async function takeIn(records: readonly KafkaRecord[], by: IntakeOptions): Promise<Disposition[]> {
  const keys = new Set(records.map((record) => headerOf(record, HEADERS.key) ?? ''))
  // All at once: each unknown key may take its time. What fails here is told by its record below.
  await Promise.allSettled([...keys].map((key) => (key === '' ? undefined : by.tenants.find(key))))
  const dispositions: Disposition[] = []
  const taken = new Map<string, { index: number; taken: Taken }[]>()
  for (const [index, record] of records.entries()) {
    const understood = await understand(record, by)
    if ('kind' in understood) dispositions[index] = understood
    else {
      const { organizationId } = understood.sender
      const group = taken.get(organizationId) ?? []
      group.push({ index, taken: understood })
      taken.set(organizationId, group)
    }
  }
  for (const group of taken.values()) {
    const outcome = await receiveGroup(
      group.map((each) => each.taken),
      by,
    )
    for (const [position, { index }] of group.entries())
      dispositions[index] = Array.isArray(outcome) ? (outcome[position] ?? done) : outcome
  }
  return dispositions
}

async function understand(record: KafkaRecord, by: IntakeOptions): Promise<Taken | Disposition> {
  const key = headerOf(record, HEADERS.key)
  if (key === undefined || key === '') return deadLettered('UNAUTHENTICATED', `no header ${HEADERS.key}`)
  try {
    const sender = await by.tenants.find(key)
    if (sender === undefined) return deadLettered('UNAUTHENTICATED', `the key in ${HEADERS.key} is not known`)
    if (!sender.mayWrite) return deadLettered('UNAUTHENTICATED', `the key in ${HEADERS.key} may not write events`)
    const items = await read(record, sender, by.now())
    return Array.isArray(items) ? { sender, items } : items
  } catch (error) {
    if (error instanceof RetryableError) return retry(error)
    throw error
  }
}

/** The dispositions of one organization's records, or `retry` for all of them. */
async function receiveGroup(group: readonly Taken[], by: IntakeOptions): Promise<Disposition[] | Disposition> {
  const [first] = group
  if (first === undefined) return []
  const items = group.flatMap((each) => each.items)
  try {
    const waitMs = await by.rateLimit.take(first.sender.organizationId, items.length, first.sender.rate)
    if (waitMs > 0) return retry(new RetryableError('the organization is over its rate', { retryAfterMs: waitMs }))
    const results = await by.receive({ via: 'intake', sender: first.sender, items })
    let from = 0
    return group.map((each) => {
      const own = results.slice(from, from + each.items.length)
      const rejected = own
        .filter(({ status }) => status === 'rejected')
        .map((result) => ({ ...result, index: result.index - from }))
      from += each.items.length
      // The good items of a record are accepted all the same; replayed, they count once by their ids.
      return rejected.length === 0 ? done : deadLettered('INVALID', reasonOf(rejected))
    })
  } catch (error) {
    if (error instanceof RetryableError) return retry(error)
    throw error
  }
}

function reasonOf(
  rejected: readonly { readonly index: number; readonly errors?: readonly { code: string; pointer: string; detail: string }[] }[],
): string {
  return rejected
    .slice(0, 10)
    .map(
      ({ index, errors }) =>
        `item ${index}: ${(errors ?? []).map(({ code, pointer, detail }) => `${code} ${pointer} ${detail}`).join(', ')}`,
    )
    .join('; ')
}

async function read(record: KafkaRecord, sender: Sender, now: number): Promise<PreparedItem[] | Disposition> {
  if (record.value === null) return deadLettered('MALFORMED', 'the record has no value')
  const name = headerOf(record, HEADERS.format)
  const named = name === undefined ? undefined : formatOf(name)
  if (name !== undefined && named === undefined) return deadLettered('INVALID', `UNKNOWN_FORMAT: ${HEADERS.format} ${name}`)
  const place = `${record.topic}/${record.partition}/${record.offset}`
  try {
    const { body, format } = recognizeBody(record.value, bodyHeaders(record), named)
    return await prepareInSlices({
      body,
      format,
      context: { organization: sender, now },
      boundSource: sender.boundSource,
      traceparent: headerOf(record, HEADERS.traceparent),
      fallbackId: (index, alone) => (alone ? place : `${place}/${index}`),
    })
  } catch (error) {
    if (!(error instanceof UnreadableBody)) throw error
    return deadLettered(error.code === 'TOO_MANY_ITEMS' ? 'TOO_LARGE' : 'MALFORMED', error.message)
  }
}

/** What HTTP would say of the body. A CloudEvent in binary mode has its attributes in headers `ce_NAME` (Kafka binding §3.2), as plain text. */
function bodyHeaders(record: KafkaRecord): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of Object.keys(record.headers)) {
    const value = headerOf(record, name)
    if (value === undefined) continue
    if (name === HEADERS.contentType) headers['content-type'] = value
    // HTTP percent-encodes them.
    else if (name.startsWith('ce_')) headers[`ce-${name.slice('ce_'.length)}`] = encodeURIComponent(value)
  }
  return headers
}
