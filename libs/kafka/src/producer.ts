/**
 * The one way records are written.
 *
 * 1. `send` resolves after acks=all of every record in it, with the place of each.
 * 2. Records of one partition are written in the order of the calls: one request is under way at a time, and what fails with a lost broker
 *    fails for every call that waits behind it.
 * 3. After any failure the kafkajs producer is given up and its connections are cut. kafkajs takes the sequence numbers of a failed request
 *    again for the next one; had the broker written the first, it would take the second for a copy, acknowledge it and drop it.
 * 4. Calls that wait together share a request, within the size limits.
 */
import { RetryableError, TerminalError } from '@tocsin/errors'
import type { IHeaders, Producer as KafkajsProducer, Message } from 'kafkajs'
import { internalsOf, type Kafka } from './kafka.ts'
import { asTocsinError } from './kafka-error.ts'
import type { OutgoingRecord, RecordPlace } from './record.ts'
import type { Sockets } from './sockets.ts'

export interface Producer {
  /**
   * Resolves after the broker has all of them, with the place of each, in the order given.
   * Rejects with RetryableError when the broker is away (<= 10 s; then it is unknown which were written), TerminalError when one is too large.
   */
  send(records: readonly OutgoingRecord[]): Promise<RecordPlace[]>
  isUp(): boolean
  /** Waits for what is under way, at most as long as a send takes. */
  close(): Promise<void>
}

/** How long a request may take altogether; after a failure the next one gets less, so that callers learn soon that the broker is still away. */
const SEND_LIMIT_MS = 10_000
const SEND_LIMIT_WHILE_AWAY_MS = 3_000
/** kafkajs makes one record batch of all records for a partition in a request, and max.message.bytes (1 MiB at least) limits the batch. */
const MOST_BATCH_BYTES = 900_000
const MOST_REQUEST_BYTES = 8_000_000
const MOST_REQUEST_RECORDS = 10_000
/** Frame of a record in a batch, at most (varints of lengths, offset and time). */
const RECORD_OVERHEAD_BYTES = 40
const RETRY = { retries: 6, initialRetryTime: 50, maxRetryTime: 1_000 }

interface Call {
  readonly records: readonly OutgoingRecord[]
  readonly places: RecordPlace[]
  /** Set after its request was refused for good while it shared one: the refusal may be another's. */
  alone: boolean
  readonly resolve: (places: RecordPlace[]) => void
  readonly reject: (error: Error) => void
}
interface Connected {
  readonly producer: KafkajsProducer
  readonly sockets: Sockets
}
/** One request: for each record the call that it belongs to. */
interface Request {
  readonly entries: { readonly call: Call; readonly record: OutgoingRecord }[]
}

