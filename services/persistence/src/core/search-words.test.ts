import { describe, expect, test } from 'vitest'
import { searchTerms, searchWords } from './search-words.ts'

const organizationId = '6f7b7a0e-2f0c-4f6e-9c38-0a5d2a7a1b11'
const of = (over: object = {}) =>
  searchWords({
    organizationId,
    title: '',
    description: '',
    rule: { id: '', name: '', version: 1, hash: '' },
    source: '',
    group: {},
    tags: [],
    ...over,
  }).map((word) => {
    expect(word.startsWith('6f7b7a0e')).toBe(true)
    return word.slice(8)
  })
const asked = (q: string) => searchTerms(organizationId, { q, tag: null, subjects: null })

describe('words of an alert', () => {
  test('are its pieces between spaces and their ends after punctuation, in lower case', () => {
    expect(of({ title: '(Sign-ins of ADA@example.com)' })).toEqual([
      'sign-ins',
      'ins',
      'of',
      'ada@example.com',
      'example.com',
      'com',
    ])
  })
  test('stay the same where only a count in the description changes', () => {
    expect(of({ description: '5 events from 192.0.2.1.' })).toEqual(of({ description: '17 events from 192.0.2.1.' }))
  })
  test('hold numbers of subjects, and each subject and tag by a digest that no text can make', () => {
    const words = of({ group: { port: '8080' }, tags: ['x'] })
    expect(words).toContain('8080')
    expect(words.filter((word) => /^[=#][0-9a-f]{16}$/.test(word))).toHaveLength(2)
    expect(of({ title: words.join(' ') }).filter((word) => /^[=#+]/.test(word))).toEqual([])
  })
  test('are bounded in number and length, and halves of characters never leave', () => {
    const words = of({ title: Array.from({ length: 9_000 }, (_, at) => `w${at}`).join(' '), source: `${'a'.repeat(63)}😀` })
    expect(words.length).toBeLessThanOrEqual(1_000)
    for (const word of words) expect(word.length).toBeLessThanOrEqual(64)
    for (const word of words) expect(word.isWellFormed()).toBe(true)
  })
})

describe('a search', () => {
  test('asks for beginnings of words, quoted, whatever was typed', () => {
    expect(asked('Ada')).toEqual([`'6f7b7a0eada':*`])
    expect(asked(`o'hara & !x | (b\\c)`)).toEqual([`'6f7b7a0eo''hara':*`, `'6f7b7a0ex':*`, `'6f7b7a0eb\\\\c':*`])
    expect(asked('100%_done:*')).toEqual([`'6f7b7a0e100%_done':*`])
  })
  test('without a letter or digit says so', () => {
    expect(asked('% _ & | !')).toBe('noWord')
  })
  test('of nothing has no terms', () => {
    expect(searchTerms(organizationId, { q: null, tag: null, subjects: null })).toEqual([])
  })
})
