import type { AccessRecord } from '@tocsin/contracts'
import { expect, test } from 'vitest'
import { Ring } from '../stream/ring.ts'
import { change, ORGANIZATION } from '../stream/samples.ts'
import type { CloseKind } from './close-codes.ts'
import { Session } from './session.ts'

const FOREIGN = '99999999-5f3c-4d1e-9a76-1f2e3d4c5b6a'
const NOW = Date.parse('2026-03-01T12:00:00Z')

function setUp() {
  const ring = new Ring({ maxBytes: 1e6, maxAgeMs: 1e12 })
  ring.begin(0, 10n)
  const world = {
    now: NOW,
    position: 20n,
    /** What the topic's end is; catchUp reads to it. */
    end: 20n,
    frames: [] as { type: string; [name: string]: unknown }[],
    closed: null as CloseKind | null,
    access: {
      operator: false,
      memberships: [{ organizationId: ORGANIZATION, role: 'viewer' }],
      notBefore: null,
    } as Pick<AccessRecord, 'operator' | 'memberships' | 'notBefore'>,
    paused: false,
  }
  const session = new Session(
    {
      bufferedBytes: 0,
      send: (frame) => world.frames.push(JSON.parse(frame)),
      close: (kind) => {
        world.closed = kind
      },
      listen: () => {},
    },
    { subject: 'ann', id: 'j', issuedAt: new Date(NOW), expiresAt: new Date(NOW + 3_600_000) },
    {
      stream: {
        read: (subscription, offset, limit) => ring.read(subscription.organizationId, subscription.partition, offset, limit),
        floor: (organizationId, partition) => ring.floor(organizationId, partition),
        position: () => world.position,
        catchUp: async () => {
          world.position = world.end
        },
        isPaused: () => world.paused,
      },
      access: { of: () => world.access },
      partitionOf: (organizationId) => (organizationId === ORGANIZATION || organizationId === FOREIGN ? 0 : undefined),
      refresh: async () => {},
      seal: ({ organizationId, offset }) => `${organizationId}:${offset}`,
      open: (cursor) => {
        const [organizationId, offset] = cursor.split(':') as [string, string]
        return { organizationId, partition: 0, offset: BigInt(offset) }
      },
      textOf: (each, masked) => (masked ? '{"masked":true}' : each.alert),
      clock: () => world.now,
    },
  )
  const subscribe = (more: object = {}) =>
    session.receive(JSON.stringify({ type: 'subscribe', organizationId: ORGANIZATION, ...more }))
  const append = (offset: number) => {
    ring.append(change(offset), change(offset).at)
    world.position = BigInt(offset + 1)
    session.wake()
  }
  const types = () => world.frames.map((frame) => frame.type)
  return { world, session, subscribe, append, types }
}

test('hello comes first, then subscribed with a position, then changes', async () => {
  const { subscribe, append, types, world } = setUp()
  await subscribe()
  append(20)
  expect(types()).toEqual(['hello', 'subscribed', 'alert_created'])
  expect(world.frames[1]).toMatchObject({ cursor: `${ORGANIZATION}:20` })
})

test('a role that may not read everything is sent masked alerts, from the moment on that it has that role', async () => {
  const { subscribe, append, world } = setUp()
  await subscribe()
  append(20)
  world.access = { ...world.access, memberships: [{ organizationId: ORGANIZATION, role: 'responder' as const }] }
  append(21)
  world.access = { ...world.access, memberships: [{ organizationId: ORGANIZATION, role: 'viewer' as const }] }
  append(22)
  const masked = { masked: true }
  expect(world.frames.slice(2).map((frame) => frame['alert'])).toEqual([masked, expect.not.objectContaining(masked), masked])
})

test('from a cursor, what was missed comes before what is new', async () => {
  const { subscribe, append, world } = setUp()
  append(20)
  append(21)
  await subscribe({ cursor: `${ORGANIZATION}:21` })
  append(22)
  expect(world.frames.map((frame) => frame['cursor'])).toEqual([
    undefined,
    `${ORGANIZATION}:21`,
    `${ORGANIZATION}:22`,
    `${ORGANIZATION}:23`,
  ])
})

