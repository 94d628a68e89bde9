import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AuditEvent } from '@tocsin/contracts'
import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { Compile } from 'typebox/compile'
import { describe, expect, it } from 'vitest'
import type { MapContext } from './formats/format.ts'
import { FORMATS, formatOf } from './formats/index.ts'
import { finish, UnreadableBody } from './items.ts'
import { type PreparedItem, type PrepareOptions, prepare as prepareSteps } from './prepare.ts'

const NOW = Date.parse('2026-03-02T00:00:00Z')
const context: MapContext = { organization: { organizationId: '0b0e7a44-0d7e-4c0e-9f7e-0a6a4cf1b001', slug: 'acme' }, now: NOW }
const check = Compile(AuditEvent)
const prepare = (options: PrepareOptions) => finish(prepareSteps(options))
const least = { timestamp: '2026-03-01T09:15:30Z', action: 'auth.login', status: 'failure' }

const run = (text: string, options: Partial<PrepareOptions> = {}) =>
  prepare({ body: { kind: 'json', text, lines: false }, context, ...options })
const one = (item: unknown, options: Partial<PrepareOptions> = {}) => run(JSON.stringify(item), options)[0] as PreparedItem
const eventOf = (item: unknown, options: Partial<PrepareOptions> = {}) => {
  const prepared = one(item, options)
  if ('faults' in prepared) throw new Error(JSON.stringify(prepared.faults))
  const [event] = prepared.events
  if (event === undefined) throw new Error('no event')
  return event.event
}
const faultsOf = (item: unknown, options: Partial<PrepareOptions> = {}) => {
  const prepared = one(item, options)
  return 'faults' in prepared ? prepared.faults.map(({ code, pointer }) => `${code} ${pointer}`) : []
}

