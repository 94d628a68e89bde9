import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeFetchResponse } from './fetch-response.ts'
import { fetchedRecords, headerOf, partOf } from './record.ts'

const kafkajs = createRequire(import.meta.url)
const { RecordBatch } = kafkajs('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (batch: object) => Promise<{ buffer: Buffer }>
}
const Record = kafkajs('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => object
const Batch = kafkajs('kafkajs/src/consumer/batch') as new (topic: string, from: string, partition: object) => KafkajsBatch
const response = kafkajs('kafkajs/src/protocol/requests/fetch/v11/response') as { decode(bytes: Buffer): Promise<Response> }

interface Response {
  readonly responses: readonly { readonly partitions: readonly object[] }[]
}
interface KafkajsBatch {
  readonly messages: Parameters<typeof fetchedRecords>[2]
  lastOffset(): string
  firstOffset(): string | null
  isEmpty(): boolean
}
interface Entry {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer | Buffer[]>>
  readonly delta: number
}

const LOG_APPEND_TIME = 8
const FIRST_TIME = 1_760_000_000_000
const bytes = fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each))
const nullable = fc.option(bytes, { nil: null })
const names = fc.oneof(fc.constantFrom('tocsin-type', 'tocsin-typo', 'replay-for', 'é', ''), fc.string({ maxLength: 5 }))
const entry: fc.Arbitrary<Entry> = fc.record({
  key: nullable,
  value: nullable,
  headers: fc
    .array(fc.tuple(names, fc.oneof(bytes, fc.array(bytes, { minLength: 2, maxLength: 3 }))), { maxLength: 4 })
    .map(objectOf),
  delta: fc.oneof(
    fc.nat(),
    fc.integer({ min: -1_000, max: 2 ** 31 - 1 }).map((seconds) => seconds * 1_000),
  ),
})
const batch = fc.record({
  entries: fc.array(entry, { minLength: 1, maxLength: 70 }),
  base: fc.oneof(fc.nat(), fc.constantFrom(2 ** 31, 2 ** 40)),
  attributes: fc.constantFrom(LOG_APPEND_TIME, 0),
})

function objectOf(pairs: readonly (readonly [string, Buffer | Buffer[]])[]): Entry['headers'] {
  const object: Record<string, Buffer | Buffer[]> = {}
  for (const [name, value] of pairs) Object.defineProperty(object, name, { value, enumerable: true, configurable: true })
  return object
}

async function encode({ entries, base, attributes }: typeof batch extends fc.Arbitrary<infer T> ? T : never): Promise<Buffer> {
  const records = entries.map(({ key, value, headers, delta }, offsetDelta) =>
    Record({ key, value, headers, timestampDelta: delta, offsetDelta }),
  )
  const encoded = await RecordBatch({
    firstOffset: base,
    firstTimestamp: FIRST_TIME,
    maxTimestamp: FIRST_TIME + 5,
    lastOffsetDelta: entries.length - 1,
    records,
  })
  // The encoder knows compression only; the broker sets the kind of time.
  const bytes = Buffer.from(encoded.buffer)
  bytes.writeInt16BE(attributes, 21)
  bytes.writeBigInt64BE(BigInt(base), 0)
  return bytes
}

/** A response with one partition of one topic. */
function responseOf(records: Buffer): Buffer {
  const head = Buffer.alloc(14 + 2 + 1 + 4 + 4 + 2 + 24 + 4 + 4 + 4)
  head.writeInt32BE(7, 6)
  head.writeInt32BE(1, 10)
  head.writeInt16BE(1, 14)
  head.write('t', 16)
  head.writeInt32BE(1, 17)
  head.writeInt32BE(3, 21)
  head.writeBigInt64BE(2n ** 41n, 27)
  head.writeInt32BE(records.length, head.length - 4)
  return Buffer.concat([head, records])
}

const batchOf = (decoded: Response, from: number): KafkajsBatch =>
  new Batch('t', String(from), decoded.responses[0]?.partitions[0] as object)

/** What a reader of this library sees of a partition, with what kafkajs says of the batch. */
function seen(decoded: Response, from: number) {
  const made = batchOf(decoded, from)
  return {
    ends: [made.firstOffset(), made.lastOffset(), made.isEmpty()],
    messages: made.messages.map(({ offset, timestamp, key, value, headers }) => ({ offset, timestamp, key, value, headers })),
    records: fetchedRecords('t', 3, made.messages, BigInt(from)).map((record) => {
      const { topic, partition, offset, appendTime, key, value, headers } = record
      const part = partOf(record)
      const partText = part === null ? null : part.bytes.toString('latin1', part.from, part.to)
      const texts = ['tocsin-type', 'replay-for'].map((name) => headerOf(record, name))
      return { topic, partition, offset, appendTime, key, value, headers, partText, texts }
    }),
  }
}

describe('a fetched response that is taken apart where it lies', () => {
  it('gives the messages and records that kafkajs makes of it, also from the middle of a batch and cut off', async () => {
    let messages = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(batch, { maxLength: 3 }),
        fc.nat({ max: 100 }),
        fc.nat({ max: 60 }),
        async (batches, from, cut) => {
          let base = batches[0]?.base ?? 0
          const encoded: Buffer[] = []
          for (const each of batches) {
            encoded.push(await encode({ ...each, base }))
            base += each.entries.length + 2
          }
          const records = Buffer.concat(encoded)
          const whole = responseOf(records.subarray(0, Math.max(0, records.length - cut)))
          const ours = decodeFetchResponse(whole) as unknown as Response
          expect(ours).not.toBeNull()
          const theirs = await response.decode(whole)
          const start = (batches[0]?.base ?? 0) + from
          expect(seen(ours, start)).toEqual(seen(theirs, start))
          expect({ ...ours, responses: [] }).toEqual({ ...theirs, responses: [] })
          messages += batchOf(ours, start).messages.length
        },
      ),
      { numRuns: 300 },
    )
    expect(messages).toBeGreaterThan(100)
  })

  it('leaves what is compressed, transactional or a control batch to kafkajs', async () => {
    const one = { key: null, value: Buffer.from('v'), headers: {}, delta: 0 }
    for (const attributes of [1, 2, 3, 4, 0x10, 0x20]) {
      const encoded = await encode({ entries: [one], base: 0, attributes: LOG_APPEND_TIME })
      encoded.writeInt16BE(attributes, 21)
      expect(decodeFetchResponse(responseOf(encoded))).toBeNull()
    }
  })

  it('takes a header called __proto__ for what it is, as kafkajs does not', async () => {
    const headers = objectOf([['__proto__', [Buffer.from('one'), Buffer.from('two')]]])
    const encoded = await encode({ entries: [{ key: null, value: null, headers, delta: 0 }], base: 0, attributes: 0 })
    const decoded = decodeFetchResponse(responseOf(encoded)) as unknown as Response
    const [record] = fetchedRecords('t', 0, batchOf(decoded, 0).messages, 0n)
    expect(record && headerOf(record, '__proto__')).toBe('one')
    expect(Object.entries(record?.headers ?? {})).toEqual([['__proto__', Object.values(headers)[0]]])
  })
})
