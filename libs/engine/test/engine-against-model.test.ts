import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changingStreams } from './changing-streams.ts'
import { denseStreams } from './dense-streams.ts'
import { engineRecords, expectAgreement, newEngine, runEngine } from './harness.ts'
import { runs } from './runs.ts'
import { streams } from './streams.ts'

describe('the engine and the brute-force model', () => {
  it('emit the same changes after every record of short streams', () => {
    fc.assert(fc.property(streams(16), expectAgreement), runs(600))
  })

  it('emit the same changes after every record of long streams', () => {
    fc.assert(fc.property(streams(90), expectAgreement), runs(150))
  })
})

describe('the engine and the model, in dense groups', () => {
  it('emit the same changes after every record', () => {
    fc.assert(fc.property(denseStreams(180), expectAgreement), runs(60))
  })
})

describe('the engine and the model, while settings and rules change', () => {
  it('emit the same changes after every record', () => {
    fc.assert(fc.property(changingStreams(40), expectAgreement), runs(200))
  })
})

describe('the same log', () => {
  it('gives the same changes, byte for byte', () => {
    fc.assert(
      fc.property(streams(40), (stream) => {
        const [first, second] = [newEngine(), newEngine()]
        for (const record of engineRecords(stream)) {
          expect(JSON.stringify(first.process(record))).toBe(JSON.stringify(second.process(record)))
        }
      }),
      runs(60),
    )
  })

  it('gives figures that say what they are: numbers by revision, closed for good', () => {
    fc.assert(
      fc.property(streams(60), (stream) => {
        const revisions = new Map<string, number>()
        const closed = new Set<string>()
        for (const { type, alert } of runEngine(stream).flat()) {
          if (type === 'alert.created' && closed.delete(alert.id)) revisions.delete(alert.id)
          expect(closed.has(alert.id)).toBe(false)
          expect(alert.revision).toBe((revisions.get(alert.id) ?? 0) + 1)
          expect(type === 'alert.created').toBe(alert.revision === 1)
          expect(alert.open).toBe(type !== 'alert.closed')
          expect(alert.firstSeen <= alert.lastSeen).toBe(true)
          expect(alert.evidence.length).toBeLessThanOrEqual(Math.min(alert.count, 50))
          revisions.set(alert.id, alert.revision)
          if (type === 'alert.closed') closed.add(alert.id)
        }
      }),
      runs(60),
    )
  })
})
