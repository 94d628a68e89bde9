import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { anEvent, at, failedLogin, NOON, ORG_A, ORG_B, ruleRecord, Stream } from './test-stream.ts'

const TEXT = readFileSync(new URL('../../../rules/failed-auth.yml', import.meta.url), 'utf8')
const RULE = ruleRecord('tocsin.failed-auth', TEXT)
const fail = (stream: Stream, times: number, time: string, who = 'u1'): void => {
  for (let n = 0; n < times; n++) stream.event(failedLogin(who, at(time, n)))
}
const lastTypes = (stream: Stream): string[] => stream.changes.map(({ type }) => type)

describe('control records', () => {
  it('let nothing stay of a deleted organization, and nothing change for another', () => {
    const own = { ...ruleRecord(RULE.ruleId, TEXT.replace('gte: 5', 'gte: 2')), organizationId: ORG_A }
    const stream = new Stream([RULE])
    stream.rule(own, at('0:00'))
    stream.settings(ORG_A, { alertCooldown: 1 }, at('0:00'), 7)
    for (let n = 0; n < 4; n++) {
      stream.event(failedLogin('u1', at('0:01', n), { organizationId: ORG_A }))
      stream.event(failedLogin('u1', at('0:01', n), { organizationId: ORG_B }))
    }
    expect(stream.alerts()).toMatchObject([{ organizationId: ORG_A, open: true }])
    expect(stream.deleted(ORG_A, at('0:02'))).toMatchObject([{ type: 'alert.closed', alert: { organizationId: ORG_A } }])
    expect(stream.engine.gauges()).toMatchObject({ organizations: 1, groups: 1, heldEvents: 4, openAlerts: 0 })
    expect(JSON.stringify(stream.engine.beginSnapshot().next(1))).not.toContain(ORG_A)
    stream.event(failedLogin('u1', at('0:03'), { organizationId: ORG_B }))
    expect(stream.alerts().at(-1)).toMatchObject({ organizationId: ORG_B, count: 5 })
  })

  it('take effect at exactly their offset, and a version not above the one in force is ignored', () => {
    const stream = new Stream()
    fail(stream, 5, '0:00')
    stream.rule(RULE, at('0:01'))
    expect(stream.changes).toEqual([])
    stream.rule({ ...RULE, state: 'paused' }, at('0:02'))
    expect(stream.engine.counters().controlIgnored).toBe(1)
    fail(stream, 5, '0:03')
    expect(lastTypes(stream)).toEqual(['alert.created'])
  })

  it('leave a group with an open alert to the version that opened it, until it closes', () => {
    const stream = new Stream([RULE])
    fail(stream, 5, '0:00')
    stream.rule(ruleRecord(RULE.ruleId, TEXT.replace('gte: 5', 'gte: 2'), { version: 2 }), at('1:00'))
    fail(stream, 2, '1:01', 'u2')
    fail(stream, 3, '2:00')
    stream.tick(at('2:30'))
    const [first, second] = stream.alerts()
    expect(first).toMatchObject({ group: { principalId: 'u1' }, count: 8, rule: { version: 1 }, window: { threshold: 5 } })
    expect(second).toMatchObject({ group: { principalId: 'u2' }, count: 2, rule: { version: 2 }, window: { threshold: 2 } })
    stream.tick(at('60:00'))
    fail(stream, 2, '61:00')
    expect(stream.alerts().at(-1)).toMatchObject({ group: { principalId: 'u1' }, count: 2, rule: { version: 2 } })
  })

  it('keep the windows of other groups when only the condition changed', () => {
    const stream = new Stream([RULE])
    fail(stream, 3, '0:00')
    expect(stream.settings(ORG_A, { failedAuthThreshold: 3 }, at('0:10'))).toEqual([])
    fail(stream, 1, '0:20')
    expect(stream.alerts()).toMatchObject([
      { count: 4, window: { threshold: 3, value: 3 }, firstSeen: '2026-03-02T12:00:00.000Z' },
    ])
  })

  it('empty the windows of other groups when the span, the subject or the detection changed', () => {
    for (const [from, to] of [
      ['timespan: 5m', 'timespan: 6m'],
      ['[principalId, ipAddress, sessionId]', '[principalId]'],
      ['      - denied\n  condition: selection\n---\ntitle: Successful', '  condition: selection\n---\ntitle: Successful'],
    ] as const) {
      expect(TEXT).toContain(from)
      const stream = new Stream([RULE])
      fail(stream, 4, '0:00')
      stream.rule(ruleRecord(RULE.ruleId, TEXT.replace(from, to), { version: 2 }), at('0:10'))
      expect(stream.engine.gauges().heldEvents).toBe(0)
      fail(stream, 4, '0:20')
      expect(stream.changes).toEqual([])
    }
  })

  it('close open alerts where a rule is paused or retired, and it starts empty afterwards', () => {
    for (const state of ['paused', 'retired'] as const) {
      const stream = new Stream([RULE])
      fail(stream, 6, '0:00')
      const closed = stream.rule({ ...RULE, version: 2, state }, at('0:05'))
      expect(closed).toMatchObject([{ type: 'alert.closed', alert: { count: 6, peak: 6, open: false, rule: { version: 1 } } }])
      expect(stream.engine.gauges()).toMatchObject({ groups: 0, heldEvents: 0, openAlerts: 0 })
      fail(stream, 5, '0:06')
      stream.rule({ ...RULE, version: 3 }, at('0:10'))
      fail(stream, 4, '0:11')
      expect(lastTypes(stream)).toEqual(['alert.created', 'alert.closed'])
    }
  })

  it('give an organization its own rule and settings, and nobody else', () => {
    const stream = new Stream([RULE])
    stream.settings(ORG_A, { failedAuthThreshold: 2 }, NOON)
    stream.rule(ruleRecord(RULE.ruleId, TEXT, { organizationId: ORG_B, state: 'paused' }), NOON)
    fail(stream, 2, '0:00')
    for (let n = 0; n < 5; n++) stream.event(failedLogin('u1', at('0:01'), { organizationId: ORG_B }))
    expect(stream.alerts()).toMatchObject([{ organizationId: ORG_A, count: 2 }])
  })

  it('pause a rule of the installation for one organization, and give it back when that pause is retired (D35)', () => {
    const stream = new Stream([RULE])
    const own = (version: number, state: 'paused' | 'retired', time: string) =>
      stream.rule({ ...RULE, organizationId: ORG_A, version, state }, at(time))
    fail(stream, 5, '0:00')
    own(1, 'paused', '0:10')
    expect(stream.alerts()).toMatchObject([{ organizationId: ORG_A, open: false }])
    fail(stream, 5, '0:20')
    stream.event({ ...failedLogin('u1', at('0:25')), organizationId: ORG_B })
    own(2, 'retired', '0:30')
    fail(stream, 4, '0:40')
    expect(stream.alerts()).toHaveLength(1)
    fail(stream, 1, '0:50')
    expect(stream.alerts().at(-1)).toMatchObject({ organizationId: ORG_A, count: 5, rule: { version: RULE.version } })
  })

  it('and events that cannot be run throw and change nothing', () => {
    const stream = new Stream([RULE])
    fail(stream, 4, '0:00')
    const before = [stream.engine.counters(), stream.engine.gauges(), stream.engine.logTime()]
    expect(() =>
      stream.rule(ruleRecord(RULE.ruleId, TEXT.replace('level: high', 'level: huge'), { version: 2 }), at('1:00')),
    ).toThrow('level')
    expect(() => stream.settings(ORG_A, { zone: 'Europe/Atlantis' }, at('1:00'))).toThrow(RangeError)
    expect(() => stream.event(anEvent({ timestamp: 'yesterday' }), at('1:00'))).toThrow('not a time')
    expect([stream.engine.counters(), stream.engine.gauges(), stream.engine.logTime()]).toEqual(before)
    fail(stream, 1, '1:01')
    expect(stream.alerts()).toHaveLength(1)
  })
})

