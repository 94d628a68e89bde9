import { expect, test } from 'vitest'
import { forwardedHeaders } from './forwarded-headers.ts'

const FROM = { remoteAddress: '192.0.2.7', publicUrl: new URL('https://tocsin.example.org'), method: 'POST', bearer: undefined }

test('claims of identity, origin and the cookie stay outside; content and credentials go through', () => {
  const forwarded = forwardedHeaders(
    {
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'evil.example',
      forwarded: 'for=127.0.0.1',
      'x-real-ip': '127.0.0.1',
      'x-user-id': 'admin',
      'x-organization-id': 'o',
      'x-tocsin-subject': 'admin',
      'x-tocsin-csrf': '1',
      'x-tocsin-channel-subject': 'admin',
      'x-tocsin-channel': 'cli',
      'if-match': '"3"',
      'idempotency-key': 'k',
      cookie: 'tocsin=x',
      expect: '100-continue',
      'x-api-key': 'tk_1',
      authorization: 'Bearer t',
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      'content-length': '5',
      host: 'ingest',
    },
    FROM,
  )
  expect(forwarded).toEqual({
    'x-tocsin-channel': 'cli',
    'if-match': '"3"',
    'idempotency-key': 'k',
    'x-api-key': 'tk_1',
    authorization: 'Bearer t',
    'content-type': 'application/json',
    'content-encoding': 'gzip',
    'content-length': '5',
    host: 'ingest',
    'x-forwarded-for': '192.0.2.7',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'tocsin.example.org',
    traceparent: expect.stringMatching(/^00-/),
  })
})

test("the cookie's token becomes the bearer, and a GET carries no body", () => {
  const forwarded = forwardedHeaders(
    { 'content-length': '5', accept: 'application/json' },
    { ...FROM, method: 'GET', bearer: 'abc' },
  )
  expect(forwarded).toMatchObject({ authorization: 'Bearer abc', accept: 'application/json' })
  expect(forwarded).not.toHaveProperty('content-length')
})

test('a trace goes on through the gateway', () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  expect(forwardedHeaders({ traceparent: `00-${trace}-00f067aa0ba902b7-01` }, FROM)['traceparent']).toMatch(
    new RegExp(`^00-${trace}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`),
  )
})
