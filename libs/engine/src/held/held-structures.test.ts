import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventPool, NO_ROW, ROW_FLAGS } from './event-pool.ts'
import { hashText } from './hash.ts'
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
        const idOf = (name: number): { low: number; high: number } => ({ low: ((name % 5) * 2 ** 26) >>> 0, high: name })
        for (const [name, adds] of all) {
          const slot = held.get(name)
          if (adds && slot === undefined) {
            const added = pool.add({ t: 0, arrival: 0, value: 0, id: idOf(name), contentHash: 0, flags: 0 }, false)
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
          expect(pool.live).toBeLessThanOrEqual(2 * plain.length + 1)
          for (let low = 0; low <= id; low++)
            expect(held.find({ low, high: 0 }) !== NO_ROW).toBe(plain.some((each) => each.id === low))
          if (plain.length > 0) expect(held.sum(0, plain.length - 1)).toBe(times.reduce((sum, t) => sum + t + 1, 0))
          expect(held.distinct).toBe(new Set(times).size)
        }
        held.clear(() => {})
        expect([pool.live, tally.held]).toEqual([0, 0])
      }),
      { numRuns: 150 },
    )
  })
})

describe('memory of held events', () => {
  const FULL = 100_000
  const START = Date.UTC(2026, 0, 1)
  /** Bytes an event in so many full groups; `timeOf` gives the event time of the one that comes as number `index`. */
  function bytesPerEvent(groups: number, timeOf: (index: number) => number): number {
    const pool = new EventPool()
    const all = Array.from({ length: groups }, () => new HeldEvents(pool, { sums: false, distinct: false }, { held: 0 }))
    const id = { low: 0, high: 0 }
    for (let index = 0; index < FULL; index++) {
      for (const [group, held] of all.entries()) {
        hashText(`${group}/${index}`, id)
        held.add({ t: timeOf(index), arrival: START + index * 9, value: index, id, contentHash: index, flags: 0 })
      }
    }
    return (pool.bytes + all.reduce((sum, held) => sum + held.bytes, 0)) / (groups * FULL)
  }

  it.each([1, 10])(
    'is at most 32 bytes an event in %i full groups whose events come in order',
    (groups) => {
      expect(bytesPerEvent(groups, (index) => START + index * 9)).toBeLessThanOrEqual(32)
    },
    60_000,
  )

  it('is at most 36.5 bytes an event where they come in another order', () => {
    expect(bytesPerEvent(1, (index) => START + (index ^ 63) * 9)).toBeLessThanOrEqual(36.5)
  }, 60_000)
})

describe('rows', () => {
  it('keep times of any distance, wide weights and capped arrivals exactly', () => {
    const time = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 })
    const value = fc.tuple(fc.boolean(), fc.maxSafeInteger().map(Math.abs))
    fc.assert(
      fc.property(fc.array(fc.tuple(time, time, time, value), { minLength: 1, maxLength: 400 }), (all) => {
        const pool = new EventPool()
        const rows = all.map(([t, arrival, cap, [isWide, most]], low) => {
          const value = isWide ? most : most % 2 ** 32
          const slot = pool.add({ t, arrival, value, id: { low, high: 1 }, contentHash: low, flags: ROW_FLAGS.late }, isWide)
          if (low % 3 === 0) pool.setArrival(slot, cap)
          return { slot, t, arrival: low % 3 === 0 ? cap : arrival, value, low }
        })
        for (const row of rows.filter((_, index) => index % 5 === 0)) pool.release(row.slot)
        for (const { slot, t, arrival, value, low } of rows.filter((_, index) => index % 5 !== 0)) {
          expect([pool.t(slot), pool.arrival(slot), pool.value(slot), pool.idLow(slot)]).toEqual([t, arrival, value, low])
          expect([pool.hasContent(slot, low), pool.has(slot, ROW_FLAGS.late), pool.has(slot, ROW_FLAGS.mark)]).toEqual([
            true,
            true,
            false,
          ])
        }
      }),
      { numRuns: 30 },
    )
  })
})

describe('a settled time', () => {
  it('is decided once, also where it waited for an event that has gone meanwhile', () => {
    const held = new HeldEvents(new EventPool(), { sums: false, distinct: false, isSettled: true }, { held: 0 })
    const add = (name: number, t: number, arrival: number) =>
      held.add(
        { t, arrival, value: 0, id: { low: name, high: 0 }, contentHash: 0, flags: 0 },
        { id: String(name), correlationId: null, weight: 0 },
      )
    const terms = { isAhead: false, latenessMs: 10, opens: (t: number) => t - 4, leaves: (t: number) => t + 5 }
    add(1, 100, 100)
    add(2, 100, 103)
    const late = add(3, 98, 110)
    // The first entry of 100 is due at 111 and then waits for the late one, until 121; the second is due at 114.
    expect(held.told.decideDue(112, terms)).toEqual([])
    held.drop(late)
    expect(held.told.decideDue(114, terms)).toEqual([100])
    expect(held.told.decideDue(121, terms)).toEqual([])
  })
})
