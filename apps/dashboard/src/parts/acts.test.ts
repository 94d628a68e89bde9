import { expect, test } from 'vitest'
import { isOffered, labelOrder, wentOn } from './acts.ts'

test('what is offered is what the state allows', () => {
  expect(isOffered({ status: 'active' }, 'unacknowledge')).toBe(false)
  expect(isOffered({ status: 'acknowledged' }, 'unacknowledge')).toBe(true)
  expect(isOffered({ status: 'resolved' }, 'dismiss')).toBe(false)
  expect(isOffered({ status: 'dismissed' }, 'reopen')).toBe(true)
  expect(isOffered({ status: 'dismissed' }, 'comment')).toBe(true)
})

test('labels are told as what comes and what goes', () => {
  expect(labelOrder(['a', 'b'], ' B, c d ,, C D')).toEqual({ act: 'label', add: ['c d'], remove: ['a'] })
})

test('an ended alert went on when more came since', () => {
  expect(wentOn({ count: 5, endedAtCount: null })).toBe(false)
  expect(wentOn({ count: 5, endedAtCount: 5 })).toBe(false)
  expect(wentOn({ count: 6, endedAtCount: 5 })).toBe(true)
})
