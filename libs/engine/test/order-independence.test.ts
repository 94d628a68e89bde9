import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closed, eventsOf, reordered, shuffledAtOnce } from './allowed-orders.ts'
import { type FinalAlert, finalAlerts, isDeclared } from './declarative.ts'
import { runEngine } from './harness.ts'
import { runs } from './runs.ts'
import { type Stream, streams } from './streams.ts'

function finalOf(stream: Stream): FinalAlert[] {
  const last = new Map<string, FinalAlert>()
  for (const { alert } of runEngine(stream).flat()) {
    last.delete(alert.id)
    if (alert.metadata['mergedInto'] !== undefined || !isDeclared(alert.rule.id)) continue
    last.set(alert.id, {
      organizationId: alert.organizationId,
      ruleId: alert.rule.id,
      group: alert.group,
      severity: alert.severity,
      count: alert.count,
      peak: alert.peak,
      firstSeen: Date.parse(alert.firstSeen),
      lastSeen: Date.parse(alert.lastSeen),
      windowTo: Date.parse(alert.window.to),
    })
  }
  return [...last.values()]
}

const inOrder = (alerts: readonly FinalAlert[]): string[] => alerts.map((alert) => JSON.stringify(alert)).sort()

function same(stream: Stream): void {
  expect(inOrder(finalOf(stream))).toEqual(inOrder(finalAlerts(eventsOf(stream), stream.settings, stream.day0)))
}

describe('the order of arrival', () => {
  it('does not change the final alerts while it stays within the lateness', () => {
    const delays = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(streams(40), delays, (stream, shifts) => same(closed(reordered(stream, shifts)))),
      runs(250),
    )
  })

  it('does not matter at all for a backfill that arrives at once', () => {
    fc.assert(
      fc.property(streams(30), fc.infiniteStream(fc.nat()), (stream, keys) => same(closed(shuffledAtOnce(stream, keys)))),
      runs(150),
    )
  })
})
