import { readFileSync } from 'node:fs'
import { RuleFile } from '@tocsin/contracts'
import { assembleRules, runRuleTests } from '@tocsin/engine'
import { readSigma } from '@tocsin/sigma'
import { Compile } from 'typebox/compile'
import { expect, it, test } from 'vitest'

const page = readFileSync(new URL('../../../../docs/rules.md', import.meta.url), 'utf8')
const [example = '', ...worked] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text)
const schema = Compile(RuleFile)

/** The documents as an editor sees them, as far as the schema looks. */
const valuesOf = (text: string) =>
  readSigma(text, { file: 'example.yml' }).documents.map(({ title, extension }) =>
    extension === undefined ? { title } : { title, 'x-tocsin': extension },
  )

/** Ids, and the tests that have failed. */
function run(text: string) {
  const { rules, faults } = assembleRules([readSigma(text, { file: 'example.yml' })])
  const results = rules.flatMap((rule) => runRuleTests(rule))
  return {
    faults: faults.map(String),
    ids: rules.map(({ record }) => record.ruleId),
    tests: results.length,
    failed: results.filter((result) => result.faults.length > 0).map(({ name, faults: why }) => [name, why]),
  }
}

it('the rule that docs/rules.md begins with runs and passes its own test', () => {
  expect(run(example)).toEqual({ faults: [], ids: ['example.failed-auth'], tests: 1, failed: [] })
})

test('ten worked rules follow', () => {
  expect(worked).toHaveLength(10)
})

test.each(worked.map((text) => [/id: (worked\.\S+)/.exec(text)?.[1] ?? text, text]))(
  '%s is whole and passes its tests',
  (id, text) => {
    expect(run(text)).toEqual({ faults: [], ids: [id], tests: 1, failed: [] })
  },
)

test.each([example, ...worked])('the schema for editors takes what the engine takes', (text) => {
  for (const value of valuesOf(text)) expect([...schema.Errors(value)]).toEqual([])
})

test.each([
  ['subjekt: a', '"subjekt" is not known'],
  ['cooldown: 5', '"cooldown" must be'],
  ['type: SECRET', '"type" must be one of'],
  ['severity: [{ level: high }]', 'A step needs either'],
])('and refuses, as the engine does: %s', (line, why) => {
  const text = `title: x\nlogsource: { product: tocsin }\ndetection: { s: { a: 1 }, condition: s }\nx-tocsin: { ${line} }\n`
  expect(run(text).faults.join()).toContain(why)
  expect(valuesOf(text).map((value) => schema.Check(value))).toEqual([false])
})
