import { expect, test } from 'vitest'
import { subjectOf } from './oidc-subject.ts'

test('a verified e-mail address is a subject, an unverified one is nobody', () => {
  const claims = { sub: '1', email: 'Ada@Example.org', email_verified: true }
  expect(subjectOf(claims, 'email')).toEqual({ subject: 'ada@example.org' })
  for (const email_verified of [false, undefined, 'true'])
    expect(subjectOf({ ...claims, email_verified }, 'email')).toEqual({ refused: 'emailNotVerified' })
  expect(subjectOf({ sub: '1' }, 'email')).toEqual({ refused: 'noClaim' })
})

test('the provider’s own id is taken as it is, and never a name of the system', () => {
  expect(subjectOf({ sub: 'Ab1' }, 'sub')).toEqual({ subject: 'Ab1' })
  for (const sub of ['system', 'key:1']) expect(subjectOf({ sub }, 'sub')).toEqual({ refused: 'reserved' })
  expect(subjectOf({ sub: 'x'.repeat(256) }, 'sub')).toEqual({ refused: 'noClaim' })
})
