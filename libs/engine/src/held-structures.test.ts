import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventPool, NO_ROW } from './event-pool.ts'
import { HeldEvents } from './held-events.ts'
import { IdIndex } from './id-index.ts'
import { PrefixSums } from './prefix-sums.ts'
import { SlotList } from './slot-list.ts'

/** Insertions and removals at places given as a part of the length; long runs make lists grow and shrink. */
const edits = fc.array(
  fc.record({
    where: fc.double({ min: 0, max: 1, noNaN: true }),
    value: fc.nat(1_000_000),
    adds: fc.boolean(),
    times: fc.integer({ min: 1, max: 60 }),
  }),
  { maxLength: 40 },
)

describe('a list of rows', () => {
  it('is a list, however it grows and shrinks', () => {
    fc.assert(
      fc.property(edits, (all) => {
        const list = new SlotList()
        const plain: number[] = []
        for (const { where, value, adds, times } of all) {
          for (let n = 0; n < times; n++) {
            if (adds) {
              const at = Math.floor(where * (plain.length + 1)) % (plain.length + 1)
              list.insert(at, value + n)
              plain.splice(at, 0, value + n)
            } else if (plain.length > 0) {
              const at = Math.floor(where * plain.length) % plain.length
              list.removeAt(at)
              plain.splice(at, 1)
            }
          }
          expect(Array.from({ length: list.length }, (_, at) => list.at(at))).toEqual(plain)
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('prefix sums', () => {
  it('give the sum of every stretch exactly, up to 2^53 - 1', () => {
    const weight = fc.oneof(fc.nat(10), fc.nat(2 ** 31 - 1), fc.maxSafeInteger().map(Math.abs))
    const edit = fc.record({ where: fc.double({ min: 0, max: 1, noNaN: true }), weight, adds: fc.boolean() })
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 80 }), (all) => {
        const sums = new PrefixSums()
        const plain: number[] = []
        for (const { where, weight, adds } of all) {
          const at = Math.floor(where * (plain.length + (adds ? 1 : 0)))
          if (adds) {
            const place = Math.min(at, plain.length)
            sums.insert(place, weight)
            plain.splice(place, 0, weight)
          } else if (plain.length > 0) {
            const place = Math.min(at, plain.length - 1)
            sums.removeAt(place)
            plain.splice(place, 1)
          }
        }
        for (let from = 0; from < plain.length; from += 7) {
          const exact = plain.slice(from).reduce((sum, each) => sum + BigInt(each), 0n)
          const most = BigInt(Number.MAX_SAFE_INTEGER)
          expect(sums.sum(from, plain.length - 1)).toBe(Number(exact > most ? most : exact))
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('the index of ids', () => {
  it('finds what is held and nothing else, whatever was removed before', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(40), fc.boolean()), { maxLength: 400 }), (all) => {
        const pool = new EventPool()
        const index = new IdIndex(pool)
        const held = new Map<number, number>()
        // Few different homes, so that searches run into each other.
        const idOf = (name: number): { low: number; high: number } => ({ low: (name % 5) * 64, high: name })
        for (const [name, adds] of all) {
          const slot = held.get(name)
          if (adds && slot === undefined) {
            const added = pool.add({ t: 0, arrival: 0, value: 0, id: idOf(name), contentHash: 0, flags: 0 })
            index.add(added)
            held.set(name, added)
          } else if (!adds && slot !== undefined) {
            index.remove(slot)
            pool.release(slot)
            held.delete(name)
          }
        }
        for (let name = 0; name <= 40; name++) expect(index.find(idOf(name))).toBe(held.get(name) ?? NO_ROW)
      }),
      { numRuns: 200 },
    )
  })
})

describe('held events', () => {
  it('stay in order of time, go in order of arrival and give their rows back', () => {
    const event = fc.record({ t: fc.nat(30), drop: fc.boolean(), evict: fc.boolean() })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), (all) => {
        const pool = new EventPool()
        const tally = { held: 0 }
        const held = new HeldEvents(pool, { sums: true, distinct: true }, tally)
        let plain: { id: number; t: number }[] = []
        for (const [id, { t, drop, evict }] of all.entries()) {
          held.add({ t, arrival: id, value: t + 1, id: { low: id, high: 0 }, contentHash: 7, flags: 0 })
          plain.push({ id, t })
          if (drop) {
            const oldest = held.oldestByTime()
            const first = plain.toSorted((a, b) => a.t - b.t || a.id - b.id)[0]
            expect(pool.idLow(oldest)).toBe(first?.id)
            held.drop(oldest)
            plain = plain.filter((each) => each !== first)
          }
          if (evict && plain.length > 0) {
            expect(held.oldestArrival()).toBe(plain[0]?.id)
            held.dropOldestArrival(() => {})
            plain.shift()
          }
          const times = plain.map(({ t }) => t).toSorted((a, b) => a - b)
          expect(Array.from({ length: held.length }, (_, at) => held.t(at))).toEqual(times)
          expect(tally.held).toBe(plain.length)
          if (plain.length > 0) expect(held.sum(0, plain.length - 1)).toBe(times.reduce((sum, t) => sum + t + 1, 0))
          expect(held.distinct).toBe(new Set(times).size)
        }
        held.clear()
        expect([pool.live, tally.held]).toEqual([0, 0])
      }),
      { numRuns: 150 },
    )
  })
})
