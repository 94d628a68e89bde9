import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Output } from '../../output.ts'
import { backtest } from './backtest.ts'
import { lintRules } from './lint.ts'

const folder = mkdtempSync(join(tmpdir(), 'tocsin-backtest-'))
afterAll(() => rmSync(folder, { recursive: true }))

const rule = (id: string, selection: string, condition = 's'): string =>
  `title: ${id}\nid: ${id}\nlogsource: { product: elsewhere }\ndetection: { s: ${selection}, condition: ${condition} }\n`

function collect() {
  const results: string[] = []
  const notes: string[] = []
  const output: Output = { result: (text) => results.push(...text.split('\n')), note: (text) => notes.push(text) }
  return { output, results, notes }
}

function folderOf(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(folder, 'rules-'))
  mkdirSync(join(path, 'deep'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return path
}

function rawMatches(rules: string, lines: readonly string[]) {
  const events = join(folder, 'events.ndjson')
  writeFileSync(events, `${lines.join('\n')}\n`)
  const { output, results, notes } = collect()
  expect(backtest({ rules: [rules], events, output })).toBe(0)
  return { matches: results.map((line) => JSON.parse(line) as unknown), notes }
}

describe('tocsin rules backtest --format raw --matches', () => {
  it('prints rule, event and line of every match, whatever the logsource', () => {
    const rules = folderOf({
      'a.yml': rule('r1', '{ verb: delete }'),
      'deep/b.yaml': rule('r2', '{ a.b|contains: x }'),
      'c.txt': 'no rule',
    })
    const { matches, notes } = rawMatches(rules, [
      '{"id":"e1","verb":"DELETE","a":{"b":"xyz"}}',
      '',
      '{"eventID":"e3","verb":"get","a":{"b":["-","X"]}}',
      '{"verb":["get","delete"]}',
    ])
    expect(matches).toEqual([
      { ruleId: 'r1', eventId: 'e1', line: 1 },
      { ruleId: 'r2', eventId: 'e1', line: 1 },
      { ruleId: 'r2', eventId: 'e3', line: 3 },
      { ruleId: 'r1', eventId: null, line: 4 },
    ])
    expect(notes.join('\n')).toMatch(/3 events in 4 lines \(0 unreadable\)[\s\S]*4 matches\n {2}2 {2}r1/)
  })

  it('names refused rules and unreadable lines, and goes on with the rest', () => {
    const rules = folderOf({ 'a.yml': rule('r1', '{ verb: x }'), 'b.yml': rule('r2', '{ verb: x }', 's and t') })
    const { matches, notes } = rawMatches(rules, ['{"verb":"x"}', 'no json', '[1]', '{"verb":"x"}'])
    expect(matches).toHaveLength(2)
    expect(notes[0]).toMatch(/^refused: .*b\.yml:4:\d+: The condition names "t"/)
    expect(notes.slice(1, 3)).toEqual([2, 3].map((line) => `line ${line} is no JSON object and is passed over`))
  })
})

describe('tocsin rules lint', () => {
  it('prints every fault with its place and exits 1', () => {
    const rules = folderOf({
      'a.yml': `${rule('r1', '{ a|sounds: x, b: 1 }')}level: severe\n`,
      'b.yml': rule('r2', "{ a|re: '(?=x)' }", 's or t'),
    })
    const { output, results, notes } = collect()
    expect(lintRules([rules], output)).toBe(1)
    expect(results.map((line) => line.slice(rules.length + 1))).toEqual([
      'a.yml:4:19: The modifier "sounds" is not known.',
      'a.yml:5:8: "level" must be one of informational, low, medium, high, critical.',
      'b.yml:4:25: A lookahead cannot run in linear time and is not supported in regular expressions.',
      'b.yml:4:52: The condition names "t", which is not a selection of this rule.',
    ])
    expect(notes.at(-1)).toBe('2 files, 0 rules, 4 faults')
  })

  it('notes an idle rule and exits 0', () => {
    const { output, results, notes } = collect()
    expect(lintRules([join(folderOf({ 'a.yml': rule('r1', '{ a: 1 }') }), 'a.yml')], output)).toBe(0)
    expect(results).toEqual([])
    expect(notes[0]).toMatch(/a\.yml:3:1: note: no source gives events of elsewhere, so the rule is idle\.$/)
  })
})
