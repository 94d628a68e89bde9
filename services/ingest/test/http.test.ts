import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type ApiOperation, AuditEvent, HEADERS, OPERATIONS_TABLE, TOPICS } from '@tocsin/contracts'
import { headerOf } from '@tocsin/kafka'
import { waitFor } from '@tocsin/testing'
import fc from 'fast-check'
import { Compile } from 'typebox/compile'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorld, least, type Organization, type World } from './world.ts'

let world: World
let organization: Organization
beforeAll(async () => {
  world = await createWorld({ config: { FAILED_KEYS_PER_MINUTE: '200', TICK_INTERVAL_MS: '200' } })
  organization = await world.organization()
})
afterAll(() => world.close())

const check = Compile(AuditEvent)
const statuses = (answer: { body: { results?: readonly { status: string }[] } }) =>
  answer.body.results?.map(({ status }) => status)

describe('accepted events', () => {
  it('lie on the partition of their organization when the answer comes, canonical and with their headers', async () => {
    const own = await world.organization({ partition: 0 })
    const answer = await world.post(own, JSON.stringify(least({ id: 'a', principalId: 'p' })), {
      headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    })
    expect([answer.status, answer.body]).toEqual([202, { results: [{ index: 0, id: 'a', status: 'accepted' }] }])
    const record = (await world.records(TOPICS.auditEvents.name)).find(({ key }) => key?.toString() === own.organizationId)
    if (record === undefined) throw new Error('not written')
    const event: unknown = JSON.parse(String(record.value))
    expect(check.Check(event)).toBe(true)
    expect(event).toMatchObject({
      id: 'a',
      organizationId: own.organizationId,
      timestamp: '2026-03-01T09:15:30.000Z',
      category: 'authentication',
    })
    expect([record.partition, headerOf(record, HEADERS.type), headerOf(record, HEADERS.schema)]).toEqual([
      0,
      'event',
      'AuditEvent/2.0',
    ])
    expect(headerOf(record, HEADERS.traceparent)).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-/)
    expect(headerOf(record, HEADERS.key)).toBeUndefined()
  })

  it('are never acts in Tocsin itself: nobody but persistence tells of those', async () => {
    const own = await world.organization()
    const forged = least({ id: 'forged', action: 'tocsin.member.added' })
    const answer = await world.post(own, JSON.stringify([forged, least({ id: 'fine', action: 'tocsins' })]))
    expect(answer.body).toMatchObject({
      results: [{ status: 'rejected', errors: [{ code: 'INVALID_VALUE', pointer: '/action' }] }, { status: 'accepted' }],
    })
  })

  it('may come as an array, as NDJSON, compressed, or with the key in x-api-key', async () => {
    const own = await world.organization()
    const two = [least({ id: '1' }), least({ id: '2' })]
    expect(statuses(await world.post(own, JSON.stringify(two)))).toEqual(['accepted', 'accepted'])
    const lines = `${JSON.stringify(least({ id: '3' }))}\nrubbish\n${JSON.stringify(least({ id: '4' }))}\n`
    expect(statuses(await world.post(own, lines, { headers: { 'content-type': 'application/x-ndjson' } }))).toEqual([
      'accepted',
      'rejected',
      'accepted',
    ])
    const packed = gzipSync(JSON.stringify([least({ id: '5' })]))
    expect(statuses(await world.post(own, packed, { headers: { 'content-encoding': 'gzip' } }))).toEqual(['accepted'])
    expect(
      statuses(await world.post(undefined, JSON.stringify(least({ id: '6' })), { headers: { 'x-api-key': own.key } })),
    ).toEqual(['accepted'])
    expect((await world.events(own)).map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5', '6'])
  })

  it('are reported item by item, and a bad one does not spoil its batch', async () => {
    const answer = await world.post(
      organization,
      JSON.stringify([least({ id: 'b1' }), { ...least(), status: 'odd', recordCount: '1' }, least({ id: 'b2' })]),
    )
    expect(answer.status).toBe(202)
    expect(answer.body.results).toMatchObject([
      { index: 0, id: 'b1', status: 'accepted' },
      {
        index: 1,
        id: null,
        status: 'rejected',
        errors: [
          { code: 'INVALID_VALUE', pointer: '/status' },
          { code: 'INVALID_TYPE', pointer: '/recordCount' },
        ],
      },
      { index: 2, id: 'b2', status: 'accepted' },
    ])
  })

  it('sent again are duplicates, within a request and after it, and are written once', async () => {
    const own = await world.organization()
    const event = JSON.stringify(least({ principalId: 'p' }))
    const first = await world.post(own, `[${event},${event}]`)
    expect(statuses(first)).toEqual(['accepted', 'duplicate'])
    expect(first.body.results?.[0]?.id).toBe(first.body.results?.[1]?.id)
    const again = await world.post(own, event)
    expect([again.status, statuses(again)]).toEqual([202, ['duplicate']])
    expect(await world.events(own)).toHaveLength(1)
  })

  it('with an id that was used for another body are written and flagged', async () => {
    const own = await world.organization()
    await world.post(own, JSON.stringify(least({ id: 'same', principalId: 'a' })))
    const second = await world.post(
      own,
      JSON.stringify([least({ id: 'same', principalId: 'b' }), least({ id: 'new' }), least({ id: 'new', bytes: 1 })]),
    )
    expect(statuses(second)).toEqual(['accepted', 'accepted', 'accepted'])
    expect((await world.events(own)).map(({ id, idConflict }) => [id, idConflict])).toEqual([
      ['same', undefined],
      ['same', true],
      ['new', undefined],
      ['new', true],
    ])
  })

  it('with the same id in two organizations are two events', async () => {
    const [one, two] = [await world.organization(), await world.organization()]
    for (const own of [one, two])
      expect(statuses(await world.post(own, JSON.stringify(least({ id: 'shared' }))))).toEqual(['accepted'])
  })

  it('are as many as a request may hold, in order', async () => {
    const own = await world.organization()
    const ids = Array.from({ length: 10_000 }, (_, n) => `n${n}`)
    const batch = ids.map((id) => least({ id, details: { filler: 'x'.repeat(300) } }))
    const answer = await world.post(own, JSON.stringify(batch))
    expect([answer.status, answer.body.results?.every(({ status }) => status === 'accepted')]).toEqual([202, true])
    expect((await world.events(own)).map(({ id }) => id)).toEqual(ids)
  })
})

