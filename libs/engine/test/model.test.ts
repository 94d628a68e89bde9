/** The model itself, held against the vectors of detection.md §3 and against the declarative reading of §2. */
import type { AuditEvent } from '@tocsin/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closed, eventsOf, reordered, shuffledAtOnce } from './allowed-orders.ts'
import { type FinalAlert, finalAlerts, isDeclared } from './declarative.ts'
import { tenant } from './harness.ts'
import { Model } from './model.ts'
import { businessHours, instantOf, nightAt } from './model-nights.ts'
import { MODEL_PATTERNS } from './model-patterns.ts'
import type { ModelAlert, ModelChange, ModelRecord } from './model-types.ts'
import { runs } from './runs.ts'
import { makeEvent, ORGANIZATIONS, type Stream, streams } from './streams.ts'

const ZERO = Date.parse('2026-07-01T12:00:00Z')
const DAY0 = Date.parse('2026-07-01T00:00:00Z')
const at = (text: string): number => {
  const [minutes = 0, seconds = 0] = text.split(':').map(Number)
  return ZERO + minutes * 60_000 + seconds * 1000
}

let next = 0
const failure = (t: number, more: Partial<AuditEvent> = {}): AuditEvent => {
  next += 1
  return makeEvent({
    id: `f${next}`,
    t,
    category: 'authentication',
    operation: 'login',
    outcome: 'failure',
    principalId: 'u1',
    ...more,
  })
}
const arriving = (event: AuditEvent, appendTime = Date.parse(event.timestamp)): ModelRecord => ({
  kind: 'event',
  appendTime,
  event,
})
const tick = (appendTime: number): ModelRecord => ({ kind: 'tick', appendTime })
const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i))

/** The rules in force, as the model knows them: by name. */
const rules = (appendTime: number): ModelRecord[] =>
  MODEL_PATTERNS.map(({ ruleId }) => {
    const rule = { ruleId, organizationId: null, version: 1, hash: '', state: 'active' as const, content: '' }
    return { kind: 'control', appendTime, control: { kind: 'rule', rule } }
  })

function run(records: readonly ModelRecord[]): { changes: ModelChange[][]; alerts: ModelAlert[] } {
  const model = new Model(DAY0)
  for (const rule of rules(0)) model.process(rule)
  return { changes: records.map((record) => model.process(record)), alerts: model.alerts }
}

const counts = (records: readonly ModelRecord[]): number[] => run(records).alerts.map(({ figures }) => figures.count)

describe('the vectors of detection.md', () => {
  it('20 failures in a minute: one alert, opened by the 5th, final count 20', () => {
    const { alerts, changes } = run(times(20, (i) => arriving(failure(ZERO + i * 3000))))
    expect(alerts.map(({ figures }) => figures.count)).toEqual([20])
    expect(changes.findIndex((each) => each.length > 0)).toBe(4)
  })
  it('2 + 2 failures in two organizations: none', () => {
    expect(counts(times(4, (i) => arriving(failure(ZERO + i, { organizationId: ORGANIZATIONS[i % 2] ?? '' }))))).toEqual([])
  })
  it('8 by u1, 8 by u2: one each', () => {
    expect(counts(times(16, (i) => arriving(failure(ZERO + i, { principalId: i < 8 ? 'u1' : 'u2' }))))).toEqual([8, 8])
  })
  it('20 of an hour ago: one, backfilled', () => {
    const { alerts } = run([
      tick(ZERO),
      ...times(20, (i) => arriving(failure(ZERO - 3_600_000 - ((i * 7) % 20) * 1000), ZERO + i)),
    ])
    expect(alerts.map(({ figures }) => [figures.count, figures.backfilled])).toEqual([[20, true]])
  })
  it('4 stamped a day ahead: none', () => {
    expect(counts([tick(ZERO), ...times(4, () => arriving(failure(ZERO + 86_400_000), ZERO))])).toEqual([])
  })
  it('5 at 0:00, 5 at 14:59, 5 at 30:00: counts 10 and 5', () => {
    expect(counts(['0:00', '14:59', '30:00'].flatMap((text) => times(5, () => arriving(failure(at(text))))))).toEqual([10, 5])
  })
  it('5 at 0:00, 5 at 15:00: one', () => {
    expect(counts(['0:00', '15:00'].flatMap((text) => times(5, () => arriving(failure(at(text))))))).toEqual([10])
  })
  it('5 at 0:00, then one every 4 min from 6:00: count 5, closed at the first record after 30:00', () => {
    const { alerts, changes } = run([
      ...times(5, () => arriving(failure(at('0:00')))),
      ...times(7, (i) => arriving(failure(at(`${6 + 4 * i}:00`)))),
      tick(at('30:00')),
      tick(at('30:00') + 1),
    ])
    expect(alerts.map(({ figures }) => figures.count)).toEqual([5])
    expect(changes.flatMap((each, i) => each.filter(({ type }) => type === 'alert.closed').map(() => i))).toEqual([13])
  })
  it('5 at 0:00, 1 at 5:00, 5 stamped 14:59 that arrive at 28:59: one, count 11', () => {
    expect(
      counts([
        ...times(5, () => arriving(failure(at('0:00')))),
        arriving(failure(at('5:00'))),
        ...times(5, () => arriving(failure(at('14:59')), at('28:59'))),
      ]),
    ).toEqual([11])
  })
  it('4:00, 3:00, 2:00, 1:00, 0:00 in that order: opened by the last, window to 4:00', () => {
    const { alerts } = run([4, 3, 2, 1, 0].map((minute) => arriving(failure(at(`${minute}:00`)), at('4:00'))))
    expect(alerts.map(({ identity, figures }) => [identity[4], figures.windowTo])).toEqual([[at('0:00'), at('4:00')]])
  })
  it('one failure delivered six times: none', () => {
    const event = failure(ZERO)
    expect(counts(times(6, (i) => arriving(event, ZERO + i)))).toEqual([])
  })
  it('4 anonymous failures from 4 addresses: none', () => {
    expect(
      counts(times(4, (i) => arriving(failure(ZERO + i, { principalId: ' ', sessionContext: { ipAddress: `10.0.0.${i}` } })))),
    ).toEqual([])
  })
  it('6 denials: one, CRITICAL, opened by the 3rd', () => {
    const { alerts, changes } = run(
      times(6, (i) => arriving(failure(ZERO + i, { category: 'authorization', outcome: 'denied' }))),
    )
    expect(alerts.map(({ figures }) => [figures.severity, figures.count])).toEqual([['CRITICAL', 6]])
    expect(changes.findIndex((each) => each.length > 0)).toBe(2)
  })
  it('60 logins that carry a targetResourceType: none', () => {
    expect(counts(times(60, (i) => arriving(failure(ZERO + i, { outcome: 'success', targetResourceType: 'Patient' }))))).toEqual(
      [],
    )
  })
  it('an off-hours read, then 4 logouts: one LOW', () => {
    const night = DAY0 + 20 * 3_600_000
    const read = failure(night, { category: 'data', operation: 'read', outcome: 'success' })
    const logouts = times(4, (i) => arriving(failure(night + i, { operation: 'logout', outcome: 'success' })))
    expect(run([arriving(read), ...logouts]).alerts.map(({ figures }) => figures.severity)).toEqual(['LOW'])
  })
  it('the 5th exactly 5 min after the first: none', () => {
    expect(counts(['0:00', '1:00', '2:00', '3:00', '5:00'].map((text) => arriving(failure(at(text)))))).toEqual([])
  })
})

