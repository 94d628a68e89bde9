import { readdirSync, readFileSync } from 'node:fs'
import { SigmaError } from '@tocsin/sigma'
import { describe, expect, it } from 'vitest'
import { ruleRecord } from '../test-stream.ts'
import { compileRule } from './rule.ts'

const RULES = new URL('../../../../rules/', import.meta.url)
const failedAuth = readFileSync(new URL('failed-auth.yml', RULES), 'utf8')
const bulk = readFileSync(new URL('bulk-operation.yml', RULES), 'utf8')

/** Compiles a changed copy of a rule file and tells how it was refused. */
function refusalOf(text: string, from: string, to: string): string {
  expect(text).toContain(from)
  const changed = text.replace(from, to)
  try {
    compileRule(ruleRecord('test.rule', changed))
  } catch (error) {
    if (error instanceof SigmaError) return `${error.line}: ${error.message}`
    throw error
  }
  return 'not refused'
}

const lineOf = (text: string, part: string): number => text.slice(0, text.indexOf(part)).split('\n').length

describe('a rule file', () => {
  it.each(readdirSync(RULES).filter((name) => name.endsWith('.yml')))('%s of the built-in pack compiles', (name) => {
    const compiled = compileRule(ruleRecord(`tocsin.${name}`, readFileSync(new URL(name, RULES), 'utf8')))
    expect(compiled.alerts).toBe(true)
  })

  it('is refused by name and line where x-tocsin says what this build does not know', () => {
    const line = lineOf(failedAuth, '  pattern: FAILED_AUTH')
    expect(refusalOf(failedAuth, '  pattern: FAILED_AUTH', '  patern: FAILED_AUTH')).toBe(
      `${line}: "patern" is not known under "x-tocsin".`,
    )
    expect(refusalOf(failedAuth, 'pattern: FAILED_AUTH', 'pattern: PHISHING')).toMatch(
      /^\d+: "pattern" must be one of FAILED_AUTH, /,
    )
    expect(refusalOf(failedAuth, '  type: SECURITY', '  autoResolve: 1h')).toMatch(/"autoResolve" must be true or false/)
    expect(refusalOf(failedAuth, '  type: SECURITY', '  cooldown: 8d')).toMatch(/"cooldown" must be .* at most 7d/)
    expect(refusalOf(failedAuth, 'selection: successful_login', 'selection: nobody')).toMatch(
      /The rule "nobody" is not in this file/,
    )
    expect(refusalOf(bulk, 'level: high\n      peak', 'level: huge\n      peak')).toMatch(/"level" must be one of/)
    expect(refusalOf(bulk, 'peak-times-threshold: 10', 'peak: 10')).toMatch(/"peak" is not known under "x-tocsin.severity.0"/)
  })

  it('is refused where its correlation asks for what this build does not run', () => {
    expect(refusalOf(failedAuth, 'gte: 5', 'gte: 5\n  generate: true')).toMatch(/^46: "generate: true" is not supported yet/)
    expect(refusalOf(failedAuth, 'type: event_count', 'type: temporal')).toMatch(/"pattern" does not go with this condition/)
    expect(refusalOf(failedAuth, '  subject: [principalId, ipAddress, sessionId]\n', '')).toMatch(/needs "group-by"/)
    const noPattern = failedAuth.replace('  pattern: FAILED_AUTH\n', '')
    expect(refusalOf(noPattern, 'type: event_count', 'type: temporal_ordered')).toMatch(/temporal_ordered has no condition/)
    expect(
      refusalOf(noPattern, 'failed_authentication\n  timespan', 'failed_authentication\n  aliases: { u: {} }\n  timespan'),
    ).toMatch(/The alias "u" is not in "group-by"/)
    const chain = `title: chain\ncorrelation: { type: temporal, rules: [repeated_failed_authentication], timespan: 1h }\n`
    expect(refusalOf(noPattern, 'title: Failed authentication\n', `${chain}---\ntitle: Failed authentication\n`)).toMatch(
      /^\d+: "repeated_failed_authentication" is a correlation: correlations of correlations are not supported yet/,
    )
    const names = Array.from({ length: 33 }, (_, place) => `r${place}`)
    const detections = names.map(
      (name) => `title: x\nname: ${name}\nlogsource: { product: tocsin }\ndetection: { s: { a: 1 }, condition: s }\n`,
    )
    const many = `${detections.join('---\n')}---\ntitle: y\ncorrelation:\n  type: temporal\n  rules: [${names.join(', ')}]\n  timespan: 1h\n  group-by: u\n`
    expect(refusalOf(many, 'title: y', 'title: z')).toMatch(/at most 32 rules/)
  })

  it('counts gt n as at least n + 1', () => {
    expect(compileRule(ruleRecord('test.rule', failedAuth.replace('gte: 5', 'gt: 5'))).atLeast).toBe(6)
  })

  it('of one detection alone counts by subject within an hour', () => {
    const [detection = ''] = failedAuth.split('---')
    const compiled = compileRule(ruleRecord('test.rule', detection.replace('level: informational', 'level: low')))
    expect(compiled).toMatchObject({ unit: 'events', atLeast: 1, timespanMs: 3_600_000, severity: 'LOW', alerts: true })
    expect(compileRule(ruleRecord('test.rule', detection)).alerts).toBe(false)
  })
})
