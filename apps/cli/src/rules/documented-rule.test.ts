import { readFileSync } from 'node:fs'
import { assembleRules, runRuleTests } from '@tocsin/engine'
import { readSigma } from '@tocsin/sigma'
import { expect, it } from 'vitest'

it('the rule that docs/rules.md shows runs and passes its own test', () => {
  const page = readFileSync(new URL('../../../../docs/rules.md', import.meta.url), 'utf8')
  const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? []
  const { rules, faults } = assembleRules([readSigma(text, { file: 'example.yml' })])
  expect(faults).toEqual([])
  expect(rules.map(({ record }) => record.ruleId)).toEqual(['example.failed-auth'])
  expect(rules.flatMap((rule) => runRuleTests(rule)).map(({ name, faults: failed }) => [name, failed])).toEqual([
    ['five within five minutes', []],
  ])
})
