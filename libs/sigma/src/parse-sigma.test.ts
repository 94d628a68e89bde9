import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { SigmaCorrelation } from './document.ts'
import { parseSigma } from './parse-sigma.ts'
import { SigmaError } from './sigma-error.ts'

const HEAD = 'title: a rule\nlogsource:\n  product: tocsin\n'
const rule = (detection: string): string => `${HEAD}detection:\n${detection.trim().replace(/^/gm, '  ')}\n`
const correlation = (lines: string): string => `title: counted\ncorrelation:\n${lines.trim().replace(/^/gm, '  ')}\n`

function refusal(text: string): SigmaError {
  try {
    parseSigma(text, { file: 'rules/x.yml' })
  } catch (error) {
    if (error instanceof SigmaError) return error
    throw error
  }
  throw new Error('it was not refused')
}

describe('refusals', () => {
  const cases: [what: string, text: string, message: RegExp, line?: number, column?: number][] = [
    ['no document', '\n# nothing\n', /no document/],
    ['text that is no YAML', 'title: [', /not valid YAML/],
    ['a document that is no map', '- a\n', /must be a map/],
    ['neither detection nor correlation', 'title: x\n', /neither/],
    ['a missing title', 'detection: { s: { a: 1 }, condition: s }\n', /needs a title/],
    ['a missing logsource', 'title: x\ndetection: { s: { a: 1 }, condition: s }\n', /no logsource/],
    ['a duplicate key', rule('s:\n  a: 1\n  a: 2\ncondition: s'), /not valid YAML.*unique/, 7, 5],
    ['an unknown tag', rule('s:\n  a: !secret x\ncondition: s'), /tag/],
    ['a merge key', rule('s: &x\n  a: 1\nt:\n  <<: *x\ncondition: t'), /Merge keys/, 8, 5],
    ['an alias that refers to itself', rule('s: &x\n  a: *x\ncondition: s'), /nested deeper|refers to nothing/],
    [
      'an unknown logsource key',
      rule('s: { a: 1 }\ncondition: s').replace('product:', 'tenant:'),
      /"tenant" is not known under "logsource"/,
      3,
      3,
    ],
    ['an unknown level', `${rule('s: { a: 1 }\ncondition: s')}level: severe\n`, /"level" must be one of/, 7, 8],
    ['an unknown modifier', rule('s:\n  a|sounds: x\ncondition: s'), /"sounds" is not known/, 6, 5],
    ['a modifier of later', rule('s:\n  a|base64offset|contains: x\ncondition: s'), /"base64offset" is not supported yet/, 6, 5],
    ['a modifier named like a property of objects', rule('s:\n  a|constructor: x\ncondition: s'), /"constructor" is not known/],
    ['flags without re', rule('s:\n  a|i: x\ncondition: s'), /must follow "re"/],
    ['two modes', rule('s:\n  a|contains|endswith: x\ncondition: s'), /cannot be combined/],
    ['null in a list', rule('s:\n  a: [x, null]\ncondition: s'), /null stands alone/, 6, 12],
    ['a map as value', rule('s:\n  a: { b: 1 }\ncondition: s'), /not a map/, 6, 8],
    ['an empty list', rule('s:\n  a: []\ncondition: s'), /list is empty/],
    ['an empty selection', rule('s: {}\ncondition: s'), /selection is empty/],
    ['a comparison with text', rule('s:\n  a|gt: many\ncondition: s'), /needs a number/],
    ['exists without a boolean', rule('s:\n  a|exists: "yes"\ncondition: s'), /true or false/],
    ['a network that is none', rule('s:\n  a|cidr: 10.0.0.0/33\ncondition: s'), /not a network/],
    ['a lookahead', rule("s:\n  a|re: 'x(?!y)'\ncondition: s"), /lookahead cannot run in linear time/, 6, 11],
    ['a lookbehind', rule("s:\n  a|re: '(?<=x)y'\ncondition: s"), /lookbehind/],
    ['a back-reference', rule("s:\n  a|re: '(x)\\1'\ncondition: s"), /back-reference/],
    ['an expression that is not valid', rule("s:\n  a|re: '(x'\ncondition: s"), /not valid: missing closing/],
    ['no condition', rule('s: { a: 1 }'), /no condition/],
    ['a missing selection', rule('s: { a: 1 }\ncondition: s and filter'), /names "filter"/, 6, 20],
    ['a missing selection in quotes', rule("s: { a: 1 }\ncondition: 's and filter'"), /names "filter"/, 6, 21],
    ['1 of nothing', rule('s: { a: 1 }\ncondition: 1 of t*'), /matches no selection/, 6, 19],
    ['all of nothing', rule('_s: { a: 1 }\ncondition: all of them'), /matches no selection/],
    ['another quantity', rule('s: { a: 1 }\ncondition: 2 of s*'), /"2 of" is not supported/],
    ['a pipe', rule('s: { a: 1 }\ncondition: s | count() > 5'), /write a correlation/, 6, 16],
    ['a timeframe', rule('s: { a: 1 }\ntimeframe: 5m\ncondition: s'), /correlation document/, 6, 3],
    ['an open parenthesis', rule('s: { a: 1 }\ncondition: (s'), /closing parenthesis/],
    ['two selections without a word between', rule('s: { a: 1 }\ncondition: s s'), /not expected here/],
    ['a condition that ends early', rule('s: { a: 1 }\ncondition: s and'), /ends where/],
    ['a strange character', rule('s: { a: 1 }\ncondition: s & s'), /character "&"/],
    ['a filter document', 'title: f\nfilter: {}\n', /Filter documents are not supported yet/],
    ['a rule collection', 'action: global\ntitle: x\n', /rule collections/],
    [
      'an unknown correlation key',
      correlation('type: event_count\nwindow: 5m'),
      /"window" is not known under "correlation"/,
      4,
      3,
    ],
    ['an unknown correlation type', correlation('type: sequence\nrules: a'), /"type" must be one of/],
    ['a correlation type of later', correlation('type: value_avg\nrules: a'), /"value_avg" is not supported yet/, 3, 9],
    ['a correlation without rules', correlation('type: event_count\ntimespan: 5m'), /names no rules/],
    [
      'a timespan in months',
      correlation('type: event_count\nrules: a\ntimespan: 5M\ncondition: { gte: 5 }'),
      /"timespan" must be/,
      5,
      13,
    ],
    [
      'a timespan of nothing',
      correlation('type: event_count\nrules: a\ntimespan: 0s\ncondition: { gte: 5 }'),
      /"timespan" must be/,
    ],
    ['a correlation without condition', correlation('type: event_count\nrules: a\ntimespan: 5m'), /no condition/],
    [
      'an unknown operator',
      correlation('type: event_count\nrules: a\ntimespan: 5m\ncondition: { min: 5 }'),
      /"min" is not known/,
    ],
    [
      'a limit that is no number',
      correlation('type: event_count\nrules: a\ntimespan: 5m\ncondition: { gte: "5" }'),
      /"gte" must be a number/,
    ],
    [
      'a text condition of another rule',
      correlation('type: temporal\nrules: a\ntimespan: 5m\ncondition: a and b'),
      /names "b", which is not/,
      6,
      20,
    ],
    [
      'a text condition of a count',
      correlation('type: event_count\nrules: a\ntimespan: 5m\ncondition: a'),
      /must be a map such as gte: 5, or text/,
    ],
    [
      'value_count without field',
      correlation('type: value_count\nrules: a\ntimespan: 5m\ncondition: { gte: 5 }'),
      /needs a field/,
    ],
    [
      'event_count with field',
      correlation('type: event_count\nrules: a\ntimespan: 5m\ncondition: { gte: 5, field: x }'),
      /has no field/,
    ],
    ['an alias of another rule', correlation('type: temporal\nrules: a\ntimespan: 5m\naliases: { u: { b: x } }'), /not among/],
  ]
  it.each(cases)('name %s', (_what, text, message, line, column) => {
    const error = refusal(text)
    expect(error.message).toMatch(message)
    expect(error.file).toBe('rules/x.yml')
    if (line !== undefined) expect({ line: error.line, column: error.column }).toEqual({ line, column })
  })

  it('stop an alias bomb', () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) =>
        `l${i}: &l${i} [${Array(10)
          .fill(i === 0 ? 'x' : `*l${i - 1}`)
          .join(', ')}]`,
    )
    expect(refusal(`${levels.join('\n')}\n`).message).toMatch(/aliases/)
  })

  it('stop a text that is too large', () => {
    expect(refusal(`# ${'x'.repeat(262_144)}\n`).message).toMatch(/larger than/)
  })

  it('stop deep nesting', () => {
    expect(refusal(`title: ${'['.repeat(2000)}${']'.repeat(2000)}\n`).message).toMatch(/nested deeper|not valid YAML/)
  })

  it('stop correlations that refer to each other in a circle', () => {
    const of = (name: string, other: string) =>
      `title: ${name}\nname: ${name}\ncorrelation:\n  type: temporal\n  rules: [${other}]\n  timespan: 1h\n`
    const error = refusal([of('a', 'b'), of('b', 'c'), of('c', 'a')].join('---\n'))
    expect(error.message).toMatch(/circle/)
    expect(refusal(of('a', 'a')).message).toMatch(/circle/)
  })

  it('stop a chain of correlations longer than 10', () => {
    const link = (n: number) =>
      `title: c${n}\nname: c${n}\ncorrelation:\n  type: temporal\n  rules: [c${n + 1}]\n  timespan: 1h\n`
    const chain = (length: number) => Array.from({ length }, (_, n) => link(n)).join('---\n')
    expect(parseSigma(chain(10))).toHaveLength(10)
    expect(refusal(chain(11)).message).toMatch(/chain longer than 10/)
    const started = performance.now()
    expect(refusal(chain(2000)).message).toMatch(/chain longer than 10/)
    expect(performance.now() - started).toBeLessThan(5000)
  })

  it('stop two documents of one name', () => {
    const text = `${rule('s: { a: 1 }\ncondition: s')}name: twice\n`
    expect(refusal(`${text}---\n${text}`).message).toMatch(/Two documents are called "twice"/)
  })
})

