import { DEAD_HEADERS, HEADERS, TOPICS } from '@tocsin/contracts'
import { headerOf } from '@tocsin/kafka'
import { waitFor } from '@tocsin/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createWorld, least, type Organization, type World } from './world.ts'

const LIMIT_MS = 20_000
let world: World
let organization: Organization
beforeAll(async () => {
  world = await createWorld()
  organization = await world.organization()
})
afterAll(() => world.close())

type Value = string | Buffer | null
const write = async (value: Value, headers: Record<string, string> = {}, key: string | undefined = organization.key) => {
  const [place] = await world.producer.send([
    {
      topic: TOPICS.auditIntake.name,
      partition: 0,
      key: 'whatever',
      value,
      headers: { ...(key === undefined ? {} : { [HEADERS.key]: key }), ...headers },
    },
  ])
  return `audit.intake/0/${place?.offset}`
}
const eventsOf = (own: Organization, count: number) =>
  waitFor(
    async () => {
      const events = await world.events(own)
      return events.length >= count && events
    },
    { limitMs: LIMIT_MS, what: `${count} events in audit.events` },
  )
const deadOf = (place: string) =>
  waitFor(
    async () =>
      (await world.records(`${TOPICS.auditIntake.name}.dead`)).find(
        (record) => `audit.intake/${headerOf(record, DEAD_HEADERS.partition)}/${headerOf(record, DEAD_HEADERS.offset)}` === place,
      ),
    { limitMs: LIMIT_MS, what: `the dead letter of ${place}` },
  )

it('a record becomes an event of the organization of its key, whatever its own key and value say', async () => {
  const own = await world.organization({ partition: 0 })
  const place = await write(JSON.stringify(least({ principalId: 'p' })), {}, own.key)
  const [event] = await eventsOf(own, 1)
  expect(event).toMatchObject({ id: place, organizationId: own.organizationId, principalId: 'p' })
  const written = (await world.records(TOPICS.auditEvents.name)).find(({ key }) => key?.toString() === own.organizationId)
  expect([written?.partition, written && headerOf(written, HEADERS.key)]).toEqual([0, undefined])
})

it('a record may hold several events, in any format, named or recognized', async () => {
  const own = await world.organization()
  const place = await write(JSON.stringify([least({ id: 'given' }), least()]), {}, own.key)
  await write(
    'Dec 10 06:55:46 h sshd[1]: Failed password for root from 192.0.2.1 port 38926 ssh2',
    { [HEADERS.format]: 'sshd' },
    own.key,
  )
  const events = await eventsOf(own, 3)
  expect(events.map(({ id }) => id).slice(0, 2)).toEqual(['given', `${place}/1`])
  expect(events.map(({ source }) => source.format)).toEqual(['tocsin', 'tocsin', 'sshd'])
})

it('a CloudEvent in binary mode has its attributes in ce_ headers, not percent-encoded', async () => {
  const own = await world.organization()
  const time = '2026-11-23T10:00:00Z'
  await write(
    JSON.stringify({ status: 'failure' }),
    {
      ce_specversion: '1.0',
      ce_id: '100%25',
      ce_source: '/kafka',
      ce_type: 'auth.login',
      ce_time: time,
      [HEADERS.contentType]: 'application/json',
    },
    own.key,
  )
  const [event] = await eventsOf(own, 1)
  expect(event).toMatchObject({ id: '/kafka#100%25', action: 'auth.login', status: 'failure', source: { format: 'cloudevents' } })
})

it.each([
  ['no key', JSON.stringify(least()), {}, '', 'UNAUTHENTICATED'],
  ['a wrong key', JSON.stringify(least()), {}, 'tk_wrong', 'UNAUTHENTICATED'],
  ['no value', null, {}, undefined, 'MALFORMED'],
  ['a value that is no JSON', Buffer.from([0xff, 0x00, 0x7b]), {}, undefined, 'MALFORMED'],
  ['malformed JSON', '{"a":', {}, undefined, 'MALFORMED'],
  ['an event with faults', JSON.stringify(least({ status: 'odd' })), {}, undefined, 'INVALID'],
  ['an unknown format', JSON.stringify(least()), { [HEADERS.format]: 'nope' }, undefined, 'INVALID'],
  ['a format that it is not of', JSON.stringify(least()), { [HEADERS.format]: 'sshd' }, undefined, 'INVALID'],
  ["another organization's id", JSON.stringify(least({ organizationId: 'elsewhere' })), {}, undefined, 'INVALID'],
  ['NUL', JSON.stringify(least({ principalId: '\0' })), {}, undefined, 'INVALID'],
] as const)(
  'a record with %s is set aside with its bytes, without its key, and the next one goes on',
  async (_name, value, headers, key, code) => {
    const own = await world.organization()
    const place = await write(value, { ...headers, traceparent: 'kept' }, key ?? organization.key)
    await write(JSON.stringify(least({ id: 'next' })), {}, own.key)
    const dead = await deadOf(place)
    expect([headerOf(dead, DEAD_HEADERS.code), headerOf(dead, 'traceparent'), headerOf(dead, HEADERS.key)]).toEqual([
      code,
      'kept',
      undefined,
    ])
    expect(dead.value).toEqual(value === null ? null : Buffer.from(value))
    await eventsOf(own, 1)
  },
)

it('the good events of a record with a bad one are accepted', async () => {
  const own = await world.organization()
  const place = await write(JSON.stringify([least({ id: 'good' }), { ...least(), action: 7 }]), {}, own.key)
  expect(headerOf(await deadOf(place), DEAD_HEADERS.reason)).toContain('item 1: INVALID_TYPE /action')
  expect((await eventsOf(own, 1)).map(({ id }) => id)).toEqual(['good'])
})

it('a copy that was replayed for another consumer is dropped', async () => {
  const own = await world.organization()
  await write(JSON.stringify(least({ id: 'replayed' })), { [HEADERS.replayFor]: 'somebody' }, own.key)
  await write(JSON.stringify(least({ id: 'mine' })), { [HEADERS.replayFor]: 'ingest' }, own.key)
  expect((await eventsOf(own, 1)).map(({ id }) => id)).toEqual(['mine'])
})

it('a record that comes twice is one event', async () => {
  const own = await world.organization()
  const record = {
    topic: TOPICS.auditIntake.name,
    partition: 0,
    key: null,
    value: JSON.stringify(least({ id: 'once' })),
    headers: { [HEADERS.key]: own.key },
  }
  await world.producer.send([record, record])
  await eventsOf(own, 1)
  await world.producer.send([record, { ...record, value: JSON.stringify(least({ id: 'last' })) }])
  const events = await eventsOf(own, 2)
  expect(events.map(({ id }) => id)).toEqual(['once', 'last'])
})
