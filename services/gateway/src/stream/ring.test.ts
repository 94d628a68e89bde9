import { expect, test } from 'vitest'
import { bytesOf, Ring } from './ring.ts'
import { change, ORGANIZATION } from './samples.ts'

const OTHER = '11111111-5f3c-4d1e-9a76-1f2e3d4c5b6a'
const HOUR_MS = 3_600_000
const offsets = (ring: Ring, organizationId: string, from: number, limit = 100) => {
  const answer = ring.read(organizationId, 0, BigInt(from), limit)
  return answer.kind === 'lost' ? 'lost' : answer.changes.map((each) => Number(each.offset))
}

test('a reader gets its organization from its position on, and no other', () => {
  const ring = new Ring({ maxBytes: 1e6, maxAgeMs: HOUR_MS })
  for (let n = 0; n < 10; n++) ring.append(change(n, { organizationId: n % 2 === 0 ? ORGANIZATION : OTHER }), change(n).at)
  expect(offsets(ring, ORGANIZATION, 3)).toEqual([4, 6, 8])
  expect(offsets(ring, OTHER, 0, 2)).toEqual([1, 3])
  expect(offsets(ring, 'nobody', 3)).toEqual([])
})

test('bytes are bounded and what was dropped is known', () => {
  const each = bytesOf(change(1000))
  const ring = new Ring({ maxBytes: each * 10, maxAgeMs: HOUR_MS })
  for (let n = 1000; n < 1500; n++) ring.append(change(n), change(n).at)
  expect(ring.bytes).toBeLessThanOrEqual(each * 10)
  expect(ring.length).toBe(10)
  expect(ring.floor(ORGANIZATION, 0)).toBe(1490n)
  expect(offsets(ring, ORGANIZATION, 1489)).toBe('lost')
  expect(offsets(ring, ORGANIZATION, 1490)).toEqual([1490, 1491, 1492, 1493, 1494, 1495, 1496, 1497, 1498, 1499])
})

test('what is dropped of a busy organization is not missing in a quiet one', () => {
  const ring = new Ring({ maxBytes: 1e6, maxAgeMs: 1000 })
  ring.append(change(5), change(5).at)
  ring.append(change(6, { organizationId: OTHER }), change(6).at)
  ring.append(change(2000, { organizationId: OTHER }), change(2000).at)
  expect(offsets(ring, ORGANIZATION, 6)).toEqual([])
  expect(offsets(ring, ORGANIZATION, 5)).toBe('lost')
  expect(offsets(ring, OTHER, 7)).toEqual([2000])
})

test('age is bounded also while nothing comes', () => {
  const ring = new Ring({ maxBytes: 1e6, maxAgeMs: HOUR_MS })
  ring.append(change(1), change(1).at)
  ring.evict(change(1).at + HOUR_MS + 1)
  expect([ring.length, ring.bytes]).toEqual([0, 0])
})

test('what lay before the first record read is lost', () => {
  const ring = new Ring({ maxBytes: 1e6, maxAgeMs: HOUR_MS })
  ring.begin(0, 50n)
  ring.append(change(50), change(50).at)
  expect(offsets(ring, ORGANIZATION, 49)).toBe('lost')
  expect(offsets(ring, ORGANIZATION, 50)).toEqual([50])
})
