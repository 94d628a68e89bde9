import { expect, test } from 'vitest'
import { filterOf, parseSearch, readSearch, stringifySearch } from './filter.ts'

test('a filter survives the address', () => {
  const search = { status: ['active', 'acknowledged'], severity: ['HIGH'], org: 'acme' } as const
  expect(stringifySearch(search)).toBe('?status=active&status=acknowledged&severity=HIGH&org=acme')
  expect(readSearch(parseSearch(stringifySearch(search)))).toEqual(search)
})

test('what is not known in an address is left out', () => {
  expect(readSearch(parseSearch('?status=nonsense&severity=HIGH&severity=LOUD&__proto__=x&org='))).toEqual({ severity: ['HIGH'] })
  expect(filterOf(readSearch(parseSearch('?org=acme')))).toEqual({})
  expect(stringifySearch({})).toBe('')
})
