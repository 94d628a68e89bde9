import { readSigma } from '@tocsin/sigma'
import { describe, expect, it } from 'vitest'
import { compileRule } from '../src/rules/rule.ts'
import { assembleRules } from '../src/rules/rule-set.ts'
import { runRuleTests } from '../src/rules/run-rule-tests.ts'
import { PACK } from './harness.ts'

describe.each(PACK.map((record) => ({ ruleId: record.ruleId, record })))('$ruleId', ({ ruleId, record }) => {
  const rule = compileRule(record)

  it('has tests in its file: one that raises an alert and one that raises none', () => {
    expect(rule.tests.some(({ alerts }) => alerts.length > 0)).toBe(true)
    expect(rule.tests.some(({ alerts }) => alerts.length === 0)).toBe(true)
  })

  it.each(runRuleTests(rule))('raises what its file says: $name', ({ faults }) => {
    expect(faults).toEqual([])
  })

  it('is called in a folder of files as the installation calls it', () => {
    const { rules, faults } = assembleRules([readSigma(record.content, { file: `${ruleId}.yml` })])
    expect(faults).toEqual([])
    expect(rules.map((each) => each.record.ruleId)).toEqual([ruleId])
  })
})