test('a cursor ahead of this reader is waited for and nothing before it is told', async () => {
  const { subscribe, append, types, world } = setUp()
  world.end = 30n
  await subscribe({ cursor: `${ORGANIZATION}:30` })
  expect(types()).toEqual(['hello', 'subscribed'])
  append(30)
  expect(types()).toEqual(['hello', 'subscribed', 'alert_created'])
})

test.each([
  ['too old', '9', 'too old'],
  ['beyond the end', '31', 'unknown position'],
])('a cursor %s is answered by resync, and changes go on from the present', async (_title, offset, reason) => {
  const { subscribe, append, types, world } = setUp()
  await subscribe({ cursor: `${ORGANIZATION}:${offset}` })
  append(20)
  expect(types()).toEqual(['hello', 'subscribed', 'resync', 'alert_created'])
  expect(world.frames[2]).toMatchObject({ reason, cursor: `${ORGANIZATION}:20` })
})

test.each([
  ['of another organization', `${FOREIGN}:20`],
  ['that is forged', 'nonsense'],
])('a cursor %s is an error and subscribes nothing', async (_title, cursor) => {
  const { subscribe, append, types, world } = setUp()
  await subscribe({ cursor })
  append(20)
  expect(types()).toEqual(['hello', 'error'])
  expect(world.frames[1]).toMatchObject({ code: 'BAD_CURSOR' })
})

test.each([FOREIGN, '77777777-5f3c-4d1e-9a76-1f2e3d4c5b6a'])(
  'a foreign organization and a missing one end alike (%s)',
  async (organizationId) => {
    const { subscribe, world } = setUp()
    await subscribe({ organizationId })
    expect(world.closed).toBe('notFound')
    expect(world.frames[1]).toMatchObject({ type: 'error', code: 'NOT_FOUND', message: 'There is no such organization.' })
  },
)

test('losing the membership closes the socket, and nothing more is told', async () => {
  const { subscribe, append, session, world, types } = setUp()
  await subscribe()
  world.access = { ...world.access, memberships: [] }
  session.recheck()
  append(20)
  expect(world.closed).toBe('revoked')
  expect(types()).toEqual(['hello', 'subscribed', 'error'])
})

test('a token from before notBefore and an expired one are closed', async () => {
  const revoked = setUp()
  revoked.world.access = { ...revoked.world.access, notBefore: new Date(NOW + 1).toISOString() }
  revoked.session.recheck()
  expect(revoked.world.closed).toBe('expired')
  const old = setUp()
  old.session.tick(NOW + 3_600_000)
  expect(old.world.closed).toBe('expired')
})

test('another filter goes on where the one before it was', async () => {
  const { subscribe, append, world } = setUp()
  await subscribe({ filter: { status: ['resolved'] } })
  append(20)
  await subscribe()
  append(21)
  expect(world.frames.map((frame) => [frame.type, frame['cursor']])).toEqual([
    ['hello', undefined],
    ['subscribed', `${ORGANIZATION}:20`],
    ['subscribed', `${ORGANIZATION}:21`],
    ['alert_created', `${ORGANIZATION}:22`],
  ])
})

test.each([
  '',
  'nonsense',
  '[]',
  '{"type":"subscribe"}',
  '{"type":"subscribe","organizationId":"x"}',
  `{"type":"subscribe","organizationId":"${ORGANIZATION}","role":"admin"}`,
])('what is no message of the protocol closes the socket: %s', async (frame) => {
  const { session, world } = setUp()
  await session.receive(frame)
  expect(world.closed).toBe('badMessage')
})

test('a flood of messages closes the socket', async () => {
  const { subscribe, world } = setUp()
  for (let n = 0; n < 20; n++) await subscribe()
  expect(world.closed).toBeNull()
  await subscribe()
  expect(world.closed).toBe('flood')
})

test('a socket that never subscribes is closed', () => {
  const { session, world } = setUp()
  session.tick(NOW + 30_001)
  expect(world.closed).toBe('noSubscription')
})

test('while a partition is paused a subscription says so', async () => {
  const { subscribe, world, types } = setUp()
  world.paused = true
  await subscribe()
  expect(types()).toEqual(['hello', 'error'])
  expect(world.frames[1]).toMatchObject({ code: 'STREAM_PAUSED' })
})
