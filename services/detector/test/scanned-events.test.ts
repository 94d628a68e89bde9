import { readdirSync, readFileSync } from 'node:fs'
import type { AuditEvent } from '@tocsin/contracts'
import { EventScanner, type EventView, type TextField } from '@tocsin/engine'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseEvent } from '../src/read-event-record.ts'
import { mutation, plainEvent, shuffledEvent } from './hostile-events.ts'
import { failedLogin } from './support.ts'

const RUNS = Number(process.env['TOCSIN_PROPERTY_RUNS'] ?? 4_000)
const TEXT_FIELDS: readonly TextField[] = [
  'action',
  'principalId',
  'ipAddress',
  'sessionId',
  'targetResourceType',
  'targetResourceId',
  'status',
  'outcome',
  'outcomeDescription',
  'dataClassification',
  'correlationId',
  'format',
]
/** Canonical names, paths into them, names of originals, and names that are nobody's. */
const NAMES: readonly string[] = [
  ...TEXT_FIELDS,
  ...['id', 'timestamp', 'receivedAt', 'organizationId', 'category', 'operation', 'principalType', 'traceparent', 'integrity'],
  ...['recordCount', 'bytes', 'processingLatency', 'queueDepth', 'idConflict', 'retentionPolicy'],
  ...['sessionContext', 'sessionContext.ipAddress', 'sessionContext.sessionId', 'sessionContext.userAgent', 'userAgent'],
  ...['sessionContext.geolocation', 'sessionContext.geolocation.country', 'sessionContext.ipAddress.x', 'sessionContext.more'],
  ...[
    'source',
    'source.format',
    'source.name',
    'source.product',
    'source.x',
    'name',
    'gdprContext.basis',
    'details',
    'details.a',
  ],
  ...['raw', 'raw.a', 'a', 'a.b', 'b', 'b.c.a', 'eventName', 'userIdentity.type', '', '.', 'a.', '.a'],
  ...['__proto__', 'constructor', 'toString', 'sessionContext.__proto__', 'length', '\u0000all-text'],
]
const scanner = new EventScanner()
const BEFORE = Buffer.from('{"id":"')
const BEHIND = Buffer.from('}"}9]},"id":"behind"}')

/** A format's sample: the item as sent and the events it becomes; their `raw` stands for the item. */
interface Sample {
  readonly item: unknown
  readonly events: readonly AuditEvent[]
}

function hashOf(view: EventView): readonly number[] {
  const hash = { low: 0, high: 0 }
  view.hashId(hash)
  return [hash.low, hash.high]
}

/** What a view copies of its texts; null for those that it leaves to others. */
const copied = (view: EventView): readonly (string | null)[] =>
  (['id', ...TEXT_FIELDS] as const).map((field) => {
    const bytes = new Uint8Array(200)
    const end = view.copyText(field, bytes, 3)
    return end < 0 ? null : Buffer.from(bytes.subarray(3, end)).toString()
  })

/** Everything that a view says; asked twice, the second time in the other order. */
function said(view: EventView): unknown {
  const ask = (names: readonly string[]) => names.map((name): [string, unknown] => [name, view.fields(name)])
  const once = () => [
    ask(NAMES),
    TEXT_FIELDS.map((field) => view.text(field)),
    [view.id, view.organizationId, view.stamp, view.shape, view.number('recordCount'), view.number('bytes')],
    TEXT_FIELDS.map((field) => view.mixText(field, 7)),
    hashOf(view),
  ]
  const first = once()
  return [first, view.event, ask(NAMES.toReversed()), once()]
}

