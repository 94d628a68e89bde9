import { describe, expect, it, vi } from 'vitest'
import type { SigmaDetection } from './document.ts'
import { plainReader } from './field-reader.ts'
import { parseSigma } from './parse-sigma.ts'
import { RuleIndex } from './rule-index.ts'
import { SigmaError } from './sigma-error.ts'

// Seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const HEAD = 'title: x\nlogsource: { product: p }\n'
/** Far above what any of these takes on a busy machine; what they guard against took minutes or for ever. */
const LIMIT_MS = 15_000

function detection(item: string): SigmaDetection {
  const [document] = parseSigma(`${HEAD}detection:\n  s: { ${item} }\n  condition: s\n`)
  if (document?.kind !== 'detection') throw new Error('not a detection')
  return document
}

function within<T>(limitMs: number, run: () => T): T {
  const started = performance.now()
  const result = run()
  expect(performance.now() - started).toBeLessThan(limitMs)
  return result
}

const refusalOf = (text: string): string => {
  try {
    parseSigma(text, { file: 'x.yml' })
  } catch (error) {
    if (error instanceof SigmaError) return String(error)
    throw error
  }
  return 'accepted'
}

describe('a hostile rule', () => {
  const keys = (count: number) => Array.from({ length: count }, (_, n) => n.toString(36))
  const cases: [what: string, text: string, refusal: RegExp][] = [
    ['lists within lists', `a: ${'['.repeat(100_000)}`, /^x\.yml:1:\d+: This is not valid YAML: it is nested too deeply\.$/],
    ['lists within lists, closed', `a: ${'['.repeat(50_000)}${']'.repeat(50_000)}`, /nested too deeply/],
    ['maps within maps', '{a: '.repeat(50_000), /nested too deeply/],
    ['dashes within dashes', `${'- '.repeat(100_000)}x`, /nested too deeply/],
    ['40,000 keys', `{${keys(40_000).join(',')}}`, /neither "detection" nor "correlation"/],
    ['60,000 aliases', `a: &a x\nb: [${Array(60_000).fill('*a').join(',')}]`, /more than 1000 aliases/],
    ['40,000 documents', Array(40_000).fill('---\nx\n').join(''), /must be a map/],
    [
      'a pattern named 18,000 times',
      `${HEAD}detection:\n${keys(900)
        .map((key) => `  s${key}: { a: 1 }\n`)
        .join('')}  condition: ${Array(18_000).fill('1 of s*').join(' or ')}\n`,
      /more than 10000 selections/,
    ],
    [
      'an expression that repeats repetitions',
      `${HEAD}detection:\n  s: { a|re: '((a{100}){100}){100}' }\n  condition: s\n`,
      /not valid/,
    ],
    [
      'an expression of 50,000 groups',
      `${HEAD}detection:\n  s: { a|re: '${'('.repeat(50_000)}${')'.repeat(50_000)}' }\n  condition: s\n`,
      /nests too deeply/,
    ],
    [
      'a long text between wildcards',
      `${HEAD}detection:\n  s: { a: '*${'a'.repeat(501)}?*' }\n  condition: s\n`,
      /^x\.yml:4:11: .* at most 500 characters/,
    ],
  ]
  it.each(cases)('of %s is refused in good time', (_what, text, refusal) => {
    expect(within(LIMIT_MS, () => refusalOf(text))).toMatch(refusal)
  })

  it('may use an anchor again: an alias means the last one before it', () => {
    const [rule] = parseSigma(`${HEAD}detection:\n  x: &a { a: 1 }\n  y: &a { b: 2 }\n  s: *a\n  condition: s\n`)
    expect(rule?.kind === 'detection' && rule.matches(plainReader({ b: 2 }))).toBe(true)
    expect(refusalOf(`${HEAD}detection:\n  s: *a\n  x: &a { a: 1 }\n  condition: s\n`)).toMatch(
      /refers to nothing|Unresolved alias/,
    )
  })
})

describe('a hostile event', () => {
  const letters = 'a'.repeat(100_000)
  it.each(['(a+)+$', '(a|a)*b', '(a*)*c', '^(([a-z])+.)+[A-Z]([a-z])+$', '(.*)(.*)(.*)x'])(
    'is held against %s in milliseconds',
    (expression) => {
      const { matches } = detection(`a|re: '${expression}'`)
      expect(within(LIMIT_MS / 10, () => matches(plainReader({ a: `${letters}!` })))).toBe(false)
    },
  )

  it.each(['*a*a*a*a*a*b', '*?a?b', 'a*a*a*a*a*c*', `*${'a'.repeat(490)}?b*`])(
    'is held against wildcards in good time',
    (literal) => {
      const { matches } = detection(`a: '${literal}'`)
      expect(within(LIMIT_MS, () => matches(plainReader({ a: letters })))).toBe(false)
    },
  )

  let list: unknown = 'x'
  let map: unknown = 'x'
  for (let n = 0; n < 100_000; n++) [list, map] = [[list], { a: map }]
  const items = [
    'a: x',
    'a.b: x',
    'a|contains: x',
    'a|re: x',
    'a|fieldref: a',
    'a|cidr: 10.0.0.0/8',
    'a|gt: 5',
    'a: null',
    "'|all': [y, z]",
  ]
  it.each(items)('of 100,000 levels does not match %s, and nothing breaks', (item) => {
    const rule = detection(item)
    const index = new RuleIndex([[rule, rule]])
    for (const fields of [plainReader({ a: list }), plainReader({ a: map }), plainReader({ a: { b: list } })]) {
      expect(rule.matches(fields)).toBe(false)
      expect(rule.explain(fields).holds).toBe(false)
      expect(index.candidates(fields).length).toBeLessThan(2)
    }
  })

  it('with a list of a million elements is looked through', () => {
    const event = { a: Array.from({ length: 1_000_000 }, (_, n) => ({ b: [n] })) }
    expect(within(LIMIT_MS, () => detection('a.b: 999999').matches(plainReader(event)))).toBe(true)
  })

  it('with numbers beyond doubles has no number there', () => {
    const event = JSON.parse('{"a":1e400,"b":-1e400}') as object
    for (const item of ['a|gt: 5', 'b|lt: 5', 'a|gte: 1e308', 'a: 1e308'])
      expect(detection(item).matches(plainReader(event))).toBe(false)
  })

  it('gives what it has itself and nothing inherited', () => {
    const own = JSON.parse('{"__proto__":{"x":1},"hasOwnProperty":"y"}') as object
    expect(detection('__proto__.x: 1').matches(plainReader(own))).toBe(true)
    expect(detection('hasOwnProperty: y').matches(plainReader(own))).toBe(true)
    for (const item of ['__proto__.x: 1', 'constructor.name: Object', 'toString|exists: true'])
      expect(detection(item).matches(plainReader({}))).toBe(false)
  })
})