describe('an event in our own format', () => {
  it.each([
    [{ ...least, timestamp: undefined }, ['REQUIRED_FIELD_MISSING /timestamp']],
    [{ ...least, action: null }, ['REQUIRED_FIELD_MISSING /action']],
    [{ ...least, status: undefined }, ['REQUIRED_FIELD_MISSING /status']],
    [{ ...least, action: ' ' }, ['EMPTY_VALUE /action']],
    [{ ...least, id: '' }, ['EMPTY_VALUE /id']],
    [{ ...least, id: 7 }, ['INVALID_TYPE /id']],
    [{ ...least, id: 'x'.repeat(129) }, ['EXCEEDS_MAX_LENGTH /id']],
    [{ ...least, action: 'x'.repeat(256) }, ['EXCEEDS_MAX_LENGTH /action']],
    [{ ...least, principalId: { a: 1 } }, ['INVALID_TYPE /principalId']],
    [{ ...least, status: 'failed' }, ['INVALID_VALUE /status']],
    [{ ...least, outcome: 'constructor' }, ['INVALID_VALUE /outcome']],
    [{ ...least, timestamp: 1740000000000 }, ['INVALID_TYPE /timestamp']],
    [{ ...least, timestamp: '2026-03-01T09:15:30' }, ['INVALID_FORMAT /timestamp']],
    [{ ...least, timestamp: '2026-02-30T09:15:30Z' }, ['INVALID_FORMAT /timestamp']],
    [{ ...least, timestamp: '0000-01-01T00:00:00Z' }, ['INVALID_VALUE /timestamp']],
    [{ ...least, timestamp: '1969-12-31T23:59:59Z' }, ['INVALID_VALUE /timestamp']],
    [{ ...least, recordCount: -1 }, ['INVALID_VALUE /recordCount']],
    [{ ...least, recordCount: '5' }, ['INVALID_TYPE /recordCount']],
    [{ ...least, recordCount: 1.5 }, ['INVALID_TYPE /recordCount']],
    [{ ...least, bytes: true }, ['INVALID_TYPE /bytes']],
    [{ ...least, queueDepth: -1 }, ['INVALID_VALUE /queueDepth']],
    [{ ...least, sessionContext: [] }, ['INVALID_TYPE /sessionContext']],
    [{ ...least, sessionContext: { ipAddress: '300.1.1.1' } }, ['INVALID_FORMAT /sessionContext/ipAddress']],
    [{ ...least, gdprContext: 'x' }, ['INVALID_TYPE /gdprContext']],
    [{ ...least, hashAlgorithm: 'MD5' }, ['INVALID_VALUE /hashAlgorithm']],
    [{ ...least, organizationId: '11111111-1111-4111-8111-111111111111' }, ['INVALID_VALUE /organizationId']],
    [{ ...least, organizationId: 7 }, ['INVALID_TYPE /organizationId']],
    [{ ...least, source: 7 }, ['INVALID_TYPE /source']],
    [{ timestamp: 1, action: '', status: [] }, ['INVALID_TYPE /timestamp', 'EMPTY_VALUE /action', 'INVALID_TYPE /status']],
    [{ something: 'else' }, ['UNKNOWN_FORMAT ']],
    ['text', ['UNKNOWN_FORMAT ']],
    [[], []],
  ])('%j is rejected as %j', (item, faults) => {
    if (Array.isArray(item)) expect(run('[[]]')[0]).toMatchObject({ faults: [{ code: 'UNKNOWN_FORMAT' }] })
    else expect(faultsOf(item)).toEqual(faults)
  })

  it('refuses numbers beyond 2^53 where a count is wanted, and keeps them as text elsewhere', () => {
    const text = JSON.stringify(least).slice(0, -1)
    expect(run(`${text},"recordCount":9007199254740993}`)[0]).toMatchObject({
      faults: [{ code: 'INVALID_TYPE', pointer: '/recordCount' }],
    })
    expect(run(`${text},"recordCount":1e400}`)[0]).toMatchObject({ faults: [{ pointer: '/recordCount' }] })
    expect(run(`${text},"ticket":9007199254740993}`)[0]).toMatchObject({
      events: [{ event: { details: { ticket: '9007199254740993' } } }],
    })
  })

  it('keeps what the producer decided, and fills in the rest', () => {
    expect(
      eventOf({ ...least, category: 'system', operation: 'bulk', outcome: 'success', dataClassification: 'PHI' }),
    ).toMatchObject({
      category: 'system',
      operation: 'bulk',
      outcome: 'success',
      dataClassification: 'PHI',
    })
    expect(eventOf(least)).toMatchObject({
      category: 'authentication',
      operation: 'login',
      outcome: 'failure',
      dataClassification: 'INTERNAL',
    })
  })

  it('takes blank and placeholder values for absent', () => {
    const event = eventOf({ ...least, principalId: ' ', sessionContext: { ipAddress: 'unknown', sessionId: '' } })
    expect(event).not.toHaveProperty('principalId')
    expect(event.sessionContext).toEqual({})
  })

  it('may name its own organization, by id or slug', () => {
    expect(eventOf({ ...least, organizationId: context.organization.organizationId.toUpperCase() }).organizationId).toBe(
      context.organization.organizationId,
    )
    expect(eventOf({ ...least, organizationId: 'acme' }).organizationId).toBe(context.organization.organizationId)
  })

  it('cannot set what ingest sets', () => {
    const event = eventOf({ ...least, receivedAt: '1999-01-01T00:00:00Z', integrity: 'verified', idConflict: true })
    expect([event.receivedAt, event.integrity, event.idConflict]).toEqual(['2026-03-02T00:00:00.000Z', 'absent', undefined])
  })

  it('without an id has the hash of what it says, whatever the order of its keys and its receivedAt', () => {
    const { id } = eventOf(least)
    expect(id).toBe(
      createHash('sha256')
        .update(canonicalize(least) ?? '')
        .digest('hex'),
    )
    expect(eventOf({ receivedAt: 'x', ...Object.fromEntries(Object.entries(least).toReversed()) }).id).toBe(id)
  })

  it('keeps the original unless the canonical event says the same', () => {
    expect(eventOf({ ...least, id: 'a', principalId: null })).not.toHaveProperty('raw')
    const extended = { ...least, extra: { b: 1 } }
    expect(eventOf(extended)).toMatchObject({ raw: extended, details: { extra: { b: 1 } } })
  })

  it('keeps unknown keys 8 deep and 256 in all under details, and all of them in raw', () => {
    const deep = (levels: number): unknown => (levels === 0 ? 1 : { d: deep(levels - 1) })
    const item = { ...least, deep: deep(20), wide: Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`k${n}`, n])) }
    const event = eventOf(item)
    const count = (value: unknown): number =>
      typeof value === 'object' && value !== null
        ? Object.values(value).reduce((sum: number, child) => sum + 1 + count(child), 0)
        : 0
    const depth = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0
    expect([count(event.details), depth(event.details)]).toEqual([256, 8])
    expect(event.raw).toEqual(item)
  })

  it('writes one address in one way', () => {
    const ip = (ipAddress: string) => eventOf({ ...least, sessionContext: { ipAddress } }).sessionContext?.ipAddress
    expect(['192.0.2.1', '::FFFF:192.0.2.1', '2001:0DB8:0:0:0:0:0:1', '[::1]'].map(ip)).toEqual([
      '192.0.2.1',
      '192.0.2.1',
      '2001:db8::1',
      '::1',
    ])
  })

  it('counts length in characters', () => {
    expect(faultsOf({ ...least, principalId: '😀'.repeat(255) })).toEqual([])
    expect(faultsOf({ ...least, principalId: '😀'.repeat(256) })).toEqual(['EXCEEDS_MAX_LENGTH /principalId'])
  })
})

