import { importJWK, SignJWT } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import { forgedTokens } from './fixtures/forged-tokens.ts'
import {
  generateKeyRing,
  issueServiceToken,
  issueSignInLink,
  issueToken,
  type KeyRing,
  verifyServiceToken,
  verifySignInCode,
  verifyToken,
} from './index.ts'

let ring: KeyRing
let other: KeyRing
beforeAll(async () => {
  ring = await generateKeyRing()
  other = await generateKeyRing()
})

const now = () => Math.floor(Date.now() / 1000)
const privateKey = (from: KeyRing) => importJWK(from.tokens.keys['k1']?.privateJwk ?? {}, 'EdDSA')

/** A token like ours except for what `change` says. */
async function forged(change: { header?: object; claims?: object; from?: KeyRing } = {}): Promise<string> {
  const claims = { iss: 'tocsin', aud: 'tocsin', sub: 'eve', iat: now(), exp: now() + 60, jti: 'j', ...change.claims }
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'EdDSA', kid: 'k1', typ: 'at+jwt', ...change.header })
    .sign(await privateKey(change.from ?? ring))
}

test('a token proves its subject, and each has an id of its own', async () => {
  const first = await verifyToken(ring, await issueToken(ring, { subject: 'ada@example.org', ttlSeconds: 60 }))
  const second = await verifyToken(ring, await issueToken(ring, { subject: 'ada@example.org', ttlSeconds: 60 }))
  expect(first.subject).toBe('ada@example.org')
  expect(first.id).not.toBe(second.id)
  expect(first.expiresAt.getTime() - first.issuedAt.getTime()).toBe(60_000)
})

test('every forged token is refused with 401 and the same words, and so is none', async () => {
  const forgeries: Record<string, string | undefined> = {
    'is missing': undefined,
    'is empty': '',
    ...(await forgedTokens(ring, 'eve')),
  }
  for (const [wrong, token] of Object.entries(forgeries))
    await expect(verifyToken(ring, token), `a token that ${wrong}`).rejects.toMatchObject({
      status: 401,
      problemCode: 'UNAUTHENTICATED',
      message: 'The token is missing or not valid. Sign in again, or send a valid token in Authorization: Bearer.',
    })
})

const codeOf = (link: string) => new URL(link).searchParams.get('code') ?? ''

test('a sign-in link carries a code that proves its subject, and a token is no such code', async () => {
  const link = await issueSignInLink(ring, 'http://127.0.0.1:8080/', 'ada')
  expect(link).toMatch(/^http:\/\/127\.0\.0\.1:8080\/auth\/signin\?code=/)
  expect((await verifySignInCode(ring, codeOf(link))).subject).toBe('ada')
  await expect(verifySignInCode(ring, await issueToken(ring, { subject: 'ada', ttlSeconds: 60 }))).rejects.toMatchObject({
    status: 401,
  })
})

test('a service token is good for one callee only and names the person in whose place it calls', async () => {
  const token = await issueServiceToken(ring, { caller: 'gateway', audience: 'persistence', act: 'ada' })
  expect(await verifyServiceToken(ring, token, 'persistence')).toEqual({ caller: 'gateway', act: 'ada' })
  await expect(verifyServiceToken(ring, token, 'notifier')).rejects.toMatchObject({ status: 401 })
  await expect(verifyServiceToken(other, token, 'persistence')).rejects.toMatchObject({ status: 401 })
  await expect(verifyServiceToken(ring, await forged({ claims: { aud: 'persistence' } }), 'persistence')).rejects.toMatchObject({
    status: 401,
  })
})
