import { expect, test } from 'vitest'
import { type Facets, showing } from './change.ts'

const facets = (more: Partial<Facets> = {}): Facets => ({
  status: 'active',
  severity: 'HIGH',
  type: 'SECURITY',
  source: 'detector',
  merged: false,
  ...more,
})
const ACTIVE = { status: ['active' as const] }

test.each([
  ['a new alert that matches is created', ACTIVE, null, facets(), true, 'created'],
  ['a new alert that does not match is hidden', { severity: ['CRITICAL' as const] }, null, facets(), true, 'hidden'],
  ['a change within the filter is an update', ACTIVE, facets(), facets(), false, 'updated'],
  [
    'an alert that comes into the filter is an update',
    { severity: ['CRITICAL' as const] },
    facets(),
    facets({ severity: 'CRITICAL' }),
    false,
    'updated',
  ],
  ['an alert that leaves the filter is deleted', ACTIVE, facets(), facets({ status: 'resolved' }), false, 'filtered'],
  [
    'a change outside the filter is hidden',
    ACTIVE,
    facets({ status: 'resolved' }),
    facets({ status: 'dismissed' }),
    false,
    'hidden',
  ],
  ['a merged alert is deleted', {}, facets(), facets({ merged: true }), false, 'merged'],
  [
    'what happens to a merged alert later is hidden',
    {},
    facets({ merged: true }),
    facets({ merged: true, status: 'dismissed' }),
    false,
    'hidden',
  ],
  [
    'a merged alert that was never shown is hidden',
    { severity: ['LOW' as const] },
    facets(),
    facets({ merged: true }),
    false,
    'hidden',
  ],
  ['what is not known passes the filter', ACTIVE, undefined, facets({ status: undefined }), false, 'updated'],
  ['an alert that may have been shown is deleted', ACTIVE, undefined, facets({ status: 'resolved' }), false, 'filtered'],
  ['every part of a filter counts', { ...ACTIVE, type: ['SYSTEM' as const] }, null, facets(), true, 'hidden'],
  ['a source is compared exactly', { source: ['monitor'] }, null, facets(), true, 'hidden'],
] as const)('%s', (_title, filter, before, after, created, expected) => {
  const plain = JSON.parse(JSON.stringify(filter)) as Parameters<typeof showing>[0]
  expect(showing(plain, { before, after, created })).toBe(expected)
})