describe('integrity', () => {
  const hashed = (item: Record<string, unknown>) =>
    createHash('sha256')
      .update(canonicalize(item) ?? '')
      .digest('hex')
  it('is verified or violated by the hash over every field but the proof, and absent without one', () => {
    const proof = { hashAlgorithm: 'SHA-256', signature: 'c2ln', algorithm: 'Ed25519' }
    const good = { ...least, b: [1, { z: 1, a: 2 }] }
    expect(eventOf({ ...good, ...proof, hash: hashed(good).toUpperCase() }).integrity).toBe('verified')
    const bad = { ...good, ...proof, hash: hashed({ ...good, action: 'other' }) }
    expect(eventOf(bad)).toMatchObject({ integrity: 'violated', raw: bad })
    expect(eventOf({ ...good, signature: 'c2ln' }).integrity).toBe('absent')
  })

  it('is held against numbers as they were sent', () => {
    const sent = `{"timestamp":"${least.timestamp}","action":"a","status":"success","big":1e20`
    const hash = hashed(JSON.parse(`${sent}}`) as Record<string, unknown>)
    expect(run(`${sent},"hash":"${hash}"}`)[0]).toMatchObject({ events: [{ event: { integrity: 'verified' } }] })
    expect(run(`${sent.replace('1e20', '1e400')},"hash":"${hash}"}`)[0]).toMatchObject({
      events: [{ event: { integrity: 'violated' } }],
    })
  })
})

describe('a bound key', () => {
  it('names the source, and refuses another name', () => {
    expect(eventOf(least, { boundSource: 'idp' }).source.name).toBe('idp')
    expect(eventOf({ ...least, source: { name: 'idp' } }, { boundSource: 'idp' }).source.name).toBe('idp')
    expect(faultsOf({ ...least, source: { name: 'hr' } }, { boundSource: 'idp' })).toEqual(['INVALID_VALUE /source/name'])
  })
})

