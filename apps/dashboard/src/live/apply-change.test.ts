import type { Alert, AlertPage } from '@tocsin/contracts'
import { expect, test } from 'vitest'
import type { ChangeMessage } from './alert-socket.ts'
import { applyChange, applyToHeld, type LoadedPages, newer, refreshed } from './apply-change.ts'

const alert = (n: number, more: Partial<Alert> = {}): Alert =>
  ({
    id: `a${n}`,
    title: `Alert ${n}`,
    revision: 1,
    version: 0,
    status: 'active',
    count: 5,
    createdAt: new Date(n * 1000).toISOString(),
    updatedAt: new Date(n * 1000).toISOString(),
    ...more,
  }) as Alert
const page = (items: readonly Alert[], nextCursor: string | null): AlertPage => ({
  items: [...items],
  nextCursor,
  streamCursor: 's',
})
const loaded = (...pages: AlertPage[]): LoadedPages => ({ pages, pageParams: pages.map(() => null) })
const message = (given: Partial<Alert>, type: 'alert_created' | 'alert_updated' = 'alert_updated') =>
  ({ type, timestamp: '', cursor: 'c', alert: given }) as ChangeMessage
const ids = (data: LoadedPages) => data.pages.map((each) => each.items.map((item) => item.id))

test('a new alert comes first', () => {
  expect(ids(applyChange(loaded(page([alert(5), alert(3)], 'more')), message(alert(9), 'alert_created')))).toEqual([
    ['a9', 'a5', 'a3'],
  ])
})

test('an alert is put where its time belongs, and one older than what is loaded waits for its page', () => {
  const data = loaded(page([alert(9), alert(5)], 'more'), page([alert(4), alert(2)], 'more'))
  expect(ids(applyChange(data, message(alert(3))))).toEqual([
    ['a9', 'a5'],
    ['a4', 'a3', 'a2'],
  ])
  expect(ids(applyChange(data, message(alert(1))))).toEqual(ids(data))
})

test('at the end of the whole list the oldest goes last, also into an empty list', () => {
  expect(ids(applyChange(loaded(page([alert(5)], null)), message(alert(1))))).toEqual([['a5', 'a1']])
  expect(ids(applyChange(loaded(page([], null)), message(alert(1))))).toEqual([['a1']])
})

test('the newer of each half wins, whatever the order in which they come', () => {
  const acknowledged = alert(1, { version: 1, status: 'acknowledged' })
  const grown = alert(1, { revision: 2, count: 9 })
  const both = { count: 9, revision: 2, status: 'acknowledged', version: 1 }
  expect(newer(newer(alert(1), acknowledged), grown)).toMatchObject(both)
  expect(newer(newer(alert(1), grown), acknowledged)).toMatchObject(both)
  expect(newer(newer(grown, acknowledged), alert(1))).toMatchObject(both)
})

test('a partial alert changes what it holds and is never shown by itself', () => {
  const data = loaded(page([alert(1)], null))
  const changed = applyChange(data, message({ id: 'a1', version: 1, status: 'resolved' }))
  expect(changed.pages[0]?.items[0]).toMatchObject({ status: 'resolved', title: 'Alert 1' })
  expect(ids(applyChange(data, message({ id: 'a2', version: 1, status: 'resolved' })))).toEqual([['a1']])
})

test('a deleted alert goes, and coalesced changes all apply', () => {
  const data = loaded(page([alert(2), alert(1)], null))
  expect(
    ids(applyChange(data, { type: 'alert_deleted', timestamp: '', cursor: 'c', alertId: 'a2', reason: 'filtered' })),
  ).toEqual([['a1']])
  expect(ids(applyChange(data, { type: 'bulk_update', timestamp: '', cursor: 'c', alerts: [alert(3), alert(4)] }))).toEqual([
    ['a4', 'a3', 'a2', 'a1'],
  ])
})

test('the answer to an act changes an alert that is listed, and does not bring back one that has left the list', () => {
  const data = loaded(page([alert(5), alert(3)], null))
  const dismissed = alert(5, { status: 'dismissed', version: 1 })
  expect(refreshed(data, dismissed).pages[0]?.items[0]).toMatchObject({ id: 'a5', status: 'dismissed' })
  const without = applyChange(data, { type: 'alert_deleted', timestamp: '', cursor: 'c', alertId: 'a5', reason: 'filtered' })
  expect(ids(refreshed(without, dismissed))).toEqual([['a3']])
})

test('a list that only the server can judge takes changes of what it holds, and lets nothing in', () => {
  const data = loaded(page([alert(5), alert(3)], null))
  expect(ids(applyToHeld(data, message(alert(9), 'alert_created')))).toEqual([['a5', 'a3']])
  expect(applyToHeld(data, message(alert(3, { revision: 2, count: 9 }))).pages[0]?.items[1]).toMatchObject({ id: 'a3', count: 9 })
})