describe('the nights of the model', () => {
  it('begin and end by the local calendar, across weekends and summer time', () => {
    const hours = businessHours({ zone: 'America/New_York' }, Date.parse('2026-03-08T00:00:00Z'))
    expect(nightAt(hours, Date.parse('2026-03-07T12:00:00Z'))).toEqual({
      begin: Date.parse('2026-03-06T23:00:00Z'),
      end: Date.parse('2026-03-09T12:00:00Z'),
    })
    expect(nightAt(hours, Date.parse('2026-03-09T12:00:00Z'))).toBeUndefined()
  })
  it('take the first instant after a gap and the earlier of two', () => {
    expect(instantOf('Europe/Berlin', Date.parse('2026-03-29T02:30:00Z'))).toBe(Date.parse('2026-03-29T01:00:00Z'))
    expect(instantOf('Europe/Berlin', Date.parse('2026-10-25T02:30:00Z'))).toBe(Date.parse('2026-10-25T00:30:00Z'))
    expect(instantOf('Asia/Kathmandu', Date.parse('2026-10-25T08:00:00Z'))).toBe(Date.parse('2026-10-25T02:15:00Z'))
  })
  it('are cut every 168 h', () => {
    const holidays = times(14, (i) => new Date(Date.parse('2026-03-02') + i * 86_400_000).toISOString().slice(0, 10))
    const hours = businessHours({ holidays }, Date.parse('2026-03-08T00:00:00Z'))
    const begin = Date.parse('2026-02-27T18:00:00Z') + 2 * 168 * 3_600_000
    expect(nightAt(hours, begin)).toEqual({ begin, end: Date.parse('2026-03-16T08:00:00Z') })
  })
})

describe('the final alerts of the model', () => {
  const finalOf = ({ settings, day0, records }: Stream): FinalAlert[] => {
    const model = new Model(day0)
    for (const rule of rules(0)) model.process(rule)
    for (const [organizationId, of] of settings) {
      model.process({
        kind: 'control',
        appendTime: 0,
        control: { kind: 'organization', organization: tenant(organizationId, of) },
      })
    }
    for (const record of records) model.process(record)
    return model.alerts
      .filter((alert) => alert.mergedInto === undefined && isDeclared(alert.identity[1]))
      .map(({ identity: [organizationId, ruleId, group], figures: { severity, count, peak, firstSeen, lastSeen, windowTo } }) => {
        return { organizationId, ruleId, group, severity, count, peak, firstSeen, lastSeen, windowTo }
      })
  }
  const inOrder = (alerts: readonly FinalAlert[]): string[] => alerts.map((alert) => JSON.stringify(alert)).sort()
  const same = (stream: Stream): void => {
    expect(inOrder(finalOf(stream))).toEqual(inOrder(finalAlerts(eventsOf(stream), stream.settings, stream.day0)))
  }

  it('are those of the sorted events for every allowed order', () => {
    const delays = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(streams(40), delays, (stream, shifts) => same(closed(reordered(stream, shifts)))),
      runs(150),
    )
  })
  it('are those of the sorted events for a backfill in any order', () => {
    fc.assert(
      fc.property(streams(30), fc.infiniteStream(fc.nat()), (stream, keys) => same(closed(shuffledAtOnce(stream, keys)))),
      runs(100),
    )
  })
})
