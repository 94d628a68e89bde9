import { PartitionEngine } from '@tocsin/engine'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closed, reordered, shuffledAtOnce } from './allowed-orders.ts'
import { patternOf } from './correlation-rules.ts'
import { changingCorrelationStreams, correlationStreams, correlations } from './correlation-streams.ts'
import { drain, ENGINE_OPTIONS, engineRecords, expectAgreement, newEngine, runEngine, runModel } from './harness.ts'
import { runs } from './runs.ts'
import { limited, type Stream } from './streams.ts'

describe('the engine and the brute-force model, for any correlation', () => {
  it('emit the same changes after every record of short streams', () => {
    fc.assert(fc.property(correlationStreams(14), expectAgreement), runs(300))
  })

  it('emit the same changes after every record of long streams', () => {
    fc.assert(fc.property(correlationStreams(50), expectAgreement), runs(100))
  })
})

describe('the engine and the model, while a correlation changes', () => {
  it('emit the same changes after every record', () => {
    fc.assert(fc.property(changingCorrelationStreams(40), expectAgreement), runs(200))
  })
})

describe('the engine and the model, with any correlation and little room', () => {
  it('let the same events and groups go', () => {
    const little = limited(correlationStreams(40), ['eventsPerGroup', 'eventsPerOrganization', 'groupsPerOrganization'])
    fc.assert(fc.property(little, expectAgreement), runs(100))
  })
})

describe('an engine with any correlation, restored', () => {
  it('goes on exactly as the undisturbed one, wherever it was cut', () => {
    const cut = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(correlationStreams(40), cut, (stream, where) => {
        const records = engineRecords(stream)
        const at = Math.floor(where * records.length)
        const undisturbed = newEngine()
        for (const record of records.slice(0, at)) undisturbed.process(record)
        const restored = PartitionEngine.restore(structuredClone(drain(undisturbed.beginSnapshot(), 1000)), ENGINE_OPTIONS)
        for (const record of records.slice(at))
          expect(JSON.stringify(restored.process(record))).toBe(JSON.stringify(undisturbed.process(record)))
        expect(restored.counters()).toEqual(undisturbed.counters())
      }),
      runs(100),
    )
  })
})

describe('the order of arrival, for any correlation', () => {
  // With less cooldown than lateness, an event may be let go (R) before a settled window that holds it is decided (docs/detection.md, D48).
  const patient = correlations.filter((rule) => patternOf('', rule).settled === undefined || rule.cooldownS >= rule.latenessS)
  const same = (stream: Stream): void => {
    expect(finalOfEngine(closed(stream))).toEqual(finalOfModel(closed(reordered(stream, [0]))))
  }

  it('does not change the final alerts while it stays within the lateness', () => {
    const delays = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(correlationStreams(30, patient), delays, (stream, shifts) => same(reordered(stream, shifts))),
      runs(100),
    )
  })

  it('does not matter at all for a backfill that arrives at once', () => {
    fc.assert(
      fc.property(correlationStreams(20), fc.infiniteStream(fc.nat()), (stream, keys) => same(shuffledAtOnce(stream, keys))),
      runs(100),
    )
  })
})

/** The last figures of every alert that was joined with no other. */
function finalOfEngine(stream: Stream): string[] {
  const last = new Map<string, string>()
  for (const { alert } of runEngine(stream).flat()) {
    const { group, severity, count, peak, firstSeen, lastSeen, window } = alert
    const times = [firstSeen, lastSeen, window.from, window.to].map((time) => Date.parse(time))
    if (alert.metadata['mergedInto'] !== undefined) last.delete(alert.id)
    else last.set(alert.id, JSON.stringify([alert.organizationId, group, severity, count, peak, times, window.value]))
  }
  return [...last.values()].sort()
}

function finalOfModel(stream: Stream): string[] {
  const last = new Map<unknown, string>()
  for (const { alert, figures } of runModel(stream).changes.flat()) {
    const [organizationId, , group] = alert.identity
    const { severity, count, peak, firstSeen, lastSeen, windowFrom, windowTo, windowValue } = figures
    const times = [firstSeen, lastSeen, windowFrom, windowTo]
    if (alert.mergedInto !== undefined) last.delete(alert)
    else last.set(alert, JSON.stringify([organizationId, group, severity, count, peak, times, windowValue]))
  }
  return [...last.values()].sort()
}
