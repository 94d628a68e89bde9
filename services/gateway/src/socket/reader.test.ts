import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Change } from '../stream/change.ts'
import { Ring } from '../stream/ring.ts'
import { alertId, change, ORGANIZATION } from '../stream/samples.ts'
import { ChangeReader, HIGH_WATER_BYTES, SLOW_AFTER_MS, STALL_MS } from './reader.ts'

const SUBSCRIPTION = { organizationId: ORGANIZATION, partition: 0, filter: {} }

/** A socket whose buffer drains when the test says so. */
class Pipe {
  readonly frames: { type: string; cursor: string; alertId?: string; alert?: { id: string }; alerts?: { id: string }[] }[] = []
  bufferedBytes = 0
  flowing = true
  readonly #callbacks: (() => void)[] = []

  send(frame: string, sent: () => void): void {
    this.frames.push(JSON.parse(frame))
    this.#callbacks.push(sent)
    this.bufferedBytes += frame.length
    if (this.flowing) this.drain()
  }

  drain(): void {
    this.bufferedBytes = 0
    for (const sent of this.#callbacks.splice(0)) sent()
  }
}

function setUp(options: { maxBytes?: number; filter?: object } = {}) {
  const ring = new Ring({ maxBytes: options.maxBytes ?? 1e9, maxAgeMs: 1e9 })
  const pipe = new Pipe()
  const clock = { now: 0 }
  const readerFrom = (from: bigint) =>
    new ChangeReader({ ...SUBSCRIPTION, filter: options.filter ?? {} }, from, {
      outlet: pipe,
      read: (subscription, offset, limit) => ring.read(subscription.organizationId, subscription.partition, offset, limit),
      seal: (_subscription, offset) => String(offset),
      textOf: (each) => each.alert,
      clock: () => clock.now,
    })
  const append = (...changes: Change[]) => {
    for (const each of changes) ring.append(each, each.at)
  }
  return { ring, pipe, clock, append, readerFrom }
}
const big = (offset: number, alert: number) =>
  change(offset, {
    alertId: alertId(alert),
    created: false,
    before: change(0).after,
    alert: JSON.stringify({ id: alertId(alert), offset, text: 'x'.repeat(2000) }),
  })

test('changes are told one by one, in order, each with the position after it', () => {
  const { append, readerFrom, pipe } = setUp()
  append(change(1), change(4), change(7))
  readerFrom(2n).pump()
  expect(pipe.frames).toMatchObject([
    { type: 'alert_created', cursor: '5', alert: { id: alertId(4) } },
    { type: 'alert_created', cursor: '8', alert: { id: alertId(7) } },
  ])
})

test('an alert that leaves the filter is deleted by its id', () => {
  const { append, readerFrom, pipe } = setUp({ filter: { status: ['active'] } })
  append(
    change(1, {
      created: false,
      before: change(0).after,
      after: { ...change(0).after, status: 'resolved' },
      userId: 'ann@example.org',
    }),
  )
  readerFrom(0n).pump()
  expect(pipe.frames).toMatchObject([
    { type: 'alert_deleted', alertId: alertId(1), reason: 'filtered', userId: 'ann@example.org', cursor: '2' },
  ])
})

test('a socket that takes nothing holds no more than the high water and one message, and stalls', () => {
  const { append, readerFrom, pipe, clock } = setUp()
  pipe.flowing = false
  const reader = readerFrom(0n)
  for (let n = 0; n < 5000; n++) {
    append(big(n, n))
    reader.pump()
  }
  expect(pipe.bufferedBytes).toBeLessThan(HIGH_WATER_BYTES + 4096)
  expect(reader.health(clock.now + STALL_MS - 1)).toBe('well')
  expect(reader.health(clock.now + STALL_MS)).toBe('stalled')
})

test('a socket that was slow gets what it missed coalesced per alert, and single messages once it has caught up', () => {
  const { append, readerFrom, pipe, clock } = setUp()
  pipe.flowing = false
  const reader = readerFrom(0n)
  for (let n = 0; n < 1000; n++) append(big(n, n % 3))
  reader.pump()
  const before = pipe.frames.length
  clock.now += SLOW_AFTER_MS
  pipe.flowing = true
  pipe.drain()
  const bulk = pipe.frames.slice(before)
  expect(bulk.length).toBeLessThan(10)
  expect(bulk.every((frame) => frame.type === 'bulk_update' && frame.alerts?.length === 3)).toBe(true)
  expect(bulk.at(-1)).toMatchObject({ cursor: '1000', alerts: [{ offset: 997 }, { offset: 998 }, { offset: 999 }] })
  append(big(1000, 1))
  reader.pump()
  expect(pipe.frames.at(-1)).toMatchObject({ type: 'alert_updated', cursor: '1001' })
})

test('a position that left the ring is lost, never skipped', () => {
  const { append, readerFrom, pipe } = setUp({ maxBytes: 100_000 })
  pipe.flowing = false
  const reader = readerFrom(0n)
  for (let n = 0; n < 1000; n++) append(big(n, n))
  reader.pump()
  expect(reader.health(0)).toBe('lost')
})

test('in a coalesced stretch only the last message moves the cursor on', () => {
  const { append, readerFrom, pipe, clock } = setUp({ filter: { status: ['active'] } })
  pipe.flowing = false
  const reader = readerFrom(0n)
  for (let n = 0; n < 200; n++) append(big(n, 1))
  reader.pump()
  const from = reader.position
  append(
    change(500, {
      alertId: alertId(2),
      created: false,
      before: change(0).after,
      after: { ...change(0).after, status: 'resolved' },
    }),
    big(501, 3),
  )
  clock.now += SLOW_AFTER_MS
  const told = pipe.frames.length
  pipe.flowing = true
  pipe.drain()
  expect(pipe.frames.slice(told)).toMatchObject([
    { type: 'alert_deleted', alertId: alertId(2), cursor: String(from) },
    { type: 'bulk_update', cursor: '502' },
  ])
})

test('a client that breaks off anywhere and comes back with its cursor has what one has that never left', () => {
  const step = fc.record({
    alert: fc.integer({ min: 0, max: 4 }),
    status: fc.constantFrom('active', 'resolved'),
    append: fc.boolean(),
    slow: fc.boolean(),
    cut: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const filter = { status: ['active'] }
      const world = setUp({ filter })
      const states = new Map<number, string>()
      const seen = new Map<string, number>()
      let taken = 0
      let cursor = '0'
      let reader = world.readerFrom(0n)
      const take = () => {
        for (const frame of world.pipe.frames.slice(taken) as never as {
          type: string
          cursor: string
          alertId: string
          alert: { id: string; offset: number }
          alerts: { id: string; offset: number }[]
        }[]) {
          cursor = frame.cursor
          if (frame.type === 'alert_deleted') seen.delete(frame.alertId)
          else for (const alert of frame.alerts ?? [frame.alert]) seen.set(alert.id, alert.offset)
        }
        taken = world.pipe.frames.length
      }
      steps.forEach((each, offset) => {
        const held = states.get(each.alert)
        states.set(each.alert, each.status)
        const facets = (status: string) => ({ ...change(0).after, status })
        world.append(
          change(offset, {
            alertId: alertId(each.alert),
            created: held === undefined,
            before: held === undefined ? null : facets(held),
            after: facets(each.status),
            alert: JSON.stringify({ id: alertId(each.alert), offset, text: 'x'.repeat(90_000) }),
          }),
        )
        world.pipe.flowing = !each.slow
        if (each.slow) world.clock.now += SLOW_AFTER_MS
        else world.pipe.drain()
        reader.pump()
        take()
        if (each.cut) {
          world.pipe.drain()
          take()
          reader = world.readerFrom(BigInt(cursor))
        }
      })
      world.pipe.flowing = true
      world.pipe.drain()
      reader.pump()
      take()
      const expected = new Map<string, number>()
      steps.forEach((each, offset) => {
        if (each.status === 'active') expected.set(alertId(each.alert), offset)
        else expected.delete(alertId(each.alert))
      })
      expect([...seen].sort()).toEqual([...expected].sort())
    }),
    { numRuns: 300 },
  )
})
