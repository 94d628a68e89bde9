import { createRequire } from 'node:module'

const POLYNOMIAL = 0x82f63b78
const LANES = 8
const LANE = 256

/** What a byte does to a checksum, alone and with one to seven bytes behind it ("slicing by 8"). */
const TABLE = makeTable()

function makeTable(): Int32Array {
  const table = new Int32Array(LANES * LANE)
  for (let byte = 0; byte < LANE; byte++) {
    let sum = byte
    for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 1 ? POLYNOMIAL ^ (sum >>> 1) : sum >>> 1
    table[byte] = sum
  }
  for (let at = LANE; at < table.length; at++) {
    const before = table[at - LANE] as number
    table[at] = (table[before & 0xff] as number) ^ (before >>> 8)
  }
  return table
}

/** CRC-32C of the bytes, unsigned. */
export function crc32c(bytes: Uint8Array): number {
  const table = TABLE
  const byte = (at: number): number => bytes[at] as number
  const after = (lane: number, value: number): number => table[lane * LANE + (value & 0xff)] as number
  let sum = -1
  let at = 0
  for (; at <= bytes.length - LANES; at += LANES) {
    sum ^= byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24)
    sum =
      after(7, sum) ^
      after(6, sum >>> 8) ^
      after(5, sum >>> 16) ^
      after(4, sum >>> 24) ^
      after(3, byte(at + 4)) ^
      after(2, byte(at + 5)) ^
      after(1, byte(at + 6)) ^
      after(0, byte(at + 7))
  }
  for (; at < bytes.length; at++) sum = after(0, sum ^ byte(at)) ^ (sum >>> 8)
  return ~sum >>> 0
}

/**
 * kafkajs takes 5 ms for the checksum of a snapshot's piece of 900 kB, byte by byte; this takes 0.6 ms. To be called before kafkajs writes or reads its
 * first batch, because it then keeps its own.
 */
export function repairChecksums(): void {
  const require = createRequire(import.meta.url)
  const path = require.resolve('kafkajs/src/protocol/recordBatch/crc32C')
  require(path)
  const loaded = require.cache[path]
  if (loaded !== undefined) loaded.exports = crc32c
}
