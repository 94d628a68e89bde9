import { readdirSync, readFileSync } from 'node:fs'
import { SigmaError } from '@tocsin/sigma'
import { describe, expect, it } from 'vitest'
import { compileRule } from './rule.ts'
import { ruleRecord } from './test-stream.ts'

const RULES = new URL('../../../rules/', import.meta.url)
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
    expect(refusalOf(failedAuth, '  type: SECURITY', '  autoResolve: 1h')).toMatch(
      /"autoResolve" is not supported yet under "x-tocsin"/,
    )
    expect(refusalOf(failedAuth, '  type: SECURITY', '  cooldown: 8d')).toMatch(/"cooldown" must be .* at most 7d/)
    expect(refusalOf(failedAuth, 'selection: successful_login', 'selection: nobody')).toMatch(
      /The rule "nobody" is not in this file/,
    )
    expect(refusalOf(bulk, 'level: high\n      peak', 'level: huge\n      peak')).toMatch(/"level" must be one of/)
    expect(refusalOf(bulk, 'peak-times-threshold: 10', 'peak: 10')).toMatch(/"peak" is not known under "x-tocsin.severity.0"/)
  })

  it('is refused where its correlation is of a kind that this build does not run', () => {
    expect(refusalOf(failedAuth, 'type: event_count', 'type: temporal')).toMatch(/type temporal are not supported yet/)
    expect(refusalOf(failedAuth, 'gte: 5', 'lt: 5')).toMatch(/one of gte and gt/)
    expect(refusalOf(failedAuth, 'gte: 5', 'gte: 5\n    lte: 9')).toMatch(/one of gte and gt/)
    expect(refusalOf(bulk, 'field: recordCount', 'field: queueDepth')).toMatch(/recordCount and bytes only/)
    expect(refusalOf(failedAuth, '  subject: [principalId, ipAddress, sessionId]\n', '')).toMatch(/needs "group-by"/)
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
