import { describe, expect, it } from 'vitest'
import { finish, MAX_ITEM_BYTES, MAX_ITEMS, readJsonItems, readTextItems } from './items.ts'

const items = (text: string, lines = false) => finish(readJsonItems(text, { lines }))
const nested = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`

describe('items of a body', () => {
  it('are one object, the elements of an array, or the lines of NDJSON', () => {
    expect(items(' {"a":1}\n').map(({ value }) => value)).toEqual([{ a: 1 }])
    expect(items('[{"a":1}, 2 ]').map(({ value }) => value)).toEqual([{ a: 1 }, 2])
    expect(items('{"a":1}\n{"a":2}\r\n\n{"a":3}').map(({ value }) => value)).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }])
    expect(items('{\n "a": 1\n}').map(({ value }) => value)).toEqual([{ a: 1 }])
    expect(items('[]')).toEqual([])
  })

  it('are the records of CloudTrail envelopes', () => {
    expect(items('{"Records":[{"a":1},{"a":2}]}\n{"Records":[{"a":3}]}').map(({ value }) => value)).toEqual([
      { a: 1 },
      { a: 2 },
      { a: 3 },
    ])
    const [good, bad] = items('{"Records":[{"a":1},{"__proto__":2}]}')
    expect(good?.faults).toEqual([])
    expect(bad?.faults).toMatchObject([{ code: 'FORBIDDEN_KEY', pointer: '/__proto__' }])
  })

  it.each(['', ' \n', '{"a":1', '{"a":1}}', '[1,]', '[1', 'nonsense', '{"a":1} {"a":2}', '[{}]x', "{'a':1}", '\u0000'])(
    'cannot be read from %j',
    (text) => {
      expect(() => items(text)).toThrow()
    },
  )

  it('are rejected one by one where a line of NDJSON is malformed', () => {
    for (const lines of [true, false]) {
      const [first, second, third] = items('{"a":1}\n{"a":\n{"a":3}', lines)
      expect([first?.faults, second?.faults[0]?.code, third?.value]).toEqual([[], 'INVALID_FORMAT', { a: 3 }])
    }
    expect(() => items('{bad\n{worse', true)).toThrow('No line')
  })

  it('are nested at most 64 deep, each counted from its own level', () => {
    for (const wrap of [(item: string) => item, (item: string) => `[${item}]`, (item: string) => `{"Records":[${item}]}`]) {
      expect(items(wrap(nested(64)))[0]?.faults).toEqual([])
      for (const depth of [65, 66, 67, 68, 5000]) {
        expect(items(wrap(nested(depth)))[0]?.faults).toMatchObject([{ code: 'EXCEEDS_MAX_DEPTH' }])
      }
    }
  })

  it('have at most 1 MiB each, in UTF-8', () => {
    const sized = (bytes: number) => JSON.stringify({ a: 'é'.repeat((bytes - 8) / 2) })
    expect(items(sized(MAX_ITEM_BYTES))[0]?.faults).toEqual([])
    const [large, small] = items(`[${sized(MAX_ITEM_BYTES + 2)},{}]`)
    expect([large?.faults[0]?.code, small?.faults]).toEqual(['EXCEEDS_MAX_LENGTH', []])
  })

  it(`are at most ${MAX_ITEMS}`, () => {
    expect(items(`[${'{},'.repeat(MAX_ITEMS - 1)}{}]`)).toHaveLength(MAX_ITEMS)
    expect(() => items(`[${'{},'.repeat(MAX_ITEMS)}{}]`)).toThrow('at most')
    expect(() => items('{}\n'.repeat(MAX_ITEMS + 1))).toThrow('at most')
    expect(() => readTextItems('a\n'.repeat(MAX_ITEMS + 1))).toThrow('at most')
  })

  it('of text are its lines that are not empty', () => {
    expect(readTextItems('a\r\n\n b\u0000\n').map(({ value, faults }) => [value, faults.length])).toEqual([
      ['a', 0],
      [' b\u0000', 1],
    ])
    expect(() => readTextItems('\n \n')).toThrow()
  })
})