describe('log time', () => {
  it('is the running maximum, and is set back when append time falls by more than an hour', () => {
    const stream = new Stream([RULE])
    fail(stream, 5, '0:00')
    stream.tick(at('0:00', 4) - 3_600_000)
    expect(stream.engine.logTime()).toBe(at('0:00', 4))
    stream.tick(NOON - 3_700_000)
    expect(stream.engine.logTime()).toBe(NOON - 3_700_000)
    expect(stream.engine.counters().logTimeSetBack).toBe(1)
    stream.tick(NOON - 3_700_000 + 30 * 60_000)
    expect(stream.tick(NOON - 3_700_000 + 30 * 60_000 + 1)).toMatchObject([{ type: 'alert.closed' }])
    expect(stream.engine.gauges()).toMatchObject({ groups: 0, heldEvents: 0 })
  })

  it('is moved on by ticks and dead letters, so that state is given back without traffic', () => {
    const stream = new Stream([RULE])
    fail(stream, 5, '0:00')
    stream.feed({ kind: 'other', appendTime: at('40:00'), offset: 100n })
    expect(stream.engine.gauges()).toMatchObject({ groups: 0, heldEvents: 0, openAlerts: 0 })
    expect(lastTypes(stream)).toEqual(['alert.created', 'alert.closed'])
  })

  it('keeps an id that counted once from counting again for R, and drops other content under it', () => {
    const stream = new Stream([RULE])
    const event = failedLogin('u1', at('0:00'))
    stream.event(event)
    stream.event({ ...event, outcomeDescription: 'another' }, at('25:00'))
    expect(stream.engine.counters()).toMatchObject({ counted: 1, idConflict: 1, late: 0 })
    stream.event(event, at('25:00', 1))
    expect(stream.engine.counters()).toMatchObject({ counted: 2, late: 1 })
  })
})

