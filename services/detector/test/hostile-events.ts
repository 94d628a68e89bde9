/** Events and what becomes of their bytes on the way from hostile or careless producers. */
import { CATEGORIES, CLASSIFICATIONS, EVENT_STATUSES, OPERATIONS, OUTCOMES } from '@tocsin/contracts'
import fc from 'fast-check'
import { failedLogin } from './support.ts'

const text = fc.oneof(
  { weight: 120, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 30 }) },
  { weight: 12, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 10 }) },
  fc.constantFrom(
    '',
    ' ',
    '"',
    '\\',
    'DOMAIN\\user',
    'é',
    '\u0000',
    '\u2028',
    '😀',
    '\ud800',
    'x'.repeat(255),
    'é'.repeat(255),
    'x'.repeat(256),
  ),
  fc.constantFrom(
    '😀'.repeat(128),
    'x'.repeat(128),
    'x'.repeat(129),
    'x'.repeat(64),
    'x'.repeat(65),
    'x'.repeat(2_000),
    'x'.repeat(2_001),
  ),
)
const time = fc.oneof(
  {
    weight: 25,
    arbitrary: fc
      .date({ min: new Date('0000-01-01'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
      .map((date) => date.toISOString()),
  },
  fc.constantFrom(
    '2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00.5Z',
    '2026-01-01T00:00:00.123456Z',
    '2026-01-01t00:00:00.000z',
    '2026-01-01 00:00:00.000Z',
    '2026-01-01T01:00:00.000+01:00',
    '2016-12-31T23:59:60.000Z',
    '2026-02-29T00:00:00.000Z',
    '2024-02-29T00:00:00.000Z',
    '1900-02-29T00:00:00.000Z',
    '2026-02-30T00:00:00.000Z',
    '2026-13-01T00:00:00.000Z',
    '2026-00-10T00:00:00.000Z',
    '2026-01-00T00:00:00.000Z',
    '2026-01-32T00:00:00.000Z',
    '2026-01-01T24:00:00.000Z',
    '2026-01-01T23:60:00.000Z',
    '2026-01-01T23:59:61.000Z',
    '+02026-01-01T00:00:00.000Z',
    '2026-01-01T00:00:00,000Z',
    '',
    'yesterday',
    '2026-01-01T00:00:00.000',
    '2026-01-01T00:00:00.00aZ',
    '2026-1-001T00:00:00.000Z',
    '0000-01-01T00:00:00.000Z',
    '-001-01-01T00:00:00.000Z',
  ),
)
const whole = fc.oneof(
  { weight: 30, arbitrary: fc.nat() },
  fc.constantFrom<number>(0, -0, -1, 1.5, 2 ** 53, 1e300, 999_999_999_999_999, 1e15),
)
const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' })
const record = fc.dictionary(
  fc.oneof(fc.constantFrom('a', 'b', 'a.b', 'eventName', 'ipAddress', 'id', '__proto__', 'é', '\n', '\u2028'), text),
  json,
  { maxKeys: 4 },
)
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 })

const event = fc.record({
  id: text,
  timestamp: time,
  receivedAt: time,
  organizationId: fc.oneof(
    { weight: 40, arbitrary: fc.uuid() },
    fc.uuid().map((id) => id.toUpperCase()),
    text,
  ),
  action: text,
  status: fc.constantFrom(...EVENT_STATUSES),
  outcome: fc.constantFrom(...OUTCOMES),
  category: fc.constantFrom(...CATEGORIES),
  operation: fc.constantFrom(...OPERATIONS),
  dataClassification: fc.constantFrom(...CLASSIFICATIONS),
  integrity: fc.constantFrom('verified', 'violated', 'absent'),
  principalId: maybe(text),
  principalType: maybe(text),
  outcomeDescription: maybe(text),
  targetResourceType: maybe(text),
  targetResourceId: maybe(text),
  recordCount: maybe(whole),
  bytes: maybe(whole),
  sessionContext: maybe(
    fc
      .tuple(
        fc.record({ sessionId: text, ipAddress: text, userAgent: text, geolocation: json, more: json }, { requiredKeys: [] }),
        record,
      )
      .map(([known, unknown]) => ({ ...unknown, ...known })),
  ),
  correlationId: maybe(text),
  traceparent: maybe(text),
  retentionPolicy: maybe(text),
  gdprContext: maybe(record),
  fhirContext: maybe(fc.oneof({ weight: 9, arbitrary: record }, json)),
  processingLatency: maybe(fc.oneof(fc.double({ min: 0, noNaN: true }), fc.constantFrom(0, 1.5, -1, 1e-7))),
  queueDepth: maybe(whole),
  idConflict: maybe(fc.boolean()),
  source: fc.record({ format: text, name: text, product: text, service: text, x: json }, { requiredKeys: ['format', 'name'] }),
  details: maybe(record),
  raw: maybe(json),
})

/** An event that meets the contract. */
export const plainEvent = fc
  .record({
    sessionContext: maybe(
      fc.constantFrom({}, { ipAddress: '10.0.0.1' }, { sessionId: 's-1', userAgent: 'curl', more: { a: [1] } }),
    ),
    recordCount: maybe(fc.nat()),
    outcomeDescription: maybe(fc.constantFrom('', 'no "such" user', 'Zoë')),
    idConflict: maybe(fc.boolean()),
    processingLatency: maybe(fc.constantFrom(0, 1.25, 1e21)),
    details: maybe(record),
    raw: maybe(fc.oneof(json, record)),
  })
  .map((changes) => ({ ...failedLogin('user@example.com'), ...changes }))

/** The keys in another order: JSON.stringify keeps the order in which they were set. */
export const shuffledEvent = event.chain((made) =>
  fc
    .shuffledSubarray(Object.keys(made), { minLength: Object.keys(made).length })
    .map((keys) => Object.fromEntries(keys.map((key) => [key, (made as Record<string, unknown>)[key]]))),
)
/** What hostile or careless producers write into otherwise good events. */
const SNIPPETS: readonly (string | Buffer)[] = [
  '"',
  '\\',
  '\\"',
  '\\u0061',
  '\\ud800',
  '\\u12',
  '\\x',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  ',,',
  ' ',
  '\n',
  '\t',
  '\u0000',
  '\ufeff',
  '\u2028',
  '-0',
  '1e400',
  '-1',
  '01',
  '1.',
  '.5',
  '1.0',
  '5.0',
  '1e3',
  '1E+2',
  '99999999999999999999',
  '0.1',
  'null',
  'true',
  'fals',
  'NaN',
  '""',
  '{}',
  '[]',
  '[1,]',
  '"__proto__":1,',
  '"id":"again",',
  '"raw":1,',
  '"status":"failure",',
  '"constructor":{},',
  '"sessionContext":{},',
  '"details":[],',
  '"details":{"a":"b"},',
  '"ipAddress":"1.1.1.1",',
  '"\\u0069d":"x",',
  '"idConflict":true,',
  '[[[[[[[[',
  '{"a":'.repeat(100),
  `${'['.repeat(79)}${']'.repeat(79)}`,
  `${'['.repeat(90)}${']'.repeat(90)}`,
  Buffer.from([0xff]),
  Buffer.from([0xc3]),
  Buffer.from([0xe2, 0x80]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xf0, 0x9f, 0x98]),
  Buffer.from([0x80]),
]
export type Mutation = (bytes: Buffer) => Buffer
const place = fc.nat({ max: 10_000 })
export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.nat({ max: 255 })).map(
    ([at, byte]): Mutation =>
      (bytes) =>
        splice(bytes, at, 1, Buffer.from([byte])),
  ),
  fc.tuple(place, fc.constantFrom(...SNIPPETS), fc.nat({ max: 4 })).map(
    ([at, snippet, gone]): Mutation =>
      (bytes) =>
        splice(bytes, at, gone, Buffer.from(snippet)),
  ),
  // In front of a key or a value, where it has the best chance to be taken.
  fc.tuple(place, fc.constantFrom(...SNIPPETS)).map(
    ([nth, snippet]): Mutation =>
      (bytes) => {
        const places = [...bytes.toString('latin1').matchAll(/[{,:[]/g)].map(({ index }) => index + 1)
        return places.length === 0 ? bytes : splice(bytes, places[nth % places.length] as number, 0, Buffer.from(snippet))
      },
  ),
  fc
    .tuple(
      place,
      fc.constantFrom(
        '-0',
        '1e400',
        '1e2',
        '0',
        'null',
        '{}',
        '"x"',
        '[]',
        'true',
        '99999999999999999999',
        '9'.repeat(400),
        '0.5',
        '-3',
      ),
    )
    .map(
      ([nth, value]): Mutation =>
        (bytes) => {
          const values = [...bytes.toString('latin1').matchAll(/:("[^"]*"|-?[0-9.e+-]+|true|false|null)/g)]
          const found = values[nth % Math.max(1, values.length)]
          return found === undefined ? bytes : splice(bytes, found.index + 1, found[0].length - 1, Buffer.from(value))
        },
    ),
  place.map(
    (at): Mutation =>
      (bytes) =>
        bytes.subarray(0, at % (bytes.length + 1)),
  ),
  fc.tuple(place, fc.nat({ max: 60 }), place).map(
    ([from, length, to]): Mutation =>
      (bytes) =>
        splice(bytes, to, 0, bytes.subarray(from % bytes.length, (from % bytes.length) + length)),
  ),
)
const splice = (bytes: Buffer, at: number, gone: number, put: Buffer): Buffer => {
  const here = at % (bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, here), put, bytes.subarray(here + gone)])
}
