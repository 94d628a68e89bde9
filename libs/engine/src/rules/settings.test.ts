import { readFileSync } from 'node:fs'
import type { OrganizationSettings, RuleException } from '@tocsin/contracts'
import { describe, expect, it } from 'vitest'
import { PartitionEngine } from '../partition-engine.ts'
import { at, failedLogin, NOON, ORG_A, ORG_B, ruleRecord, Stream, successfulLogin } from '../test-stream.ts'
import { compileRule } from './rule.ts'
import { checkSettings, detectionFaults } from './settings.ts'

const pack = (name: string) =>
  ruleRecord(`tocsin.${name}`, readFileSync(new URL(`../../../../rules/${name}.yml`, import.meta.url), 'utf8'))
const RULE = pack('failed-auth')
const SPRAYING = pack('password-spraying')

const fail = (stream: Stream, times: number, time: string, who = 'u1', fields = {}): void => {
  for (let n = 0; n < times; n++) stream.event(failedLogin(who, at(time, n), fields))
}
const exception = (fields: Partial<RuleException> = {}): RuleException => ({
  id: 'scanner',
  ruleId: RULE.ruleId,
  match: { principalId: 'scanner' },
  reason: 'the nightly scan',
  owner: 'sec@example.test',
  expiresAt: null,
  ...fields,
})
const under = (settings: OrganizationSettings, rules = [RULE]): Stream => {
  const stream = new Stream(rules)
  stream.settings(ORG_A, settings, NOON - 60_000)
  return stream
}
const hits = (stream: Stream) => stream.engine.exceptionHits().flatMap((each) => each.hits)

describe('settings of one rule', () => {
  it('override its threshold, span, cooldown, lateness and severity, in that organization only', () => {
    const stream = under({
      rules: { [RULE.ruleId]: { threshold: 3, timespanMs: 60_000, cooldownMs: 0, latenessMs: 0, severity: 'LOW' } },
    })
    fail(stream, 3, '0:00')
    fail(stream, 3, '0:00', 'u1', { organizationId: ORG_B })
    expect(stream.alerts()).toMatchObject([
      { organizationId: ORG_A, severity: 'LOW', window: { threshold: 3, spanMs: 60_000 }, rule: { version: 1 } },
    ])
    stream.tick(at('2:00', 2))
    expect(stream.alerts()).toMatchObject([{ open: true }])
    stream.tick(at('2:00', 3))
    expect(stream.alerts()).toMatchObject([{ open: false }])
  })

  it('set the severity from which steps and escalation still only raise', () => {
    const stream = under({ rules: { [RULE.ruleId]: { severity: 'INFO' } } })
    fail(stream, 5, '0:00')
    expect(stream.alerts()).toMatchObject([{ severity: 'INFO' }])
    stream.event(successfulLogin('u1', at('0:30')))
    expect(stream.alerts()).toMatchObject([{ severity: 'CRITICAL' }])
  })

  it('leave groups with an open alert as they are until it closes, and keep the windows of the others', () => {
    const stream = new Stream([RULE])
    fail(stream, 5, '0:00')
    fail(stream, 2, '0:00', 'u2')
    stream.settings(ORG_A, { rules: { [RULE.ruleId]: { threshold: 3, severity: 'LOW' } } }, at('0:10'))
    fail(stream, 1, '0:20')
    fail(stream, 1, '0:20', 'u2')
    expect(stream.alerts()).toMatchObject([
      { group: { principalId: 'u1' }, severity: 'HIGH', window: { threshold: 5 } },
      { group: { principalId: 'u2' }, severity: 'LOW', window: { threshold: 3 }, count: 3 },
    ])
  })

  it('win over what is set for all rules, and agree with what the seed names set for the same rule', () => {
    const settings: OrganizationSettings = {
      alertCooldown: 600_000,
      failedAuthThreshold: 3,
      rules: { [RULE.ruleId]: { threshold: 3, cooldownMs: 0 } },
    }
    expect(detectionFaults(settings)).toEqual([])
    const stream = under(settings)
    fail(stream, 3, '0:00')
    fail(stream, 3, '5:01')
    expect(stream.alerts()).toHaveLength(1)
    fail(stream, 3, '15:02', 'u1')
    expect(stream.alerts()).toHaveLength(2)
  })

  it('that differ from what a seed name sets for the same rule are refused, naming both', () => {
    const settings = { failedAuthThreshold: 4, rules: { [RULE.ruleId]: { threshold: 3 } } }
    expect(() => checkSettings(settings)).toThrow(
      '/settings/rules/tocsin.failed-auth/threshold: "failedAuthThreshold" sets it to something else',
    )
    expect(() => under(settings)).toThrow(RangeError)
  })

  it('of a rule named like a property of every object are none', () => {
    const stream = new Stream([ruleRecord('constructor', RULE.content)])
    stream.settings(ORG_A, { rules: {} }, NOON)
    fail(stream, 5, '0:00')
    expect(stream.alerts()).toHaveLength(1)
  })
})