describe('limits', () => {
  const SMALL = { eventsPerGroup: 10, eventsPerOrganization: 20, groupsPerOrganization: 6 }

  it('of a group drop its oldest events, refuse what is older, and count on as a lower bound', () => {
    const stream = new Stream([RULE], SMALL)
    for (let n = 0; n < 30; n++) stream.event(failedLogin('u1', at('0:00', n)))
    stream.event(failedLogin('u1', at('0:00', 5)), at('0:01'))
    stream.tick(at('0:20'))
    expect(stream.alerts()).toMatchObject([{ count: 30, peak: 10, metadata: { countIsLowerBound: true } }])
    expect(stream.engine.counters().overCap).toBe(21)
    expect(stream.engine.gauges().heldEvents).toBe(10)
  })

  it('of an organization give up lateness first: the oldest arrivals beyond the span', () => {
    const stream = new Stream([RULE], SMALL)
    for (let n = 0; n < 4; n++) fail(stream, 4, `${n}:00`, `u${n}`)
    fail(stream, 4, '5:30', 'u4')
    fail(stream, 1, '5:40', 'u4')
    expect(stream.engine.counters()).toMatchObject({ latenessShortened: 1, groupEvicted: 0 })
    expect(stream.engine.gauges().heldEvents).toBe(20)
    expect(stream.alerts()).toMatchObject([{ group: { principalId: 'u4' } }])
  })

  it('of an organization then let whole groups go, the one idle longest first, but none with an open alert', () => {
    const stream = new Stream([RULE], SMALL)
    fail(stream, 5, '0:00', 'alerting')
    for (let n = 0; n < 5; n++) fail(stream, 1, `0:1${n}`, `u${n}`)
    expect(stream.engine.counters().groupEvicted).toBe(0)
    fail(stream, 1, '0:20', 'newcomer')
    expect(stream.engine.counters().groupEvicted).toBe(1)
    fail(stream, 4, '0:21', 'u0')
    expect(stream.alerts()).toHaveLength(1)
    fail(stream, 4, '0:22', 'u4')
    expect(stream.alerts()).toHaveLength(2)
  })

  it('of an organization leave every other organization alone', () => {
    const stream = new Stream([RULE], SMALL)
    for (let n = 0; n < 4; n++) stream.event(failedLogin('u1', at('0:00', n), { organizationId: ORG_B }))
    for (let n = 0; n < 100; n++) stream.event(failedLogin(`u${n}`, at('0:10', n)))
    stream.event(failedLogin('u1', at('0:20'), { organizationId: ORG_B }))
    expect(stream.alerts()).toMatchObject([{ organizationId: ORG_B, count: 5 }])
  })
})
