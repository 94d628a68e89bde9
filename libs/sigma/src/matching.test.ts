import { describe, expect, it } from 'vitest'
import type { SigmaDetection } from './document.ts'
import { fieldReader } from './field-reader.ts'
import { parseSigma } from './parse-sigma.ts'

function detection(body: string): SigmaDetection {
  const indented = body.trim().replace(/^/gm, '  ')
  const [document] = parseSigma(`title: a rule\nlogsource: { product: tocsin }\ndetection:\n${indented}\n`)
  if (document?.kind !== 'detection') throw new Error('not a detection')
  return document
}

const matches = (body: string, raw: unknown): boolean => detection(body).matches(fieldReader({ raw }))
const item = (text: string, raw: unknown): boolean => matches(`s:\n  ${text}\ncondition: s`, raw)

describe('matching a field', () => {
  const cases: [item: string, raw: unknown, expected: boolean][] = [
    ['a: Value', { a: 'vALUE' }, true],
    ['a: value', { a: 'value ' }, false],
    ['a: value', {}, false],
    ['a: value', { a: null }, false],
    ['a: [x, y]', { a: 'Y' }, true],
    ['a: [x, y]', { a: 'z' }, false],
    ['a: x', { a: ['z', 'x'] }, true],
    ['a: x', { a: [] }, false],
    ['a: "*"', { a: '' }, true],
    ['a: "*"', {}, false],
    ['a: "x*z"', { a: 'xyyz' }, true],
    ['a: "x*z"', { a: 'xyyza' }, false],
    ['a: "x*y*z"', { a: 'x-y-y-z' }, true],
    ['a: "xy*yz"', { a: 'xyz' }, false],
    ['a: "x?z"', { a: 'x😀z' }, true],
    ['a: "x?z"', { a: 'xz' }, false],
    ['a: "?*?"', { a: 'x' }, false],
    ["a: 'x\\*z'", { a: 'x*z' }, true],
    ["a: 'x\\*z'", { a: 'xyz' }, false],
    ["a: 'x\\\\*'", { a: 'x\\anything' }, true],
    ["a: 'C:\\Windows'", { a: 'c:\\windows' }, true],
    ["a: ''", { a: '' }, true],
    ["a: ''", {}, false],
    ["a: ''", { a: null }, false],
    ['a: null', {}, true],
    ['a:', { a: null }, true],
    ['a: null', { a: '' }, false],
    ['a: 5', { a: 5 }, true],
    ['a: 5', { a: '5.0' }, true],
    ['a: "5"', { a: 5 }, true],
    ['a: 5', { a: 'x5' }, false],
    ['a: 9007199254740993', { a: '9007199254740993' }, true],
    ['a: 9007199254740993', { a: '9007199254740992' }, false],
    ['a: true', { a: true }, true],
    ['a: true', { a: 'True' }, true],
    ['a: true', { a: 1 }, false],
    ['a|contains: ell', { a: 'HELLO' }, true],
    ['a|contains: Failure', { a: { ConsoleLogin: 'Failure' } }, false],
    ['a.ConsoleLogin: failure', { a: { ConsoleLogin: 'Failure' } }, true],
    ["a|contains: '*'", { a: [{ arn: 'x' }] }, false],
    ["a|contains: '*'", { a: ['x'] }, true],
    ["a|re: ''", { a: {} }, false],
    ["a: 'x*y'", { a: 'x\ny' }, true],
    ["a: '?'", { a: '\n' }, true],
    ['a.b: x', { a: [{ b: 'y' }, { b: ['z', 'X'] }] }, true],
    ['a.b|exists: true', { a: [{ b: [] }] }, true],
    ['a.b|exists: true', { a: [{ c: 1 }] }, false],
    ['a.b: null', { a: [{ b: [] }] }, false],
    ['a.b: null', { a: [{ c: 1 }] }, true],
    ['a: null', { a: ['x', null] }, true],
    ["a|contains: '*'", { a: null }, false],
    ['a|contains: "e?l"', { a: 'hello' }, true],
    ['a|contains|all: [he, lo]', { a: 'hello' }, true],
    ['a|contains|all: [he, xx]', { a: 'hello' }, false],
    ['a|all: [x, y]', { a: ['x', 'y', 'z'] }, true],
    ['a|all: [x, y]', { a: ['x'] }, false],
    ['a|startswith: [x, he]', { a: 'hello' }, true],
    ['a|startswith: lo', { a: 'hello' }, false],
    ['a|endswith: LO', { a: 'hello' }, true],
    ['a|endswith: he', { a: 'hello' }, false],
    ['a|cased: Value', { a: 'Value' }, true],
    ['a|cased: Value', { a: 'value' }, false],
    ['a|contains|cased: EL', { a: 'hello' }, false],
    ['a|neq: x', { a: 'y' }, true],
    ['a|neq: x', { a: 'X' }, false],
    ['a|neq: [x, y]', { a: 'y' }, false],
    ['a|neq: x', {}, false],
    ['a|neq: x', { a: null }, true],
    ['a|neq: null', {}, false],
    ['a|neq: null', { a: 'y' }, true],
    ['a|exists: true', { a: null }, true],
    ['a|exists: true', {}, false],
    ['a|exists: false', {}, true],
    ["a|re: 'h.l+o$'", { a: 'say hello' }, true],
    ["a|re: '^HELLO'", { a: 'hello' }, false],
    ["a|re|i: '^HELLO'", { a: 'hello' }, true],
    ["a|re|m: '^b$'", { a: 'a\nb\nc' }, true],
    ["a|re: '^b$'", { a: 'a\nb\nc' }, false],
    ["a|re|s|i: 'A.B'", { a: 'a\nb' }, true],
    ["a|re: '.'", { a: 7 }, true],
    ['a|cidr: 10.0.0.0/8', { a: '10.255.0.1' }, true],
    ['a|cidr: 10.0.0.0/8', { a: '11.0.0.1' }, false],
    ['a|cidr: 192.168.4.0/22', { a: '192.168.7.255' }, true],
    ['a|cidr: 192.168.4.0/22', { a: '192.168.8.0' }, false],
    ['a|cidr: 10.0.0.1', { a: '10.0.0.1' }, true],
    ['a|cidr: 0.0.0.0/0', { a: '1.2.3.4' }, true],
    ['a|cidr: 0.0.0.0/0', { a: '2001:db8::1' }, false],
    ['a|cidr: [fe80::/10, "2001:db8::/32"]', { a: '2001:DB8:ffff::1' }, true],
    ['a|cidr: 2001:db8::/33', { a: '2001:db8:8000::1' }, false],
    ['a|cidr: 10.0.0.0/8', { a: '::ffff:10.1.2.3' }, true],
    ['a|cidr: "::ffff:10.0.0.0/104"', { a: '10.1.2.3' }, true],
    ['a|cidr: 10.0.0.0/8', { a: 'ssm.amazonaws.com' }, false],
    ['a|fieldref: b', { a: 'x', b: 'X' }, true],
    ['a|fieldref|cased: b', { a: 'x', b: 'X' }, false],
    ['a|fieldref: b', { a: 'x*', b: 'xy' }, false],
    ['a|fieldref: b', { a: ['p', 'q'], b: ['r', 'q'] }, true],
    ['a|fieldref: b', {}, false],
    ['a|fieldref: b', { a: 5, b: '5.0' }, true],
    ['a|fieldref|startswith: b', { a: 'hello', b: 'HE' }, true],
    ['a|fieldref|neq: b', { a: 'x', b: 'y' }, true],
    ['a|lt: 5', { a: 4.9 }, true],
    ['a|lt: 5', { a: 5 }, false],
    ['a|lte: 5', { a: '5' }, true],
    ['a|gt: 5', { a: '12' }, true],
    ['a|gte: 5', { a: 'many' }, false],
    ['a|gte: 5', { a: [1, 7] }, true],
    ['a|gte: 5', {}, false],
  ]
  it.each(cases)('%s on %j is %s', (text, raw, expected) => {
    expect(item(text, raw)).toBe(expected)
  })
})

