import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { Explanation } from './explanation.ts'
import { plainReader } from './field-reader.ts'
import { parseSigma } from './parse-sigma.ts'
import { RuleIndex } from './rule-index.ts'

// Seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const value = fc.constantFrom('x', 'Y', 'z', '5', 5, true, null)
const FIELDS = [
  'a',
  'b',
  'c.d',
  'a|contains',
  'b|neq',
  'a|cased',
  'c.d|startswith',
  'b|endswith',
  'a|contains|cased',
  'b|re',
  'c.d|fieldref',
]
const item = fc.record({
  field: fc.constantFrom(...FIELDS),
  values: fc.array(fc.constantFrom('x', 'Y', 'z*', '5'), { minLength: 1, maxLength: 3 }),
})
const rule = fc
  .record({
    selections: fc.array(fc.uniqueArray(item, { minLength: 1, maxLength: 3, selector: ({ field }) => field }), {
      minLength: 2,
      maxLength: 2,
    }),
    condition: fc.constantFrom('s0', 's0 and s1', 's0 or s1', 's0 and not s1', 'not s0', '1 of them'),
  })
  .map(({ selections, condition }) => {
    const maps = selections.map(
      (items, n) => `  s${n}:\n${items.map(({ field, values }) => `    ${field}: ${JSON.stringify(values)}`).join('\n')}`,
    )
    const text = `title: t\nlogsource: { product: tocsin }\ndetection:\n${maps.join('\n')}\n  condition: ${condition}\n`
    const [document] = parseSigma(text)
    if (document?.kind !== 'detection') throw new Error('not a detection')
    return document
  })
const leaf = fc.oneof(value, fc.array(fc.oneof(value, fc.array(value)), { maxLength: 3 }))
const event = fc.record(
  { a: leaf, b: leaf, c: fc.oneof(leaf, fc.record({ d: leaf }), fc.array(fc.record({ d: leaf }))), 'c.d': leaf },
  { requiredKeys: [] },
)

describe('the index of rules', () => {
  it('picks every rule that matches, none twice', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 12 }), fc.array(event, { maxLength: 8 }), (rules, events) => {
        const index = new RuleIndex(rules.map((each) => [each, each]))
        for (const each of events) {
          const fields = plainReader(each)
          const picked = index.candidates(fields)
          expect(new Set(picked).size).toBe(picked.length)
          expect(rules.filter(({ matches }) => matches(fields)).filter((one) => !picked.includes(one))).toEqual([])
        }
      }),
      { numRuns: 300 },
    )
  })

  it('explains a rule as it decides it, in every node', () => {
    const consistent = ({ text, holds, parts }: Explanation): boolean => {
      const [part] = parts
      if (part === undefined) return true
      const own = text.endsWith('all of')
        ? parts.every((each) => each.holds)
        : text.endsWith('any of')
          ? parts.some((each) => each.holds)
          : text === 'not'
            ? !part.holds
            : part.holds
      return own === holds && parts.every(consistent)
    }
    fc.assert(
      fc.property(rule, event, (document, each) => {
        const fields = plainReader(each)
        const explanation = document.explain(fields)
        expect([explanation.holds, consistent(explanation)]).toEqual([document.matches(fields), true])
      }),
      { numRuns: 500 },
    )
  })

  it('leaves out rules whose values are others, by the field that tells most apart', () => {
    const rules = Array.from(
      { length: 100 },
      (_, n) =>
        [
          {
            exact: new Map([
              ['source', new Set(['iam'])],
              ['name', new Set([`n${n}`])],
            ]),
            contained: new Map(),
            present: new Set(['source', 'name']),
          },
          n,
        ] as const,
    )
    const index = new RuleIndex(rules)
    expect(index.candidates(plainReader({ source: 'iam', name: 'N7' }))).toEqual([7])
    expect(index.candidates(plainReader({ source: 'iam' }))).toEqual([])
  })

  it('leaves out rules whose texts are nowhere in the value, however many they are', () => {
    const needs = (n: number) => ({
      exact: new Map(),
      contained: new Map([['path', new Set([`/secret-${n}.`])]]),
      present: new Set(['path']),
    })
    const index = new RuleIndex(Array.from({ length: 500 }, (_, n) => [needs(n), n] as const))
    expect(index.candidates(plainReader({ path: '/srv/SECRET-1' }))).toEqual([])
    expect(index.candidates(plainReader({ other: '/secret-1.' }))).toEqual([])
    expect(index.candidates(plainReader({ path: '/srv/SECRET-499.txt' }))).toContain(499)
    expect(index.candidates(plainReader({ path: ['/srv', '/secret-7.'] }))).toContain(7)
  })

  it('leaves out rules that need no text but a field which is not there', () => {
    const needs = (field: string) => ({ exact: new Map(), contained: new Map(), present: new Set([field]) })
    const index = new RuleIndex(['depth', 'latency', 'depth'].map((field, n) => [needs(field), n] as const))
    expect(index.candidates(plainReader({ other: 1 }))).toEqual([])
    expect(index.candidates(plainReader({ depth: null }))).toEqual([0, 2])
    expect(index.candidates(plainReader({ depth: 1, latency: [] }))).toEqual([0, 2, 1])
  })
})
