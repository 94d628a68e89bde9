import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type EncodeRecord, encodeRecord, type RecordToEncode, repairRecordEncoding } from './record-encoding.ts'

const MODULE = 'kafkajs/src/protocol/recordBatch/record/v0'
const require = createRequire(import.meta.url)
const kafkajs = require(MODULE) as EncodeRecord

const text = fc.string({ unit: 'binary', maxLength: 300 })
const bytes = fc.oneof(
  text,
  fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
)
const record: fc.Arbitrary<RecordToEncode> = fc.record(
  {
    offsetDelta: fc.oneof(fc.nat(20_000), fc.nat()),
    timestampDelta: fc.oneof(fc.constant(0), fc.nat(20_000), fc.nat()),
    key: fc.option(bytes),
    value: fc.option(
      fc.oneof(
        bytes,
        fc.nat(20_000).map((size) => 'v'.repeat(size)),
      ),
    ),
    headers: fc.dictionary(text, bytes, { maxKeys: 70 }),
  },
  { requiredKeys: [] },
)

describe('the encoding of a record', () => {
  it("is kafkajs' own, byte by byte, or left to it", () => {
    let encoded = 0
    fc.assert(
      fc.property(record, (each) => {
        const ours = encodeRecord(each)
        if (ours === null) return
        encoded += 1
        expect(ours.buffer.equals(kafkajs(each).buffer)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
    expect(encoded).toBeGreaterThan(500)
  })

  it('is of the right length at each border of a varint', () => {
    for (const border of [2 ** 6, 2 ** 7, 2 ** 13, 2 ** 14, 2 ** 20, 2 ** 21])
      for (const size of [border - 2, border - 1, border, border + 1]) {
        const each = { key: null, value: Buffer.alloc(size, 'x'), offsetDelta: size, timestampDelta: size }
        expect(encodeRecord(each)?.buffer.equals(kafkajs(each).buffer)).toBe(true)
      }
  })

  it('leaves repeated headers and large numbers to kafkajs, in whose place it stands', () => {
    const repeated = { value: 'v', headers: { name: ['a', 'b'] } }
    expect(encodeRecord(repeated)).toBeNull()
    expect(encodeRecord({ value: 'v', timestampDelta: 2 ** 40 })).toBeNull()
    repairRecordEncoding()
    repairRecordEncoding()
    const inPlace = require(MODULE) as EncodeRecord
    expect(inPlace).not.toBe(kafkajs)
    expect(inPlace(repeated).buffer.equals(kafkajs(repeated).buffer)).toBe(true)
  })
})