/** Whether the scanner took it. Fails where it says anything else than the plain way does. */
function compare(bytes: Buffer): boolean {
  // Other records lie around it in what was fetched, and could complete what is cut off.
  const isTaken = scanner.scan(bytes) !== null
  const among = Buffer.concat([BEFORE, bytes, BEHIND])
  const scanned = scanner.scan(among, BEFORE.length, BEFORE.length + bytes.length)
  expect(scanned !== null).toBe(isTaken)
  if (scanned === null) return false
  const plain = parseEvent(bytes)
  if (!('event' in plain)) throw new Error(`taken, although ${plain.reason}: ${bytes.toString()}`)
  expect(said(scanned)).toEqual(said(plain.event))
  const expected = copied(plain.event)
  // It may leave all texts of an event to others where one of them is other than its bytes.
  const copies = copied(scanned)
  if (copies[0] !== null) expect(copies).toEqual(expected)
  else expect(copies.filter((copy) => copy !== null && copy !== '')).toEqual([])
  return true
}

const asWritten = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
/** Counted over a property's runs, so that one that never meets what it is about is seen. */
function share(property: (count: (taken: boolean) => void) => void): number {
  let taken = 0
  let all = 0
  property((isTaken) => {
    all += 1
    if (isTaken) taken += 1
  })
  return taken / all
}

describe('an event that is read from its bytes', () => {
  it('says what the parsed one says, whatever its fields hold and in whichever order they stand', () => {
    const taken = share((count) =>
      fc.assert(
        fc.property(shuffledEvent, (made) => count(compare(asWritten(made)))),
        { numRuns: RUNS },
      ),
    )
    expect(taken).toBeGreaterThan(0.02)
  }, 120_000)

  it('says what the parsed one says after its bytes were flipped, cut, doubled or replaced, or is declined', () => {
    const made = fc.tuple(
      fc.oneof({ weight: 4, arbitrary: plainEvent }, shuffledEvent),
      fc.array(mutation, { minLength: 1, maxLength: 2 }),
    )
    const taken = share((count) =>
      fc.assert(
        fc.property(made, ([value, mutations]) =>
          count(compare(mutations.reduce((bytes, mutate) => mutate(bytes), asWritten(value)))),
        ),
        { numRuns: 3 * RUNS },
      ),
    )
    expect(taken).toBeGreaterThan(0.02)
  }, 120_000)

  it('has the fields of its original whose names are written in escapes, and those that are only parts of other names', () => {
    const raw = { eventName: 'GetObject', 'a.b': 1, b: [{ c: { a: 'x' } }], userIdentity: { type: 'Root' } }
    const plain = JSON.stringify({ ...failedLogin('u1'), raw })
    for (const written of [
      plain,
      plain.replace('"eventName"', '"\\u0065ventName"'),
      plain.replace('"userIdentity":{"type"', '"\\u0075serIdentity":{"\\u0074ype"'),
      plain.replace('"a.b"', '"\\u0061.b"'),
      plain.replace('eventName', 'eventNames'),
    ])
      expect(compare(Buffer.from(written))).toBe(true)
  })

  it('is taken from its bytes as ingest writes it, from every format', () => {
    const samples = new URL('../../../libs/formats/src/formats/samples/', import.meta.url)
    const read = readdirSync(samples).flatMap((name) => JSON.parse(readFileSync(new URL(name, samples), 'utf8')) as Sample[])
    const events = read.flatMap((sample) =>
      sample.events.map((each) => (each.raw === undefined ? each : { ...each, raw: sample.item })),
    )
    expect(events.length).toBeGreaterThan(5)
    for (const each of events) expect([each, compare(asWritten(each))]).toEqual([each, true])
  })

  it('is taken with names beyond ASCII, with escapes, and with any original', () => {
    const odd = {
      ...failedLogin('DOMAIN\\Zoë "😀"'),
      details: { a: ['\ud800', '\n'] },
      raw: { 'é\n': [[{ a: 1e-7 }]], eventName: null },
    }
    expect(compare(asWritten(odd))).toBe(true)
    expect(compare(Buffer.from(JSON.stringify(odd).replace('"eventName"', '"__proto__"')))).toBe(true)
  })

  it('is declined, and so decided by parsing, where a key stands twice', () => {
    const bytes = JSON.stringify(failedLogin('u1'))
    expect(scanner.scan(Buffer.from(bytes))).not.toBeNull()
    expect(scanner.scan(Buffer.from(bytes.replace('{', '{"action":"other",')))).toBeNull()
  })
})
