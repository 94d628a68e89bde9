/**
 * `audit.intake` → `audit.events`: events of producers that write to Kafka themselves, in the formats of HTTP. The organization
 * comes from the record's `tocsin-key` alone; the key is never forwarded.
 */
import { HEADERS, TOPICS } from '@tocsin/contracts'
import { RetryableError } from '@tocsin/errors'
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
import { recognizeBody } from './body.ts'
import { UnreadableBody } from './core/items.ts'
import { type PreparedItem, prepare } from './core/prepare.ts'
import { formatOf } from './formats/index.ts'
import type { RateLimit } from './rate-limit.ts'
import type { Receive } from './receive.ts'
import type { Sender, Tenants } from './tenants.ts'

export const INTAKE_CONSUMER = 'ingest'

export interface IntakeOptions {
  readonly kafka: Kafka
  readonly producer: Producer
  readonly tenants: Tenants
  readonly rateLimit: RateLimit
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
    handleBatch: async ({ items }) => {
      const keys = new Set(items.map(({ record }) => headerOf(record, HEADERS.key) ?? ''))
      // All at once: each unknown key may take its time. What fails here is told by its record below.
      await Promise.allSettled([...keys].map((key) => (key === '' ? undefined : options.tenants.find(key))))
      const dispositions: Disposition[] = []
      for (const { record } of items) {
        const disposition = await takeIn(record, options)
        dispositions.push(disposition)
        // What follows waits as well: order within the partition is kept.
        if (disposition.kind === 'retry') break
      }
      const last = dispositions.at(-1)
      return last?.kind === 'retry' ? items.map((_, index) => dispositions[index] ?? last) : dispositions
    },
  })
}

async function takeIn(record: KafkaRecord, by: IntakeOptions): Promise<Disposition> {
  const key = headerOf(record, HEADERS.key)
  if (key === undefined || key === '') return deadLettered('UNAUTHENTICATED', `no header ${HEADERS.key}`)
  try {
    const sender = await by.tenants.find(key)
    if (sender === undefined) return deadLettered('UNAUTHENTICATED', `the key in ${HEADERS.key} is not known`)
    if (!sender.mayWrite) return deadLettered('UNAUTHENTICATED', `the key in ${HEADERS.key} may not write events`)
    const items = read(record, sender, by.now())
    if (!Array.isArray(items)) return items
    const waitMs = await by.rateLimit.take(sender.organizationId, items.length)
    if (waitMs > 0) return retry(new RetryableError('the organization is over its rate', { retryAfterMs: waitMs }))
    const results = await by.receive({ via: 'intake', sender, items, traceparent: headerOf(record, HEADERS.traceparent) })
    const rejected = results.filter(({ status }) => status === 'rejected')
    // The good items of a record are accepted all the same; replayed, they count once by their ids.
    return rejected.length === 0 ? done : deadLettered('INVALID', reasonOf(rejected))
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

function read(record: KafkaRecord, sender: Sender, now: number): PreparedItem[] | Disposition {
  if (record.value === null) return deadLettered('MALFORMED', 'the record has no value')
  const name = headerOf(record, HEADERS.format)
  const named = name === undefined ? undefined : formatOf(name)
  if (name !== undefined && named === undefined) return deadLettered('INVALID', `UNKNOWN_FORMAT: ${HEADERS.format} ${name}`)
  const place = `${record.topic}/${record.partition}/${record.offset}`
  const contentType = headerOf(record, HEADERS.contentType)
  try {
    const { body, format } = recognizeBody(record.value, contentType === undefined ? {} : { 'content-type': contentType }, named)
    return prepare({
      body,
      format,
      context: { organization: sender, now },
      boundSource: sender.boundSource,
      fallbackId: (index, alone) => (alone ? place : `${place}/${index}`),
    })
  } catch (error) {
    if (!(error instanceof UnreadableBody)) throw error
    return deadLettered(error.code === 'TOO_MANY_ITEMS' ? 'TOO_LARGE' : 'MALFORMED', error.message)
  }
}