export function createProducer(handle: Kafka): Producer {
  const kafka = internalsOf(handle)
  let waiting: Call[] = []
  let pumping: Promise<void> | undefined
  let connected: Promise<Connected> | undefined
  let up = true
  let closed = false

  const connect = () => {
    connected ??= (async () => {
      const { kafkajs, sockets } = kafka.client(RETRY)
      const producer = kafkajs.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        retry: RETRY,
        // Every record names its partition.
        createPartitioner:
          () =>
          ({ message }) =>
            message.partition ?? 0,
      })
      try {
        await producer.connect()
      } catch (error) {
        sockets.destroy()
        throw error
      }
      return { producer, sockets }
    })()
    return connected
  }
  const giveUp = () => {
    const old = connected
    connected = undefined
    void old?.then(
      ({ producer, sockets }) => {
        sockets.destroy()
        return producer.disconnect().catch(() => {})
      },
      () => {},
    )
  }

  const write = async (request: Request): Promise<void> => {
    const { byTopic, order } = grouped(request)
    const { producer } = await connect()
    const topicMessages = [...byTopic].map(([topic, messages]) => ({ topic: kafka.name(topic), messages }))
    const answers = await producer.sendBatch({ topicMessages, acks: -1, timeout: SEND_LIMIT_MS })
    const base = new Map(answers.map((answer) => [`${answer.topicName}/${answer.partition}`, BigInt(answer.baseOffset ?? '-1')]))
    for (const { call, record, index } of order) {
      const first = base.get(`${kafka.name(record.topic)}/${record.partition}`)
      if (first === undefined || first < 0n)
        throw new RetryableError(`the broker did not answer for ${record.topic}/${record.partition}`)
      call.places.push({ topic: record.topic, partition: record.partition, offset: first + BigInt(index) })
    }
    // By topic, because counting under a label costs more than encoding a record.
    for (const [topic, { length }] of byTopic) kafka.metrics.produced.inc({ topic }, length)
  }

  const attempt = async (request: Request): Promise<void> => {
    try {
      await within(write(request), up ? SEND_LIMIT_MS : SEND_LIMIT_WHILE_AWAY_MS)
      up = true
      kafka.markUp(true)
    } catch (error) {
      giveUp() // (3)
      kafka.metrics.produceFailures.inc()
      const reason = asTocsinError(error, 'records were not written')
      const failed = new Set(request.entries.map((entry) => entry.call))
      if (reason instanceof TerminalError && failed.size > 1) {
        for (const call of failed) {
          call.alone = true
          call.places.length = 0
        }
        return
      }
      if (reason instanceof RetryableError) {
        up = false
        kafka.markUp(false)
        for (const call of waiting) failed.add(call) // (2)
      }
      waiting = waiting.filter((call) => !failed.has(call))
      for (const call of failed) call.reject(reason)
    }
  }

  const pump = async () => {
    while (waiting.length > 0) {
      await attempt(nextRequest(waiting))
      while (waiting[0] !== undefined && waiting[0].places.length === waiting[0].records.length) {
        const call = waiting.shift()
        call?.resolve(call.places)
      }
    }
    pumping = undefined
  }

  return {
    send: (records) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new RetryableError('the producer is closed'))
        if (records.length === 0) return resolve([])
        waiting.push({ records, places: [], alone: false, resolve, reject })
        // In a later turn: calls made in this one share the first request (4).
        pumping ??= Promise.resolve().then(pump)
      }),
    isUp: () => up,
    close: async () => {
      closed = true
      await pumping
      const old = connected
      connected = undefined
      await old?.then(({ producer }) => producer.disconnect()).catch(() => {})
    },
  }
}

/** As many records from the head of the queue as fit, in order. A call with `places` already goes on where it was. */
function nextRequest(waiting: readonly Call[]): Request {
  const entries: Request['entries'] = []
  const batchBytes = new Map<string, number>()
  let bytes = 0
  for (const call of waiting) {
    if (call.alone && entries.length > 0) return { entries }
    for (const record of call.records.slice(call.places.length)) {
      const size = sizeOf(record)
      const place = `${record.topic}/${record.partition}`
      const batch = batchBytes.get(place) ?? 0
      const full =
        (batch > 0 && batch + size > MOST_BATCH_BYTES) ||
        bytes + size > MOST_REQUEST_BYTES ||
        entries.length >= MOST_REQUEST_RECORDS
      if (full && entries.length > 0) return { entries }
      entries.push({ call, record })
      batchBytes.set(place, batch + size)
      bytes += size
    }
    if (call.alone) return { entries }
  }
  return { entries }
}

/** kafkajs' form of a request by topic, and for each record its index in its batch. */
function grouped(request: Request) {
  const byTopic = new Map<string, Message[]>()
  const counts = new Map<string, number>()
  const order = request.entries.map(({ call, record }) => {
    const messages = byTopic.get(record.topic) ?? []
    byTopic.set(record.topic, messages)
    messages.push({
      partition: record.partition,
      key: record.key,
      value: record.value,
      ...(record.headers === undefined ? {} : { headers: record.headers as IHeaders }),
    })
    const place = `${record.topic}/${record.partition}`
    const index = counts.get(place) ?? 0
    counts.set(place, index + 1)
    return { call, record, index }
  })
  return { byTopic, order }
}

function sizeOf(record: OutgoingRecord): number {
  let size = RECORD_OVERHEAD_BYTES + bytesOf(record.key) + bytesOf(record.value)
  for (const [header, value] of Object.entries(record.headers ?? {})) {
    const values = Array.isArray(value) ? value : [value]
    for (const each of values) size += Buffer.byteLength(header) + bytesOf(each ?? null) + 10
  }
  return size
}
const bytesOf = (value: string | Buffer | null): number => (value === null ? 0 : Buffer.byteLength(value))

async function within<T>(work: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RetryableError(`no answer within ${limitMs} ms`)), limitMs)
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}
