import type { AuditEvent } from '@tocsin/contracts'
import { describe, expect, it } from 'vitest'
import { parsedEvent } from '../event/parsed-event.ts'
import { PartitionEngine } from '../partition-engine.ts'
import { compileRule } from '../rules/rule.ts'
import { anEvent, at, ruleRecord, Stream } from '../test-stream.ts'
import { isoTime } from '../time.ts'

/** One or more detections by action, then a correlation of them: 5 min, lateness 15 min, cooldown 5 min. */
const rule = (correlation: string, extension = ''): string =>
  [
    ...['backup', 'alarm'].map(
      (action) =>
        `title: ${action}\nname: ${action}\nlogsource: { product: tocsin }\ndetection: { s: { action: ${action} }, condition: s }\n`,
    ),
    `title: Settled\nlevel: medium\ncorrelation:\n  group-by: principalId\n  timespan: 5m\n${correlation
      .trim()
      .replace(/^/gm, '  ')}\n${extension === '' ? '' : `x-tocsin:\n${extension.trim().replace(/^/gm, '  ')}\n`}`,
  ].join('---\n')

const act = (action: string, time: string, fields: Partial<AuditEvent> = {}): AuditEvent =>
  anEvent({ action, t: at(time), principalId: 'u1', ...fields })

const FEWER = 'type: event_count\nrules: [backup]\ncondition: { lt: 2 }'
const stream = (correlation: string, extension = ''): Stream => new Stream([ruleRecord('r', rule(correlation, extension))])

describe('a settled condition', () => {
  it('is decided by the first record more than the lateness past the time', () => {
    const events = stream(FEWER)
    events.event(act('backup', '0:00', { id: 'first', correlationId: 'c1' }))
    expect(events.tick(at('15:00'))).toEqual([])
    const [change] = events.tick(at('15:00', 1))
    expect(change).toMatchObject({
      type: 'alert.created',
      alert: {
        count: 1,
        peak: 1,
        window: { threshold: 2, value: 1, from: isoTime(at('-5:00')), to: isoTime(at('0:00')) },
        firstSeen: isoTime(at('0:00')),
        lastSeen: isoTime(at('0:00')),
        createdAt: isoTime(at('15:00', 1)),
        correlationId: 'c1',
        evidence: [{ id: 'first' }],
      },
    })
  })

  it('waits for the lateness past the last arrival in its window', () => {
    const events = stream(FEWER)
    events.event(act('backup', '0:00'))
    events.event(act('backup', '-1:00'), at('14:00'))
    // -1:00 came at 14:00, and lies in the window at 0:00; both are decided together, the former as true.
    expect(events.tick(at('29:00'))).toEqual([])
    events.tick(at('29:00', 1))
    expect(events.alerts()).toMatchObject([{ count: 1, lastSeen: isoTime(at('-1:00')) }])
  })

  it('waits for the lateness past a time that lay ahead when it came', () => {
    const events = stream(FEWER)
    events.event(act('backup', '4:00'), at('0:00'))
    expect(events.tick(at('19:00'))).toEqual([])
    expect(events.tick(at('19:00', 1))).toMatchObject([{ type: 'alert.created' }])
  })

  it('opens one alert for moments that lie near, and one for each that lies apart', () => {
    const events = stream(FEWER)
    for (const time of ['0:00', '10:00', '20:01']) events.event(act('backup', time), at('20:01'))
    events.tick(at('60:00'))
    // Changes of one record lie by alert id, which says nothing of time.
    expect(events.alerts().toSorted((one, other) => one.firstSeen.localeCompare(other.firstSeen))).toMatchObject([
      { count: 2, firstSeen: isoTime(at('0:00')), lastSeen: isoTime(at('10:00')), createdAt: isoTime(at('60:00')) },
      { count: 1, firstSeen: isoTime(at('20:01')) },
    ])
    expect(events.changes.map(({ type }) => type)).toEqual(['alert.created', 'alert.created'])
    // What a record opens, the next one closes at the earliest.
    events.tick(at('60:00', 1))
    expect(events.changes.map(({ type }) => type)).toEqual(['alert.created', 'alert.created', 'alert.closed', 'alert.closed'])
  })

  it('counts what comes into a window already decided as too late, and does not decide it again', () => {
    const events = stream(FEWER)
    events.event(act('backup', '0:00'))
    events.tick(at('15:01'))
    events.event(act('backup', '-1:00'), at('15:02'))
    events.event(act('backup', '0:00'), at('15:03'))
    expect(events.engine.counters()).toMatchObject({ tooLate: 2, late: 2, counted: 3 })
    events.tick(at('40:00'))
    expect(events.alerts()).toMatchObject([{ count: 3, lastSeen: isoTime(at('0:00')), peak: 1 }])
  })

  it('loses nothing to a log that jumps in time', () => {
    const events = stream(FEWER)
    events.event(act('backup', '0:00'))
    events.tick(at('600:00'))
    expect(events.alerts()).toHaveLength(1)
  })

  it.each([
    ['lte: 1', ['0:00', '60:00']],
    ['eq: 3', ['6:30']],
    ['neq: 3', ['1:00', '60:00']],
    ['gte: 2\n  lt: 3', ['1:00']],
    ['gt: 1\n  lte: 2', ['1:00']],
    ['lt: 1', []],
  ])('compares by %s', (condition, lastSeen) => {
    const events = stream(`type: event_count\nrules: [backup]\ncondition:\n  ${condition}`, 'cooldown: 0s')
    // Windows of 1, 2, 3, 3, 3 and 1 events.
    for (const time of ['0:00', '1:00', '2:00', '5:30', '6:30', '60:00']) events.event(act('backup', time))
    events.tick(at('80:00'))
    expect(events.alerts().map((alert) => alert.lastSeen)).toEqual(lastSeen.map((time) => isoTime(at(time))))
  })

  it('counts different values and rules that are missing', () => {
    const values = stream('type: value_count\nrules: [backup]\ncondition: { lt: 2, field: targetResourceId }')
    for (const [time, target] of [
      ['0:00', 'a'],
      ['1:00', 'a'],
      ['2:00', 'b'],
    ] as const)
      values.event(act('backup', time, { targetResourceId: target }))
    values.tick(at('30:00'))
    expect(values.alerts()).toMatchObject([{ count: 2, lastSeen: isoTime(at('1:00')), peak: 1 }])
  })

  it('with not looks ahead: an alarm that no backup follows', () => {
    const events = stream('type: temporal\nrules: [backup, alarm]\ncondition: alarm and not backup')
    events.event(act('alarm', '0:00'))
    events.event(act('backup', '5:00'))
    expect(events.tick(at('20:00'))).toEqual([])
    events.tick(at('20:00', 1))
    expect(events.alerts()).toMatchObject([
      {
        count: 1,
        window: { from: isoTime(at('0:00')), to: isoTime(at('5:00')), value: 1, threshold: 2 },
        metadata: { rules: ['alarm'] },
      },
    ])
    const followed = stream('type: temporal\nrules: [backup, alarm]\ncondition: alarm and not backup')
    followed.event(act('alarm', '0:00'))
    followed.event(act('backup', '4:59'))
    followed.tick(at('60:00'))
    expect(followed.changes).toEqual([])
  })

  it('escalates by an event of the moment', () => {
    const events = stream(FEWER, 'escalate: { level: critical, selection: alarm }')
    events.event(act('alarm', '0:00'))
    events.event(act('backup', '0:00'))
    events.tick(at('16:00'))
    expect(events.alerts()).toMatchObject([{ severity: 'CRITICAL' }])
  })

  it('keeps its windows and what was decided when only the limit changes', () => {
    const events = stream(FEWER)
    events.event(act('backup', '0:00'))
    events.event(act('backup', '0:30'))
    events.event(act('backup', '14:00'))
    events.tick(at('16:00'))
    expect(events.alerts()).toMatchObject([{ count: 1 }])
    events.rule(ruleRecord('r', rule(FEWER.replace('lt: 2', 'lt: 1')), { version: 2 }), at('16:01'))
    events.tick(at('40:00'))
    // The open alert keeps its version; 14:00 lies 14 min after F and opens under it as well.
    expect(events.alerts().map(({ rule: { version } }) => version)).toEqual([1, 1])
  })

  it('goes on from a snapshot as if nothing had been', () => {
    const events = stream(FEWER)
    events.event(act('backup', '0:00', { id: 'x' }))
    events.event(act('backup', '1:00'))
    events.tick(at('15:30'))
    const { engine } = events
    const chunks = []
    const writer = engine.beginSnapshot()
    for (let chunk = writer.next(100_000); chunk !== null; chunk = writer.next(100_000)) chunks.push(chunk)
    const restored = PartitionEngine.restore(chunks, { topic: 'audit.events', partition: 3, compile: compileRule })
    for (const [nth, [time, came]] of [
      ['0:00', '16:00'],
      ['1:00', '16:30'],
      ['17:00', '17:00'],
      ['17:00', '60:00'],
    ].entries()) {
      const event = parsedEvent(act('backup', time as string))
      const record = { kind: 'event', appendTime: at(came as string), offset: BigInt(100 + nth), event } as const
      expect(restored.process(record)).toEqual(engine.process(record))
    }
    expect(restored.counters()).toEqual(engine.counters())
    expect(engine.counters().tooLate).toBe(1)
  })
})