describe('a batch', () => {
  it('goes on behind a bad item', () => {
    const prepared = run(JSON.stringify([least, { ...least, action: 7 }, least]))
    expect(prepared.map((item) => 'events' in item)).toEqual([true, false, true])
  })

  it('of several formats is recognized item by item, and ?format= wins', () => {
    const event = { specversion: '1.0', id: '1', source: 's', type: 't', time: least.timestamp }
    const formats = run(JSON.stringify([least, event])).map((item) =>
      'events' in item ? item.events[0]?.event.source.format : undefined,
    )
    expect(formats).toEqual(['tocsin', 'cloudevents'])
    expect(faultsOf(event, { format: formatOf('tocsin') })).toContain('REQUIRED_FIELD_MISSING /action')
  })

  it('of lines is of the format that knows one of them', () => {
    const text =
      'Dec 10 06:55:46 h CRON[1]: x\nDec 10 06:55:46 h sshd[1]: Failed password for a from 192.0.2.1 port 1 ssh2\nrubbish'
    const prepared = prepare({ body: { kind: 'text', text }, context })
    expect(prepared.map((item) => ('events' in item ? item.events[0]?.event.action : item.faults[0]?.code))).toEqual([
      'syslog.message',
      'ssh.login',
      'INVALID_FORMAT',
    ])
    expect(prepare({ body: { kind: 'text', text: 'rubbish' }, context })[0]).toMatchObject({
      faults: [{ code: 'UNKNOWN_FORMAT' }],
    })
  })

  it('of repeated messages is at most 10,000 events', () => {
    const line = 'Dec 10 06:55:46 h sshd[1]: message repeated 6000 times: [ Failed password for a from 192.0.2.1 port 1 ssh2]\n'
    expect(() => prepare({ body: { kind: 'text', text: line + line }, context })).toThrow(UnreadableBody)
  })
})

describe('whatever is sent', () => {
  const key = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom(
      '__proto__',
      'constructor',
      'id',
      'timestamp',
      'action',
      'status',
      'sessionContext',
      'specversion',
      'eventTime',
      'eventSource',
      'eventName',
      'userIdentity',
      'Records',
      'source',
      'hash',
      'details',
      'toJSON',
      'raw',
      'time',
      'type',
      'data',
    ),
  )
  const leaf = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom('failure', '2026-03-01T09:15:30Z', '1.0', '::1'),
  )
  const tree = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      leaf,
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(key, tie('node'), { maxKeys: 8 }),
    ),
  })).node

  it('each item becomes valid events or named faults, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(tree, { maxLength: 4 }), fc.constantFrom(undefined, ...FORMATS), (values, format) => {
        let prepared: PreparedItem[]
        try {
          prepared =
            format?.body === 'lines'
              ? prepare({
                  body: { kind: 'text', text: values.map((value) => String(JSON.stringify(value))).join('\n') },
                  context,
                  format,
                })
              : run(JSON.stringify(values), { format })
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadableBody)
          return
        }
        for (const item of prepared) {
          if ('faults' in item) expect(item.faults.length).toBeGreaterThan(0)
          else
            for (const { event, value } of item.events) {
              expect(check.Check(event), JSON.stringify(event)).toBe(true)
              expect(JSON.parse(value.toString())).toEqual(event)
            }
        }
        expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
      }),
      { numRuns: 1000 },
    )
  })
})

const DATA = join(import.meta.dirname, '../../../../shared/data')
describe.skipIf(!existsSync(DATA))(`real input (skipped where ${DATA} is absent)`, () => {
  it('2,000 lines of sshd are accepted whole: 528 failed passwords', () => {
    const text = readFileSync(join(DATA, 'openssh_2k.log'), 'utf8')
    const prepared = prepare({ body: { kind: 'text', text }, context: { ...context, year: 2025 } })
    expect(prepared).toHaveLength(2000)
    const events = prepared.flatMap((item) => ('events' in item ? item.events.map(({ event }) => event) : []))
    expect(prepared.every((item) => 'events' in item)).toBe(true)
    // The data's README says 24 addresses: the 24th, 181.214.87.4, sent one `Failed none` only, which is no failure (events.md §2).
    const failures = events.filter(({ category, outcome }) => category === 'authentication' && outcome === 'failure')
    expect([failures.length, new Set(failures.map(({ sessionContext }) => sessionContext?.ipAddress)).size]).toEqual([528, 23])
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
  })

  it('the CloudTrail recordings are accepted whole', () => {
    for (const file of readdirSync(join(DATA, 'cloudtrail'))) {
      const prepared = run(readFileSync(join(DATA, 'cloudtrail', file), 'utf8'))
      expect(prepared.length).toBeGreaterThan(0)
      for (const item of prepared)
        if ('faults' in item) expect(item.faults, file).toEqual([])
        else for (const { event } of item.events) expect([event.source.format, check.Check(event)]).toEqual(['cloudtrail', true])
    }
  })
})