describe('formats over HTTP', () => {
  it('sshd lines are read with year and zone, and sent twice add nothing', async () => {
    const own = await world.organization()
    const lines = [
      'Dec 10 06:55:46 LabSZ sshd[1]: Failed password for root from 192.0.2.1 port 38926 ssh2',
      'Dec 10 06:55:47 LabSZ sshd[1]: message repeated 2 times: [ Failed password for root from 192.0.2.1 port 38926 ssh2]',
      'Dec 10 06:55:48 LabSZ sshd[1]: Connection closed by 192.0.2.1 [preauth]',
    ].join('\n')
    const send = () =>
      world.post(own, lines, { query: '?format=sshd&year=2025&zone=Europe/Berlin', headers: { 'content-type': 'text/plain' } })
    const first = await send()
    expect(statuses(first)).toEqual(['accepted', 'accepted', 'accepted'])
    expect(first.body.results?.[1]?.ids).toHaveLength(2)
    expect(statuses(await send())).toEqual(['duplicate', 'duplicate', 'duplicate'])
    const events = await world.events(own)
    expect(events.map(({ timestamp, outcome }) => [timestamp, outcome])).toEqual([
      ['2025-12-10T05:55:46.000Z', 'failure'],
      ['2025-12-10T05:55:47.000Z', 'failure'],
      ['2025-12-10T05:55:47.000Z', 'failure'],
      ['2025-12-10T05:55:48.000Z', 'unknown'],
    ])
  })

  it('a line that is no UTF-8 is rejected by itself', async () => {
    const body = Buffer.concat([
      Buffer.from('Dec 10 06:55:46 h sshd[1]: Invalid user \xff from 192.0.2.1\n', 'latin1'),
      Buffer.from('Dec 10 06:55:46 h sshd[1]: Invalid user é from 192.0.2.1\n'),
    ])
    const answer = await world.post(organization, body, { query: '?format=sshd&year=2025' })
    expect(statuses(answer)).toEqual(['rejected', 'accepted'])
  })

  it('CloudTrail comes as an array, as Records or as one record', async () => {
    const own = await world.organization()
    const samples = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../../libs/formats/src/formats/samples/cloudtrail.json'), 'utf8'),
    ) as {
      item: { eventID: string }
    }[]
    const [a, b, c, d] = samples.map(({ item }) => item)
    expect(statuses(await world.post(own, JSON.stringify([a, b])))).toEqual(['accepted', 'accepted'])
    expect(statuses(await world.post(own, JSON.stringify({ Records: [b, c] })))).toEqual(['duplicate', 'accepted'])
    expect(statuses(await world.post(own, JSON.stringify(d)))).toEqual(['accepted'])
    expect((await world.events(own)).map(({ source }) => source.format)).toEqual(Array(4).fill('cloudtrail'))
  })

  it('CloudEvents come structured, batched and binary, and are one event each', async () => {
    const own = await world.organization()
    const event = {
      specversion: '1.0',
      id: '1',
      source: '/s',
      type: 'auth.login',
      time: '2026-03-01T09:00:00Z',
      data: { status: 'failure' },
    }
    const send = (body: string, headers: Record<string, string>) => world.post(own, body, { headers })
    expect(
      statuses(await send(JSON.stringify(event), { 'content-type': 'application/cloudevents+json; charset=utf-8' })),
    ).toEqual(['accepted'])
    const batch = JSON.stringify([event, { ...event, id: '2' }])
    expect(statuses(await send(batch, { 'content-type': 'application/cloudevents-batch+json' }))).toEqual([
      'duplicate',
      'accepted',
    ])
    const { data, ...attributes } = { ...event, id: '3' }
    const headers = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value]))
    expect(statuses(await send(JSON.stringify(data), headers))).toEqual(['accepted'])
    expect((await world.events(own)).map(({ id, outcome, category }) => [id, outcome, category])).toEqual(
      ['/s#1', '/s#2', '/s#3'].map((id) => [id, 'failure', 'authentication']),
    )
  })

  it('a key that is bound to a source sends as that source only', async () => {
    const own = await world.organization({ source: 'idp' })
    expect(statuses(await world.post(own, JSON.stringify([least(), least({ source: { name: 'hr' } })])))).toEqual([
      'accepted',
      'rejected',
    ])
    expect((await world.events(own)).map(({ source }) => source.name)).toEqual(['idp'])
  })
})

