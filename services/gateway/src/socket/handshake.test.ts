import { expect, test } from 'vitest'
import { credentials, type Offer, selectProtocol } from './handshake.ts'

const ORIGIN = 'https://tocsin.example.org'
const offer = (more: Partial<Offer> = {}): Offer => ({
  protocols: [],
  authorization: undefined,
  cookieToken: undefined,
  origin: undefined,
  ...more,
})

test.each([
  ['a bearer subprotocol', offer({ protocols: ['tocsin.v1', 'bearer.abc'] }), { kind: 'token', token: 'abc' }],
  ['an Authorization header', offer({ authorization: 'Bearer abc' }), { kind: 'token', token: 'abc' }],
  [
    'a bearer before a cookie',
    offer({ protocols: ['bearer.abc'], cookieToken: 'c', origin: 'https://evil.example' }),
    { kind: 'token', token: 'abc' },
  ],
  [
    'a cookie from our own page',
    offer({ protocols: ['tocsin.v1'], cookieToken: 'c', origin: ORIGIN }),
    { kind: 'token', token: 'c' },
  ],
  ['a cookie from another page', offer({ cookieToken: 'c', origin: 'https://evil.example' }), { kind: 'refused', status: 403 }],
  ['a cookie without Origin', offer({ cookieToken: 'c' }), { kind: 'refused', status: 403 }],
  ['nothing', offer(), { kind: 'refused', status: 401 }],
])('%s', (_title, given, expected) => {
  expect(credentials(given, ORIGIN)).toMatchObject(expected)
})

test.each([
  [['tocsin.v1', 'bearer.abc'], 'tocsin.v1'],
  [['bearer.abc', 'tocsin.v1'], 'tocsin.v1'],
  [['bearer.abc'], 'bearer.abc'],
  [['bearer.abc', 'chat'], false],
  [['chat'], false],
])('of %j the server selects %s', (offered, expected) => {
  expect(selectProtocol(new Set(offered))).toBe(expected)
})
