import { createHmac } from 'node:crypto'
import { exportSPKI, importJWK, SignJWT, UnsecuredJWT } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
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

/** HS256 over the text of our public key: what a verifier that trusts the token's `alg` accepts. */
async function signedWithPublicKey(): Promise<string> {
  const key = await importJWK(ring.tokens.keys['k1']?.publicJwk ?? {}, 'EdDSA', { extractable: true })
  const secret = await exportSPKI(key as Parameters<typeof exportSPKI>[0])
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const head = `${encode({ alg: 'HS256', kid: 'k1', typ: 'at+jwt' })}.${encode({ iss: 'tocsin', aud: 'tocsin', sub: 'eve', iat: now(), exp: now() + 60, jti: 'j' })}`
  return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`
}

test('a token proves its subject, and each has an id of its own', async () => {
  const first = await verifyToken(ring, await issueToken(ring, { subject: 'ada@example.org', ttlSeconds: 60 }))
  const second = await verifyToken(ring, await issueToken(ring, { subject: 'ada@example.org', ttlSeconds: 60 }))
  expect(first.subject).toBe('ada@example.org')
  expect(first.id).not.toBe(second.id)
  expect(first.expiresAt.getTime() - first.issuedAt.getTime()).toBe(60_000)
})

describe('a token is refused with 401 and the same words', () => {
  const cases: Record<string, () => Promise<string | undefined>> = {
    'that is missing': async () => undefined,
    'that is empty': async () => '',
    'that is no token': async () => 'abc.def.ghi',
    'that is huge': async () => `${await forged()}${'a'.repeat(100_000)}`,
    'without a signature (alg none)': async () =>
      new UnsecuredJWT({ sub: 'eve', jti: 'j' })
        .setIssuer('tocsin')
        .setAudience('tocsin')
        .setIssuedAt()
        .setExpirationTime('1m')
        .encode(),
    'signed by HS256 with the public key': signedWithPublicKey,
    'signed by another installation': () => forged({ from: other }),
    'with an unknown key id': () => forged({ header: { kid: 'k2' } }),
    'with a path as key id': () => forged({ header: { kid: '../../dev/null' } }),
    'with __proto__ as key id': () => forged({ header: { kid: '__proto__' } }),
    'that has expired': () => forged({ claims: { iat: now() - 120, exp: now() - 60 } }),
    'that never expires': () => forged({ claims: { exp: undefined } }),
    'that is not valid yet': () => forged({ claims: { nbf: now() + 120 } }),
    'issued in the future': () => forged({ claims: { iat: now() + 120, exp: now() + 240 } }),
    'for another audience': () => forged({ claims: { aud: 'billing' } }),
    'of another issuer': () => forged({ claims: { iss: 'somebody' } }),
    'without a subject': () => forged({ claims: { sub: undefined } }),
    'with an empty subject': () => forged({ claims: { sub: '' } }),
    'of another type': () => forged({ header: { typ: 'signin+jwt' } }),
    'that is a sign-in code': async () => codeOf(await issueSignInLink(ring, 'http://127.0.0.1:1', 'eve')),
    'that is a service token': () => issueServiceToken(ring, { caller: 'gateway', audience: 'tocsin' }),
  }
  test.each(Object.keys(cases))('%s', async (name) => {
    await expect(cases[name]?.().then((token) => verifyToken(ring, token))).rejects.toMatchObject({
      status: 401,
      problemCode: 'UNAUTHENTICATED',
      message: 'The token is missing or not valid. Sign in again, or send a valid token in Authorization: Bearer.',
    })
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