describe('a sum of any numbers', () => {
  const SUM = 'type: value_sum\nrules: [backup]\ncondition: { field: price, gte: 0.6 }'
  const paid = (price: unknown, time: string, fields: Partial<AuditEvent> = {}): AuditEvent =>
    act('backup', time, { ...fields, details: { price } })

  it('keeps fractions and adds them up in order of time and id', () => {
    const events = stream(SUM.replace('gte: 0.6', 'gt: 0.6'))
    // 0.3 + 0.2 + 0.1 is 0.6, but 0.1 + 0.2 + 0.3 is more.
    events.event(paid(0.3, '0:00'))
    events.event(paid('0.2', '0:01'))
    events.event(paid(0.1, '0:02'))
    expect(events.changes).toEqual([])
    const other = stream(SUM.replace('gte: 0.6', 'gt: 0.6'))
    other.event(paid(0.3, '0:00', { id: 'c' }))
    other.event(paid(0.2, '0:00', { id: 'b' }))
    other.event(paid(0.1, '0:00', { id: 'a' }))
    expect(other.alerts()).toMatchObject([{ count: 3, peak: 0.6000000000000001, window: { threshold: 0.6 } }])
  })

  it('takes no number below 0 where more events can only add to it', () => {
    const events = stream(SUM)
    events.event(paid(-5, '0:00'))
    events.event(paid('much', '0:01'))
    events.event(paid(0.6, '0:02'))
    expect(events.engine.counters().notNumeric).toBe(2)
    expect(events.alerts()).toMatchObject([{ count: 3, peak: 0.6 }])
  })

  it('takes numbers below 0 where it is settled', () => {
    const events = stream(SUM.replace('gte: 0.6', 'lt: -1'))
    events.event(paid(2.5, '0:00'))
    events.event(paid(-4, '1:00'))
    events.tick(at('30:00'))
    expect(events.alerts()).toMatchObject([{ count: 2, peak: -1.5, window: { value: -1.5 }, lastSeen: isoTime(at('1:00')) }])
  })
})
