import { describe, expect, it } from 'vitest'
import { ALL_TEXT, fieldReader } from './field-reader.ts'

describe('reading fields', () => {
  const cases: [what: string, event: object, field: string, value: unknown][] = [
    ['a canonical name', { action: 'auth.login' }, 'action', 'auth.login'],
    ['a canonical name before the original', { action: 'mapped', raw: { action: 'sent' } }, 'action', 'mapped'],
    ['a dotted path', { sessionContext: { ipAddress: '10.0.0.1' } }, 'sessionContext.ipAddress', '10.0.0.1'],
    [
      'a group name of the session',
      { sessionContext: { ipAddress: '10.0.0.1' }, raw: { ipAddress: 'forged' } },
      'ipAddress',
      '10.0.0.1',
    ],
    ['the original as sent', { raw: { userIdentity: { type: 'Root' } } }, 'userIdentity.type', 'Root'],
    ['unknown keys under details last', { raw: { a: 1 }, details: { a: 2, b: 3 } }, 'b', 3],
    ['a literal key with dots before a path', { raw: { 'a.b': 'key', a: { b: 'path' } } }, 'a.b', 'key'],
    ['the longest literal key first', { raw: { 'a.b': { c: 'long' }, a: { 'b.c': 'short' } } }, 'a.b.c', 'long'],
    ['another way where the longest key leads nowhere', { raw: { 'a.b': { x: 1 }, a: { 'b.c': 'short' } } }, 'a.b.c', 'short'],
    ['what the elements of an array hold', { raw: { r: [{ t: 1 }, { u: 0 }, { t: [2, 3] }] } }, 'r.t', [1, 2, 3]],
    ['null as null', { raw: { a: null }, details: { a: 1 } }, 'a', null],
    ['nothing where the field is absent', { raw: { a: 1 } }, 'b.c', undefined],
    ['nothing below a plain value', { raw: { a: 'text' } }, 'a.length', undefined],
    ['no inherited property', { raw: {} }, 'constructor', undefined],
    ['no inherited path', { raw: { a: {} } }, 'a.__proto__.polluted', undefined],
    ['a hostile key as plain data', { raw: JSON.parse('{"__proto__":{"x":1}}') }, '__proto__.x', 1],
    ['nothing of an original that is text', { raw: 'a log line' }, 'length', undefined],
  ]
  it.each(cases)('gives %s', (_what, event, field, value) => {
    expect(fieldReader(event)(field)).toEqual(value)
  })

  it('gives every text of the event for keyword searches', () => {
    const texts = fieldReader({ details: { a: 'one' }, raw: { b: ['two', { c: 'three' }], d: 4 } })(ALL_TEXT)
    expect(texts).toEqual(expect.arrayContaining(['one', 'two', 'three']))
    expect(texts).toHaveLength(3)
  })
})