describe('an exception', () => {
  it('keeps the events that it matches out of its rule, and out of no other', () => {
    const stream = under({ exceptions: [exception({ match: { principalId: ['u1', 'u2', 'u3'] } })] }, [RULE, SPRAYING])
    const sessionContext = { ipAddress: '192.0.2.7' }
    for (const who of ['u1', 'u2', 'u3', 'u4']) fail(stream, 5, '0:00', who, { sessionContext })
    expect(stream.alerts().map(({ rule, group }) => [rule.id, Object.values(group)[0]])).toEqual([
      ['tocsin.password-spraying', '192.0.2.7'],
      ['tocsin.failed-auth', 'u4'],
    ])
    expect(hits(stream)).toEqual([['scanner', 15]])
    expect(stream.engine.counters().excepted).toBe(15)
  })

  it('without a rule is for every rule', () => {
    const stream = under(
      { exceptions: [exception({ ruleId: null, match: { 'sessionContext.ipAddress|cidr': '192.0.2.0/24' } })] },
      [RULE, SPRAYING],
    )
    for (const who of ['u1', 'u2', 'u3']) fail(stream, 5, '0:00', who, { sessionContext: { ipAddress: '192.0.2.7' } })
    expect(stream.changes).toEqual([])
    expect(hits(stream)).toEqual([['scanner', 30]])
  })

  it('keeps marks out as well, so that an excepted login does not escalate', () => {
    const stream = under({
      exceptions: [exception({ match: [{ 'action|endswith': '.success' }, { 'action|contains': 'nothing' }] })],
    })
    fail(stream, 5, '0:00')
    stream.event(successfulLogin('u1', at('0:10')))
    expect(stream.alerts()).toMatchObject([{ severity: 'HIGH' }])
    expect(hits(stream)).toEqual([['scanner', 1]])
  })

  it('is in force while log time is before its expiry, whatever the events say of themselves', () => {
    const stream = under({ exceptions: [exception({ match: { principalId: 'u1' }, expiresAt: '2026-03-02T12:01:00Z' })] })
    stream.event(failedLogin('u1', at('0:00')), at('0:59', 999))
    expect(stream.engine.gauges().exceptions).toBe(1)
    for (let n = 0; n < 5; n++) stream.event(failedLogin('u1', at('0:01', n)), at('1:00'))
    expect(stream.alerts()).toMatchObject([{ count: 5 }])
    expect(stream.engine.gauges().exceptions).toBe(0)
    expect(hits(stream)).toEqual([['scanner', 1]])
  })

  it('is of records from its control record on: events held before it stay counted', () => {
    const stream = new Stream([RULE])
    fail(stream, 6, '0:00')
    stream.settings(ORG_A, { exceptions: [exception({ match: { principalId: 'u1' } })] }, at('0:10'))
    fail(stream, 6, '0:20')
    stream.tick(at('3:00'))
    expect(stream.alerts()).toMatchObject([{ count: 6 }])
  })

  it('keeps its hits through a snapshot and through settings that keep its id', () => {
    const stream = under({ exceptions: [exception({ match: { principalId: 'u1' } })] })
    fail(stream, 3, '0:00')
    const writer = stream.engine.beginSnapshot()
    const chunks = []
    for (let chunk = writer.next(1000); chunk !== null; chunk = writer.next(1000)) chunks.push(structuredClone(chunk))
    stream.engine = PartitionEngine.restore(chunks, { topic: 'audit.events', partition: 3, compile: compileRule })
    fail(stream, 1, '0:10')
    expect(hits(stream)).toEqual([['scanner', 4]])
    stream.settings(ORG_A, { exceptions: [exception({ match: { principalId: 'u2' } })] }, at('0:20'), 2)
    fail(stream, 2, '0:30', 'u2')
    expect(hits(stream)).toEqual([['scanner', 6]])
    stream.settings(ORG_A, {}, at('0:40'), 3)
    expect(hits(stream)).toEqual([])
  })

  it('that cannot be run is refused with the rest of its record, naming each place, and what was in force stays', () => {
    const stream = under({ exceptions: [exception({ match: { principalId: 'u1' } })] })
    const broken = [
      exception({ match: { 'principalId|regex': 'x' } }),
      exception({ id: 'b', match: { action: 'a', 'principalId|re': ['a', '(?=b)'] } }),
      exception({ id: 'c', match: {} }),
      exception({ id: 'd', match: 'anything' }),
      exception({ id: 'd', match: { a: { b: 1 } }, expiresAt: 'never' }),
    ]
    expect(detectionFaults({ exceptions: broken }).map(({ pointer }) => pointer)).toEqual([
      '/exceptions/0/match/principalId|regex',
      '/exceptions/1/match/principalId|re/1',
      '/exceptions/2/match',
      '/exceptions/3/match',
      '/exceptions/4/id',
      '/exceptions/4/expiresAt',
      '/exceptions/4/match/a',
    ])
    expect(() => stream.settings(ORG_A, { exceptions: broken }, NOON, 2)).toThrow(
      '/settings/exceptions/0/match/principalId|regex',
    )
    fail(stream, 5, '0:00')
    expect(stream.changes).toEqual([])
  })
})
