import { describe, expect, it } from 'vitest'
import { ruleRecord } from '../test-stream.ts'
import { compileRule } from './rule.ts'
import { runRuleTests } from './run-rule-tests.ts'

const RULE = `title: Deletion
level: high
logsource:
  product: tocsin
detection:
  selection:
    operation: delete
  condition: selection
x-tocsin:
  fold: 10m
  tests:
`
const results = (tests: string) => runRuleTests(compileRule(ruleRecord('own.deletion', RULE + tests)))
const refusal = (tests: string): string => {
  try {
    results(tests)
  } catch (error) {
    return String(error)
  }
  return 'nothing'
}

describe('the tests in a rule', () => {
  it('pass where alerts are raised as expected, whichever figures they name', () => {
    const [result] = results(`
    - name: two people
      events:
        - {action: file.delete, principalId: u1, repeat: 3, every: 10s}
        - {at: +1m, action: file.delete, principalId: u2}
        - {action: file.read, principalId: u2}
      alerts:
        - {severity: HIGH, type: SECURITY, title: 'Deletion: u1', group: {principalId: u1}, count: 3, peak: 3, firstSeen: 0s, lastSeen: 20s}
        - {group: {principalId: u2}, value: 1, threshold: 1, backfilled: false, firstSeen: 1m20s}
`)
    expect(result).toMatchObject({ name: 'two people', faults: [], alerts: [{ open: false }, { open: false }] })
  })

  it('say what differs, alert by alert', () => {
    const [result] = results(`
    - name: wrong
      events:
        - {action: file.delete, principalId: u1}
      alerts:
        - {severity: LOW, group: {principalId: u2}, metadata: {depth: 1}}
        - {}
`)
    expect(result?.faults).toEqual([
      '2 alerts are expected, 1 were raised: HIGH Deletion: u1',
      'alert 1, severity: "LOW" is expected, it is "HIGH"',
      'alert 1, group, principalId: "u2" is expected, it is "u1"',
      'alert 1, metadata, depth: 1 is expected, it is absent',
    ])
  })

  it('run under settings, and settings that cannot be run are a fault', () => {
    const [fine, broken] = results(`
    - name: excepted
      settings:
        rules: {own.deletion: {severity: LOW}}
        exceptions: [{id: a, ruleId: null, match: {principalId: u1}, reason: r, owner: o, expiresAt: null}]
      events:
        - {action: file.delete, principalId: u1}
        - {action: file.delete, principalId: u2}
      alerts:
        - {severity: LOW, group: {principalId: u2}}
    - name: broken
      settings: {zone: Europe/Atlantis}
      events: []
      alerts: []
`)
    expect(fine?.faults).toEqual([])
    expect(broken?.faults).toEqual([expect.stringContaining('Europe/Atlantis')])
  })

  it('tell when an event arrives apart from its own time', () => {
    const [result] = results(`
    - name: late
      events:
        - {at: -2h, arrives: 1m, action: file.delete, principalId: u1}
        - {at: -119m, arrives: +1s, action: file.delete, principalId: u1}
      alerts:
        - {backfilled: true, count: 2, firstSeen: -2h, lastSeen: -119m}
`)
    expect(result?.faults).toEqual([])
    expect(result?.alerts[0]).toMatchObject({ createdAt: '2026-03-02T12:01:00.000Z' })
  })

  it('are refused with the rule, by place, where they are not understood', () => {
    const test = (text: string) => refusal(`    - ${text}\n`)
    expect(test('{name: a, events: []}')).toMatch(/own.deletion:12:\d+: "alerts" must be a list/)
    expect(test('{events: [], alerts: []}')).toMatch(/"name" is missing/)
    expect(test('{name: a, events: [{acton: x}], alerts: []}')).toMatch(/"acton" is not known under "x-tocsin.tests.0.events.0"/)
    expect(test('{name: a, events: [{operation: remove}], alerts: []}')).toMatch(/"operation" must be one of create, /)
    expect(test('{name: a, events: [{at: soon}], alerts: []}')).toMatch(/A time is written such as 90s/)
    expect(test('{name: a, events: [], alerts: [{severty: LOW}]}')).toMatch(/"severty" is not known/)
    expect(test('{name: a, settings: {treshold: 1}, events: [], alerts: []}')).toMatch(/"treshold" is not known/)
    expect(test('{name: a, start: noon, events: [], alerts: []}')).toMatch(/"start" must be a time/)
  })
})