describe('a parsed file', () => {
  const text = `${rule('s:\n  a: 1\ncondition: s')}id: base
name: base
tags: [attack.t1110]
author: somebody
own_key: kept out of the way
---
title: Counted
id: counted
level: high
correlation:
  type: value_count
  rules: base
  group-by: [ip, user]
  timespan: 10m
  condition: { gte: 3, lt: 10, field: [principalId, action] }
  aliases:
    user: { base: principalId }
x-tocsin:
  subject: principalId
  __proto__: { polluted: true }
  severity:
    - { peak: 10, level: critical }
---
`
  const [base, counted] = parseSigma(text, { file: 'x.yml' })

  it('holds its documents in order, with their metadata', () => {
    expect(base).toMatchObject({
      kind: 'detection',
      id: 'base',
      name: 'base',
      level: 'medium',
      tags: ['attack.t1110'],
      logsource: { product: 'tocsin' },
    })
    expect(base?.extension).toBeUndefined()
  })

  it('holds a correlation as written', () => {
    expect((counted as SigmaCorrelation).correlation).toEqual({
      type: 'value_count',
      rules: ['base'],
      groupBy: ['ip', 'user'],
      timespanMs: 600_000,
      condition: [
        { op: 'gte', value: 3 },
        { op: 'lt', value: 10 },
      ],
      expression: null,
      field: ['principalId', 'action'],
      aliases: new Map([['user', new Map([['base', 'principalId']])]]),
      generate: false,
    })
  })

  it('holds the text form of a temporal condition over the names of its rules', () => {
    const expression = (text: string) => {
      const lines = `type: temporal\nrules: [one, x_two, x_three, nothing]\ntimespan: 5m\ncondition: ${text}`
      const [document] = parseSigma(correlation(lines))
      return (document as SigmaCorrelation).correlation.expression
    }
    const holds = (text: string, ...there: string[]) => expression(text)?.holds((rule) => there.includes(rule))
    expect(holds('one and 1 of x_*', 'one', 'x_three')).toBe(true)
    expect(holds('one and all of x_*', 'one', 'x_three')).toBe(false)
    expect(holds('one AND NOT (x_two or nothing)', 'one', 'x_three')).toBe(true)
    expect(holds('one and not x_three', 'one', 'x_three')).toBe(false)
    expect(['one or nothing', 'one and NOT x_two', 'not one'].map((text) => expression(text)?.isNegated)).toEqual([
      false,
      true,
      true,
    ])
  })

  it('keeps x-tocsin raw, hostile keys as plain data', () => {
    const extension = counted?.extension as Record<string, unknown>
    expect(Object.keys(extension)).toEqual(['subject', '__proto__', 'severity'])
    expect(extension['polluted']).toBeUndefined()
  })

  it('knows where each value and key stands', () => {
    expect(counted?.positionOf(['x-tocsin', 'severity', 0, 'level'])).toEqual({ line: 29, column: 26 })
    expect(counted?.positionOf(['x-tocsin', 'subject'], 'key')).toEqual({ line: 26, column: 3 })
    expect(counted?.positionOf(['x-tocsin', 'missing', 'deep'])).toEqual({ line: 26, column: 3 })
  })
})

describe('stock rules', () => {
  const folder = '/work/shared/data/sigma'
  const present = existsSync(folder)
  if (!present) console.log(`skipped: ${folder} is absent, so no stock rules were parsed`)

  it.skipIf(!present)('parse, or are refused by name', () => {
    const refused: string[] = []
    const files = readdirSync(folder).filter((file) => file.endsWith('.yml'))
    for (const file of files) {
      try {
        expect(parseSigma(readFileSync(`${folder}/${file}`, 'utf8'), { file })).toHaveLength(1)
      } catch (error) {
        if (!(error instanceof SigmaError)) throw error
        refused.push(String(error))
      }
    }
    expect(files.length).toBeGreaterThan(0)
    expect(refused).toEqual([])
  })
})
