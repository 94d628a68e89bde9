import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type EvidenceLists, offer, releaseAll, renderEvidence } from '../alerts/evidence.ts'
import { parsedEvent } from '../event/parsed-event.ts'
import { anEvent, NOON } from '../test-stream.ts'
import { EvidencePool, NO_EVIDENCE } from './evidence-pool.ts'
import { dropEvidence, evidenceOfRow, keepEvidence, looseEvidence, unlinkEvidence } from './loose-evidence.ts'

const text = fc.oneof(
  fc.string({ minLength: 1, maxLength: 140 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 140 }),
  fc.constantFrom('a', 'u1', '10.0.0.1', '"', '\\', '\u0001', 'é', '\u{1f600}'.repeat(70)),
)
const event = fc
  .record(
    {
      id: text,
      action: text,
      principalId: text,
      targetResourceType: text,
      targetResourceId: text,
      sessionContext: fc.record({ ipAddress: text, sessionId: text }, { requiredKeys: [] }),
      recordCount: fc.nat(),
    },
    { requiredKeys: ['id', 'action'] },
  )
  .map((fields) => parsedEvent(anEvent(fields)))

const cut = (whole: string): string => (/[\ud800-\udbff]$/.test(whole.slice(0, 128)) ? whole.slice(0, 127) : whole.slice(0, 128))

describe('evidence in the pool', () => {
  it('comes back as it was, cut at 128 characters, in at most 300 bytes', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 20 }), (events) => {
        const pool = new EvidencePool()
        const slots = events.map((each, row) => pool.add(each, NOON + row, row, BigInt(row)))
        for (const [row, each] of events.entries()) {
          const read = pool.read(slots[row] as number)
          const whole = cut(each.id)
          const type = each.text('targetResourceType')
          const targetId = each.text('targetResourceId')
          const target = cut(type !== undefined && targetId !== undefined ? `${type}/${targetId}` : (targetId ?? type ?? ''))
          const ip = cut(each.text('ipAddress') ?? '')
          const subject = cut(each.text('principalId') ?? each.text('ipAddress') ?? each.text('sessionId') ?? '')
          const action = cut(each.text('action') ?? '')
          const size = [whole, action, subject, target, ip].reduce(
            (sum, one) => sum + Buffer.byteLength(JSON.stringify(one)) - 2,
            0,
          )
          expect(read).toMatchObject({ t: NOON + row, offset: String(row), recordCount: each.number('recordCount') ?? null })
          expect([read.outcome, read.classification]).toEqual(['success', 'INTERNAL'])
          const texts = [read.id, read.action, read.subject ?? '', read.target ?? '', read.ip ?? '']
          if (size <= 250) expect(texts).toEqual([whole, action, subject, target, ip].map((one) => one.toWellFormed()))
          expect(texts.reduce((sum, one) => sum + Buffer.byteLength(one), 0)).toBeLessThanOrEqual(250)
          const copy = pool.copy(slots[row] as number)
          expect(pool.read(copy)).toEqual(read)
          pool.release(copy)
        }
        for (const slot of slots) pool.release(slot)
        expect(pool.live).toBe(0)
      }),
      { numRuns: 200 },
    )
  })

  it('of events in no alert is the newest of them in order of time and id, whatever comes and goes', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ t: fc.nat(6), id: fc.constantFrom('a', 'b', 'é', '\uffff', '\u{1f600}') }) },
      { weight: 1, arbitrary: fc.record({ drop: fc.nat(5) }) },
      { weight: 1, arbitrary: fc.record({ take: fc.nat(5) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const pool = new EvidencePool()
        let newest = NO_EVIDENCE
        let plain: { t: number; id: string; row: number }[] = []
        for (const [row, each] of steps.entries()) {
          if ('t' in each) {
            const t = NOON + each.t
            newest = keepEvidence(pool, newest, pool.add(parsedEvent(anEvent({ id: each.id })), t, row, BigInt(row)), 4)
            plain.push({ t, id: each.id, row })
            plain.sort((a, b) => a.t - b.t || (a.id < b.id ? -1 : a.id > b.id ? 1 : a.row - b.row))
            plain = plain.slice(-4)
          } else {
            const gone = plain['drop' in each ? each.drop : each.take]
            if (gone === undefined) continue
            plain = plain.filter((one) => one !== gone)
            const slot = evidenceOfRow(pool, newest, gone.row, gone.t)
            expect(pool.row(slot)).toBe(gone.row)
            if ('drop' in each) newest = dropEvidence(pool, newest, slot)
            else {
              newest = unlinkEvidence(pool, newest, slot)
              pool.release(slot)
            }
            expect(evidenceOfRow(pool, newest, gone.row, gone.t)).toBe(NO_EVIDENCE)
          }
          expect(looseEvidence(pool, newest).map((slot) => pool.row(slot))).toEqual(plain.map((one) => one.row))
          expect(pool.live).toBe(plain.length)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('of events in no alert is complete also where a thousand wait, as under a condition that is settled late', () => {
    const MOST = 1_000
    const pool = new EvidencePool()
    let newest = NO_EVIDENCE
    const plain: number[] = []
    for (let row = 0; row < 1_300; row++) {
      // Each tenth comes before the nine that came last.
      const t = row % 10 === 9 ? row - 9.5 : row
      newest = keepEvidence(pool, newest, pool.add(parsedEvent(anEvent({ id: 'a' })), NOON + t, row, BigInt(row)), MOST)
      plain.splice(row % 10 === 9 ? plain.length - 9 : plain.length, 0, row)
      if (plain.length > MOST) plain.shift()
      if (row % 50 === 0) expect(looseEvidence(pool, newest).map((slot) => pool.row(slot))).toEqual(plain)
    }
    while (newest !== NO_EVIDENCE) {
      const place = plain.length >> 1
      newest = dropEvidence(pool, newest, looseEvidence(pool, newest)[place] as number)
      plain.splice(place, 1)
      if (plain.length % 50 === 0) expect(looseEvidence(pool, newest).map((slot) => pool.row(slot))).toEqual(plain)
    }
    expect(plain).toEqual([])
    expect(pool.live).toBe(0)
  })

  it('of an alert is its first and its newest events, each once, and nothing is left of the others', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { maxLength: 80 }), fc.integer({ min: 1, max: 25 }), (times, firstKept) => {
        const pool = new EvidencePool()
        const lists: EvidenceLists = { first: [], newest: [] }
        for (const [row, t] of times.entries())
          offer(pool, lists, pool.add(parsedEvent(anEvent({ id: 'x' })), NOON + t, row, BigInt(row)), firstKept)
        const sorted = times.map((t, row) => ({ t, row })).sort((a, b) => a.t - b.t || a.row - b.row)
        const shown = sorted.filter((_one, place) => place < firstKept || place >= sorted.length - 25)
        expect(renderEvidence(pool, lists, 'topic', 0).map(({ offset }) => Number(offset))).toEqual(shown.map(({ row }) => row))
        expect(pool.live).toBe(shown.length)
        releaseAll(pool, lists)
        expect(pool.live).toBe(0)
      }),
      { numRuns: 200 },
    )
  })
})
