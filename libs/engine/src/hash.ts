/** Two 32-bit halves of a 64-bit hash. Mutable, so that the hot path allocates nothing. */
export interface Hash64 {
  low: number
  high: number
}

/**
 * A 64-bit hash of a text's UTF-16 units, written into `into` (cyrb53's mixing, both halves kept). It stands for an id where
 * 32 bytes an event are all there is: among the 100,000 events of a full group, two ids meet with a chance of 3 in 10^10.
 */
export function hashText(text: string, into: Hash64, seed = 0): void {
  let low = 0xdeadbeef ^ seed
  let high = 0x41c6ce57 ^ seed
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    low = Math.imul(low ^ unit, 2654435761)
    high = Math.imul(high ^ unit, 1597334677)
  }
  const mixed = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  into.high = (Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(mixed ^ (mixed >>> 13), 3266489909)) >>> 0
  into.low = mixed >>> 0
}

const scratch: Hash64 = { low: 0, high: 0 }

/** 53 bits of a text's hash as one number, for counting distinct values. Never 0. */
export function hash53(text: string, seed = 0): number {
  hashText(text, scratch, seed)
  return (scratch.high & 0x1fffff) * 4294967296 + scratch.low || 1
}

/** 32 bits of a text's hash, mixed with what came before it. */
export function hash32(text: string, seed: number): number {
  hashText(text, scratch, seed)
  return scratch.low
}
