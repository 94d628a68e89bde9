import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonReader, MalformedJson } from './json-reader.ts'

const read = (text: string, maxDepth = 64) => {
  const reader = new JsonReader(text, maxDepth)
  return { value: reader.read(), faults: reader.faults.list, depth: reader.depthSeen, reader }
}

describe('the reader', () => {
  it('reads what JSON.parse reads, to the same value', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (text) => {
        const { value, faults, reader } = read(text)
        // Where we differ on purpose: keys that we refuse, and numbers that become text.
        if (faults.length === 0 && !reader.sawBigNumber) expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)))
      }),
      { numRuns: 500 },
    )
  })

  it('refuses what JSON.parse refuses, and nothing else', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '1',
      '-',
      '01',
      '1.',
      '1e5',
      'true',
      'nul',
      ' ',
      '\\',
      '\n',
      '\u0001',
      '"\\u00',
      '"\\x"',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('')
        let ours = true
        try {
          const reader = new JsonReader(text, 64)
          reader.read()
          reader.skipSpace()
          ours = reader.atEnd()
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedJson)
          ours = false
        }
        let theirs = true
        try {
          JSON.parse(text)
        } catch {
          theirs = false
        }
        expect(ours).toBe(theirs)
      }),
      { numRuns: 3000 },
    )
  })

  it.each(['__proto__', 'constructor', 'prototype'])('names the forbidden key %s and pollutes nothing', (key) => {
    const { value, faults } = read(`{"a":[{"${key}":{"polluted":1}}],"b/c~d":{"\\u005f${key.slice(1)}":1}}`)
    expect(faults[0]).toMatchObject({ code: 'FORBIDDEN_KEY', pointer: `/a/0/${key}` })
    expect(value).toEqual({ a: [{}], 'b/c~d': key === '__proto__' ? {} : { [`_${key.slice(1)}`]: 1 } })
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('refuses a key given twice, NUL and lone surrogates by pointer', () => {
    expect(read('{"a":1,"a":2}').faults).toMatchObject([{ code: 'INVALID_VALUE', pointer: '/a' }])
    expect(read('{"a":"x\\u0000"}').faults).toMatchObject([{ code: 'INVALID_VALUE', pointer: '/a' }])
    expect(read('{"a/b":["\\ud800"]}').faults).toMatchObject([{ code: 'INVALID_VALUE', pointer: '/a~1b/0' }])
    expect(read('{"\\ud800":1}').faults).toMatchObject([{ code: 'INVALID_VALUE' }])
    expect(read('{"a":"\\ud83d\\ude00"}')).toMatchObject({ value: { a: '😀' }, faults: [] })
  })

  it('keeps numbers beyond 2^53 - 1 as they were written', () => {
    expect(read('[9007199254740991,9007199254740993,-1e400,1E20,-0,0.1]').value).toEqual([
      9007199254740991,
      '9007199254740993',
      '-1e400',
      '1E20',
      0,
      0.1,
    ])
  })

  it('bears any depth: what is too deep is skipped and named', () => {
    const deep = 100_000
    expect(() => read('['.repeat(deep))).toThrow(MalformedJson)
    expect(() => read('{"a":'.repeat(deep))).toThrow(MalformedJson)
    const { faults } = read(`{"x":${'['.repeat(deep)}${']'.repeat(deep)},"y":1}`)
    expect(faults).toMatchObject([{ code: 'EXCEEDS_MAX_DEPTH' }])
    expect(() => read(`${'['.repeat(100)}${'}'.repeat(100)}`)).toThrow(MalformedJson)
  })
})
