import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { fieldReader } from './field-reader.ts'
import { parseSigma } from './parse-sigma.ts'
import { SigmaError } from './sigma-error.ts'
import { textOf } from './value-test.ts'
import { compileWildcard, parseWildcard } from './wildcard.ts'

// Seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const RULE = `title: x
id: y
logsource: { product: tocsin }
detection:
  s1:
    a|contains|all: [x, "y*"]
    b|re|i: '^(a|b)+$'
  s2: &k [one, { c|cidr: 10.0.0.0/8 }]
  _s3: *k
  condition: (s1 or not 1 of s*) and s2
level: high
---
title: z
correlation: { type: event_count, rules: y, timespan: 5m, condition: { gte: 5 } }
x-tocsin: { subject: principalId }
`

describe('a damaged text', () => {
  it('is parsed or refused with a place inside it, never anything else', () => {
    const piece = fc.oneof(
      fc.constantFrom(...'|*&?:{}[]()-\'"\\\n \t,#!%@`', '\u0000', '__proto__', '<<', 'null', '- ', '1 of ', '|re', '---\n'),
      fc.string(),
    )
    const cuts = fc.array(fc.record({ at: fc.nat(RULE.length), drop: fc.nat({ max: 12 }), put: piece }), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(cuts, (damage) => {
        let text = RULE
        for (const { at, drop, put } of damage) text = text.slice(0, at) + put + text.slice(at + drop)
        try {
          for (const document of parseSigma(text))
            if (document.kind === 'detection') document.matches(fieldReader({ raw: { a: 'xy' } }))
        } catch (error) {
          if (!(error instanceof SigmaError)) throw error
          expect(error.line).toBeGreaterThan(0)
          expect(error.line).toBeLessThanOrEqual(text.split('\n').length)
          expect(error.message).toMatch(/[.:]$/)
        }
      }),
      { numRuns: 3000 },
    )
  })
})

describe('wildcards', () => {
  it('mean what the same regular expression means', () => {
    const letters = (units: string[]) => fc.array(fc.constantFrom(...units), { maxLength: 9 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(letters(['a', 'b', '*', '?', '\\*', '\\\\']), letters(['a', 'b', '*', '\\']), (literal, text) => {
        const parts = literal.match(/\\[*\\]|[\s\S]/g) ?? []
        const expression = parts
          .map((part) => ({ '*': '[\\s\\S]*', '?': '[\\s\\S]' })[part] ?? `\\u{${part.at(-1)?.codePointAt(0)?.toString(16)}}`)
          .join('')
        expect(compileWildcard(parseWildcard(literal), false)(text)).toBe(new RegExp(`^${expression}$`, 'u').test(text))
      }),
      { numRuns: 5000 },
    )
  })
})

describe('the index conditions', () => {
  it('hold for every event that matches', () => {
    const value = fc.oneof(fc.constantFrom('x', 'Y', 'z', 'x*', ''), fc.constantFrom(1, 2))
    const item = fc.record({
      field: fc.constantFrom('a', 'b', 'a|contains', 'b|neq', 'a|all', 'b|cased'),
      values: fc.array(value, { minLength: 1, maxLength: 3 }),
    })
    const selection = fc.uniqueArray(item, { minLength: 1, maxLength: 3, selector: ({ field }) => field })
    const condition = fc.constantFrom(
      's1',
      's1 and s2',
      's1 or s2',
      'not s1',
      's1 and not s2',
      '1 of s*',
      'all of them',
      'not (s1 or s2)',
    )
    const content = fc.oneof(value, fc.array(value, { maxLength: 3 }), fc.constant(undefined), fc.constant(null))
    const event = fc.record({ a: content, b: content })
    fc.assert(
      fc.property(selection, selection, condition, fc.array(event, { minLength: 5, maxLength: 20 }), (s1, s2, text, events) => {
        const map = (items: typeof s1) => Object.fromEntries(items.map(({ field, values }) => [field, values]))
        const rule = { title: 'x', logsource: { product: 'p' }, detection: { s1: map(s1), s2: map(s2), condition: text } }
        const [document] = parseSigma(JSON.stringify(rule))
        if (document?.kind !== 'detection') throw new Error('no detection')
        for (const raw of events) {
          const fields = fieldReader({ raw })
          if (!document.matches(fields)) continue
          for (const [field, allowed] of document.exact) {
            const held = [fields(field)].flat().map((each) => textOf(each)?.toLowerCase())
            expect(held.some((each) => each !== undefined && allowed.has(each))).toBe(true)
          }
        }
      }),
      { numRuns: 3000 },
    )
  })
})
