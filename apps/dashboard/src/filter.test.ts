import { expect, test } from 'vitest'
import { filterOf, isLive, orderOf, parseSearch, readSearch, stringifySearch } from './filter.ts'

test('a filter survives the address', () => {
  const search = { status: ['active', 'acknowledged'], severity: ['HIGH'], org: 'acme' } as const
  expect(stringifySearch(search)).toBe('?status=active&status=acknowledged&severity=HIGH&org=acme')
  expect(readSearch(parseSearch(stringifySearch(search)))).toEqual(search)
})

test('so do words, times, order and count', () => {
  const search = {
    q: 'mal & co',
    subject: 'mallory',
    from: '2026-03-01T00:00:00.000Z',
    merged: true,
    sort: 'severity',
    order: 'asc',
    total: true,
  }
  expect(readSearch(parseSearch(stringifySearch(search)))).toEqual(search)
  expect(filterOf(readSearch(search))).toEqual({
    q: 'mal & co',
    subject: 'mallory',
    from: '2026-03-01T00:00:00.000Z',
    merged: true,
  })
  expect(orderOf(readSearch(search))).toEqual({ sort: 'severity', order: 'asc' })
})

test('what is not known in an address is left out', () => {
  const known = readSearch(
    parseSearch('?status=nonsense&severity=HIGH&severity=LOUD&__proto__=x&org=&q=&from=soon&sort=luck&total=1'),
  )
  expect(known).toEqual({ severity: ['HIGH'] })
  expect(filterOf(readSearch(parseSearch('?org=acme')))).toEqual({})
  expect(stringifySearch({})).toBe('')
})

test('only what the socket can judge is kept live: newest first, by the filters that it has', () => {
  const newest = orderOf({})
  expect(isLive({ severity: ['HIGH'], source: 'detector' }, newest)).toBe(true)
  expect(isLive({ q: 'mallory' }, newest)).toBe(false)
  expect(isLive({ merged: true }, newest)).toBe(false)
  expect(isLive({}, { sort: 'count', order: 'desc' })).toBe(false)
})