describe('bad input', () => {
  it.each([
    ['malformed JSON', '{"a":', 400, 'MALFORMED'],
    ['nothing', '', 400, 'EMPTY'],
    ['an empty array', '[]', 422, 'NOTHING_ACCEPTED'],
    ['100,000 opening brackets', '['.repeat(100_000), 400, 'MALFORMED'],
    [
      'balanced deep nesting',
      JSON.stringify(least()).replace('}', `,"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
      422,
      'NOTHING_ACCEPTED',
    ],
    ['wrong types', JSON.stringify(least({ action: 7 })), 422, 'NOTHING_ACCEPTED'],
    [
      '__proto__',
      '{"timestamp":"2026-03-01T09:15:30Z","action":"a","status":"success","__proto__":{"polluted":1}}',
      422,
      'NOTHING_ACCEPTED',
    ],
    ['NUL', JSON.stringify(least({ principalId: 'a\0b' })), 422, 'NOTHING_ACCEPTED'],
    ['a lone surrogate', '{"timestamp":"2026-03-01T09:15:30Z","action":"\\ud800","status":"success"}', 422, 'NOTHING_ACCEPTED'],
    [
      'a key given twice',
      '{"timestamp":"2026-03-01T09:15:30Z","action":"a","action":"b","status":"success"}',
      422,
      'NOTHING_ACCEPTED',
    ],
    [
      "another organization's id",
      JSON.stringify(least({ organizationId: '11111111-1111-4111-8111-111111111111' })),
      422,
      'NOTHING_ACCEPTED',
    ],
    ['an item of 5 MB', JSON.stringify(least({ x: 'x'.repeat(5_000_000) })), 413, 'TOO_LARGE'],
    [
      '300,000 keys',
      JSON.stringify(Object.fromEntries(Array.from({ length: 300_000 }, (_, n) => [`k${n}`, n]))),
      413,
      'TOO_LARGE',
    ],
    ['too many items', JSON.stringify(Array.from({ length: 10_001 }, () => least())), 413, 'TOO_LARGE'],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400, 'MALFORMED'],
    ['nothing that is known', '{"hello":"world"}', 422, 'NOTHING_ACCEPTED'],
  ])('%s is answered with its status and code', async (_name, body, status, code) => {
    const before = (await world.events(organization)).length
    const answer = await world.post(organization, body)
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(await world.events(organization)).toHaveLength(before)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('is named with code and pointer', async () => {
    const item = JSON.stringify(least({ organizationId: 'other-org', a: { b: ['x\0'] } }))
    const answer = await world.post(organization, `[${item.replace('{', '{"constructor":1,')}]`)
    expect(answer.body.results?.[0]?.errors?.map(({ code, pointer }) => `${code} ${pointer}`)).toEqual([
      'FORBIDDEN_KEY /constructor',
      'INVALID_VALUE /a/b/0',
    ])
    expect((await world.post(organization, item.replace('\\u0000', ''))).body.results?.[0]?.errors).toMatchObject([
      { code: 'INVALID_VALUE', pointer: '/organizationId' },
    ])
  })

  it('over the size of a body is 413, declared, streamed or compressed', async () => {
    const big = Buffer.alloc(33 * 1_048_576, ' ')
    expect((await world.post(organization, big)).status).toBe(413)
    const bomb = gzipSync(Buffer.alloc(300 * 1_048_576))
    expect((await world.post(organization, bomb, { headers: { 'content-encoding': 'gzip' } })).status).toBe(413)
    expect((await world.post(organization, JSON.stringify(least()))).status).toBe(202)
  })

  it('in its encoding, format, zone or query is named', async () => {
    const body = JSON.stringify(least())
    const codeOf = async (query: string, headers: Record<string, string> = {}) => {
      const { status, body: problem } = await world.post(organization, body, { query, headers })
      return [status, problem.code]
    }
    expect(await codeOf('', { 'content-encoding': 'br' })).toEqual([415, 'UNSUPPORTED_ENCODING'])
    expect(await codeOf('', { 'content-encoding': 'gzip' })).toEqual([400, 'MALFORMED_GZIP'])
    expect(await codeOf('?format=nope')).toEqual([400, 'UNKNOWN_FORMAT'])
    expect(await codeOf('?zone=Mars/Base')).toEqual([400, 'INVALID_REQUEST'])
    expect(await codeOf('?year=soon')).toEqual([400, 'INVALID_REQUEST'])
  })
})

describe('a key', () => {
  it('is asked for, must be known, and must be allowed to write', async () => {
    const body = JSON.stringify(least())
    const none = await world.post(undefined, body)
    expect([none.status, none.body.code, none.headers.get('www-authenticate')]).toEqual([
      401,
      'UNAUTHENTICATED',
      'Bearer realm="tocsin"',
    ])
    for (const authorization of ['Bearer tk_wrong', `Basic ${organization.key}`, 'Bearer', `Bearer ${organization.key}x`])
      expect((await world.post(undefined, body, { headers: { authorization } })).status).toBe(401)
    expect((await world.post(await world.organization({ scopes: ['read'] }), body)).status).toBe(403)
  })

  it('is of one organization, whatever else a request names', async () => {
    const operations = Object.values<ApiOperation>(OPERATIONS_TABLE).filter(({ service }) => service === 'ingest')
    expect(operations.map(({ url }) => url)).toEqual(['/v1/events'])
    const [own, other] = [await world.organization(), await world.organization()]
    const named = { organizationId: other.organizationId, organization: other.slug, tenantId: other.organizationId }
    const headers = {
      'x-organization-id': other.organizationId,
      'x-tenant-id': other.organizationId,
      'tocsin-key': other.key,
    }
    for (const fields of [named, { details: named }, { organization: other.slug }, { tenantId: other.organizationId }, {}])
      for (const query of ['', `?organizationId=${other.organizationId}`])
        expect((await world.post(own, JSON.stringify(least(fields)), { query, headers })).status).toBeLessThan(500)
    expect(await world.events(other)).toEqual([])
    expect((await world.events(own)).every(({ organizationId }) => organizationId === own.organizationId)).toBe(true)
  })

  it('of a deleted organization is known no more', async () => {
    const gone = await world.organization()
    expect((await world.post(gone, JSON.stringify(least()))).status).toBe(202)
    await world.producer.send([{ topic: TOPICS.tenants.name, partition: 0, key: gone.organizationId, value: null }])
    await waitFor(async () => (await world.post(gone, JSON.stringify(least()))).status === 401, {
      limitMs: 30_000,
      what: 'the end of the key',
    })
  })

  it('that was made a moment ago is taken at once', async () => {
    const started = performance.now()
    const fresh = await world.organization()
    expect((await world.post(fresh, JSON.stringify(least()))).status).toBe(202)
    expect(performance.now() - started).toBeLessThan(4_000)
  })
})

describe('time', () => {
  it('moves on by ticks on every partition', async () => {
    const ticks = await waitFor(
      async () => {
        const found = (await world.records(TOPICS.auditEvents.name)).filter((record) => headerOf(record, HEADERS.type) === 'tick')
        return new Set(found.map(({ partition }) => partition)).size === 2 && found
      },
      { limitMs: 10_000, what: 'ticks on both partitions' },
    )
    expect(JSON.parse(String(ticks[0]?.value))).toEqual({ at: expect.stringMatching(/Z$/) })
  })
})

describe('whatever bytes are sent', () => {
  it('are never answered with 5xx', async () => {
    const event = JSON.stringify(least())
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.json({ maxDepth: 6 }).map((text) => Buffer.from(text)),
      // A good event with some bytes changed.
      fc.array(fc.tuple(fc.nat({ max: event.length - 1 }), fc.nat({ max: 255 })), { maxLength: 4 }).map((changes) => {
        const bytes = Buffer.from(event)
        for (const [at, value] of changes) bytes[at] = value
        return bytes
      }),
    )
    const queries = fc.constantFrom(
      '',
      '?format=sshd',
      '?format=tocsin',
      '?format=cloudtrail',
      '?format=cloudevents',
      '?format=sshd&year=2025&zone=Asia/Kathmandu',
    )
    const types = fc.constantFrom(
      'application/json',
      'text/plain',
      'application/x-ndjson',
      'application/cloudevents+json',
      'application/octet-stream',
      'x',
    )
    await fc.assert(
      fc.asyncProperty(bodies, queries, types, fc.boolean(), async (body, query, type, binary) => {
        const headers: Record<string, string> = { 'content-type': type }
        if (binary) headers['ce-specversion'] = '1.0'
        const { status } = await world.post(organization, new Uint8Array(body), { query, headers })
        expect([202, 400, 413, 415, 422]).toContain(status)
      }),
      { numRuns: 150 },
    )
    expect((await world.health()).status).toBe(200)
  })
})