describe('matching a rule', () => {
  const cases: [what: string, body: string, raw: unknown, expected: boolean][] = [
    ['a map needs all of its fields', 's: { a: 1, b: 2 }\ncondition: s', { a: 1 }, false],
    ['a list of maps needs one', 's: [{ a: 1 }, { b: 2 }]\ncondition: s', { b: 2 }, true],
    ['keywords are found in any text', 's: [needle, pin]\ncondition: s', { a: ['x', { b: 'a NEEDLE here' }] }, true],
    ['keywords are not found in names of fields', 's: [needle]\ncondition: s', { needle: 'hay' }, false],
    ['keywords take wildcards', "s: ['n*e']\ncondition: s", { a: 'a needle here' }, true],
    ['all keywords may be in different texts', "s: { '|all': [a1, b1] }\ncondition: s", { x: 'a1', y: 'b1' }, true],
    ['all keywords are needed', "s: { '|all': [a1, b1] }\ncondition: s", { x: 'a1' }, false],
    ['keywords and maps may stand in one list', 's: [needle, { a: 1 }]\ncondition: s', { a: 1 }, true],
    ['and binds stronger than or', 'x: { x: 1 }\ny: { y: 1 }\nz: { z: 1 }\ncondition: x or y and z', { x: 1 }, true],
    ['not binds stronger than and', 'x: { x: 1 }\ny: { y: 1 }\ncondition: not x and y', { y: 1 }, true],
    ['not before a quantifier negates the whole', 'x1: { x: 1 }\nx2: { y: 1 }\ncondition: not 1 of x*', { y: 1 }, false],
    ['parentheses group', 'x: { x: 1 }\ny: { y: 1 }\nz: { z: 1 }\ncondition: (x or y) and z', { x: 1 }, false],
    ['words of the grammar may be upper case', 'x: { x: 1 }\ny: { y: 1 }\ncondition: x AND NOT y', { x: 1 }, true],
    ['1 of a pattern', 's1: { x: 1 }\ns2: { y: 1 }\ncondition: 1 of s*', { y: 1 }, true],
    ['any of is 1 of', 's1: { x: 1 }\ns2: { y: 1 }\ncondition: any of s*', { y: 1 }, true],
    ['all of a pattern', 's1: { x: 1 }\ns2: { y: 1 }\ncondition: all of s*', { y: 1 }, false],
    ['them skips identifiers with _', 's1: { x: 1 }\n_t: { y: 1 }\ncondition: all of them', { x: 1 }, true],
    ['a pattern skips identifiers with _', 's_t: { x: 1 }\n_t: { y: 1 }\ncondition: 1 of *_t', { y: 1 }, false],
    ['an identifier with _ may be named', '_t: { y: 1 }\ncondition: _t', { y: 1 }, true],
    ['a list of conditions is any of them', 'x: { x: 1 }\ny: { y: 1 }\ncondition: [x, y]', { y: 1 }, true],
    ['anchors and aliases are data', 'x: &x { x: 1 }\ny: *x\ncondition: y', { x: 1 }, true],
  ]
  it.each(cases)('%s', (_what, body, raw, expected) => {
    expect(matches(body, raw)).toBe(expected)
  })

  it('names the fields it reads', () => {
    const rule = detection('x: { a: 1, b|fieldref: c }\ny: { d|contains: z }\ncondition: x and not y')
    expect([...rule.fields].sort()).toEqual(['a', 'b', 'c', 'd'])
  })
})

describe('the index conditions of a rule', () => {
  const exactOf = (body: string) =>
    Object.fromEntries([...detection(body).exact].map(([field, texts]) => [field, [...texts].sort()]))

  it('are those that every matching event must meet', () => {
    expect(exactOf('s: { a: [X, y], b|contains: z, c: w }\nf: { d: v }\ncondition: s and not f')).toEqual({
      a: ['x', 'y'],
      c: ['w'],
    })
  })
  it('hold for both sides of or', () => {
    expect(exactOf('s: { a: x, c: w }\nt: { a: y }\ncondition: s or t')).toEqual({ a: ['x', 'y'] })
  })
  it('leave out wildcards, numbers and null, which other texts may meet', () => {
    expect(exactOf('s: { a: "x*", b: 5, c: null }\ncondition: s')).toEqual({})
  })
  it('keep the smaller set where a field is named twice', () => {
    expect(exactOf('s: { a: [x, y] }\nt: { a: x }\ncondition: s and t')).toEqual({ a: ['x'] })
  })
})
