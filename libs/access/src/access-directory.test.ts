import type { AccessRecord } from '@tocsin/contracts'
import { expect, test } from 'vitest'
import { AccessDirectory, authorize, can, NO_ACCESS } from './index.ts'

const one = '6f7b7a0e-2f0c-4f6e-9c38-0a5d2a7a1b11'
const two = '6f7b7a0e-2f0c-4f6e-9c38-0a5d2a7a1b22'
const record = (over: Partial<AccessRecord> = {}): AccessRecord => ({
  subject: 'ada',
  version: 1,
  operator: false,
  memberships: [{ organizationId: one, role: 'viewer' }],
  notBefore: null,
  ...over,
})
const token = (issuedAt: string) => ({
  subject: 'ada',
  id: 'j',
  issuedAt: new Date(issuedAt),
  expiresAt: new Date('2030-01-01T00:00:00Z'),
})

test('an older version never replaces a newer one, and a tombstone takes all access away', () => {
  const directory = new AccessDirectory()
  directory.apply('ada', record({ version: 2, memberships: [] }))
  directory.apply('ada', record({ version: 1 }))
  expect(directory.of('ada').memberships).toEqual([])
  directory.apply('ada', null)
  expect(directory.of('ada')).toBe(NO_ACCESS)
})

test('a token issued before the revocation is refused, a later one is not', () => {
  const directory = new AccessDirectory()
  directory.apply('ada', record({ notBefore: '2026-01-01T00:00:10.000Z' }))
  expect(() => directory.admit(token('2026-01-01T00:00:09.000Z'))).toThrow('revoked')
  expect(directory.admit(token('2026-01-01T00:00:10.000Z')).memberships).toHaveLength(1)
})

test('a request goes to the named organization, else to the only one, else it must name one', () => {
  const both = { ...NO_ACCESS, memberships: [...record().memberships, { organizationId: two, role: 'admin' as const }] }
  const ask = (organizationId: string | undefined) => ({ organizationId, permission: 'alerts:read' as const, what: 'alert' })
  expect(authorize(both, ask(two))).toEqual({ organizationId: two, role: 'admin' })
  expect(authorize(both, ask(two.toUpperCase())).organizationId).toBe(two)
  expect(authorize(record(), ask(undefined)).organizationId).toBe(one)
  expect(() => authorize(both, ask(undefined))).toThrow(
    expect.objectContaining({ status: 400, problemCode: 'ORGANIZATION_REQUIRED' }),
  )
})

test('a foreign organization is answered like a missing one, and a low role is told so only inside its own', () => {
  const permission = 'alerts:acknowledge' as const
  expect(() => authorize(record(), { organizationId: two, permission, what: 'alert' })).toThrow(
    expect.objectContaining({ status: 404, problemCode: 'NOT_FOUND', message: 'There is no such alert.' }),
  )
  expect(() => authorize(record(), { organizationId: one, permission, what: 'alert' })).toThrow(
    expect.objectContaining({ status: 403 }),
  )
})

test('an operator who is no member sees no organization', () => {
  expect(() =>
    authorize({ ...NO_ACCESS, operator: true }, { organizationId: one, permission: 'alerts:read', what: 'alert' }),
  ).toThrow(expect.objectContaining({ status: 404 }))
})

test('roles allow what security.md says', () => {
  expect([
    can('viewer', 'alerts:acknowledge'),
    can('responder', 'alerts:acknowledge'),
    can('auditor', 'alerts:acknowledge'),
  ]).toEqual([false, true, false])
  expect([can('author', 'rules:write'), can('author', 'settings:write'), can('admin', 'settings:write')]).toEqual([
    true,
    false,
    true,
  ])
  expect([can('auditor', 'history:read'), can('viewer', 'history:read')]).toEqual([true, false])
})
