import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readSigma } from '@tocsin/sigma'
import { describe, expect, it } from 'vitest'
import { assembleRules, type RuleSet } from './rule-set.ts'

const detection = (name: string, more = ''): string =>
  `title: ${name}\nname: ${name}\nlogsource: { product: tocsin }\ndetection: { s: { action: ${name} }, condition: s }\n${more}`
const counting = (title: string, rules: string, more = ''): string =>
  `title: ${title}\ncorrelation:\n  type: event_count\n  rules: [${rules}]\n  group-by: [principalId]\n  timespan: 5m\n  condition: { gte: 3 }\n${more}`
const assemble = (files: Readonly<Record<string, string>>) =>
  assembleRules(Object.entries(files).map(([file, text]) => readSigma(text, { file })))
const detectionIds = ({ documents }: RuleSet) => [...documents].flatMap(([id, { kind }]) => (kind === 'detection' ? [id] : []))
const idsOf = (files: Readonly<Record<string, string>>) => assemble(files).rules.map(({ record }) => record.ruleId)
const faultsOf = (files: Readonly<Record<string, string>>) => assemble(files).faults.map(String)

describe('rules made of files', () => {
  it('are each correlation with the detections it names, and each detection that none names', () => {
    const set = assemble({ 'a.yml': `${detection('one')}---\n${detection('two')}id: 2\n`, 'b.yml': counting('many', 'one') })
    expect(set.faults).toEqual([])
    expect(set.rules.map(({ record, title }) => [record.ruleId, title])).toEqual([
      ['2', 'two'],
      ['b', 'many'],
    ])
    expect(detectionIds(set)).toEqual(['a', '2'])
  })

  it('are called as x-tocsin says, else by the id, else by the file', () => {
    expect(idsOf({ 'x/c.yaml': detection('one') })).toEqual(['c'])
    expect(idsOf({ 'c.yml': detection('one', 'id: own\n') })).toEqual(['own'])
    expect(idsOf({ 'c.yml': detection('one', 'id: own\nx-tocsin: { id: ours }\n') })).toEqual(['ours'])
  })

  it('have the text and hash of the file where they are all of it', () => {
    const text = readFileSync(new URL('../../../../rules/failed-auth.yml', import.meta.url), 'utf8')
    const [rule] = assemble({ 'failed-auth.yml': text }).rules
    expect(rule?.record.content).toBe(text)
    expect(rule?.record.hash).toBe(createHash('sha256').update(text).digest('hex'))
  })

  it('take no part in the fault of another', () => {
    const bad = detection('bad').replace('condition: s', 'condition: t')
    const set = assemble({ 'a.yml': `${detection('one')}---\n${bad}`, 'b.yml': detection('three') })
    expect(set.rules.map(({ record }) => record.ruleId)).toEqual(['a', 'b'])
    expect(set.faults.map(String)).toEqual(['a.yml:9:45: The condition names "t", which is not a selection of this rule.'])
  })

  it('name what the engine cannot run at its place in the file it stands in', () => {
    expect(
      faultsOf({ 'a.yml': detection('one'), 'b.yml': `# a comment\n---\n${counting('many', 'one', 'x-tocsin:\n  odd: 1\n')}` }),
    ).toEqual(['b.yml:11:3: "odd" is not known under "x-tocsin".'])
    expect(faultsOf({ 'b.yml': counting('many', 'none') })).toEqual(['b.yml:4:10: The rule "none" is not in this file.'])
  })

  it('refuse an id given twice, and keep the first', () => {
    const set = assemble({
      'a.yml': detection('one', 'id: 1\n'),
      'b.yml': detection('two', 'id: 1\n'),
      'c/a.yml': detection('three'),
    })
    expect(set.rules.map(({ title }) => title)).toEqual(['one', 'three'])
    expect(set.faults.map(String)).toEqual(['b.yml:5:5: Two documents are called "1": the other one is in a.yml, line 1.'])
    expect(faultsOf({ 'a.yml': detection('one'), 'c/a.yml': detection('two') })).toEqual([
      'c/a.yml:1:8: Another rule is called "a": give this one an id.',
    ])
  })

  it('refuse correlations of several files that refer to each other in a circle', () => {
    const named = (name: string, other: string) => `${counting(name, other)}name: ${name}\n`
    expect(faultsOf({ 'a.yml': named('a', 'b'), 'b.yml': named('b', 'a') }).join('\n')).toMatch(/circle/)
  })

  it('mean by a name the document of their own file first, and refuse one that could be of several others', () => {
    const pair = (title: string) => `${detection('same')}---\n${counting(title, 'same')}`
    const set = assemble({ 'a.yml': pair('a'), 'b.yml': pair('b') })
    expect([set.faults, set.rules.map(({ record }) => record.ruleId)]).toEqual([[], ['a', 'b']])
    expect(detectionIds(set)).toEqual(['a#1', 'b#1'])
    expect(faultsOf({ 'a.yml': detection('same'), 'b.yml': detection('same'), 'c.yml': counting('c', 'same') })[0]).toBe(
      'c.yml:4:10: "same" could be a rule of a.yml or b.yml.',
    )
  })
})
