import { queryOf } from '@tocsin/postgres'
import { waitFor } from '@tocsin/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { claim, readForSending, record } from '../src/ledger/deliveries.ts'
import { listEntries } from '../src/ledger/entries.ts'
import { reopenUntold, runDueTimers } from '../src/ledger/timers.ts'
import {
  AT_ONCE,
  acted,
  CONCURRENCY,
  created,
  createLedgerWorld,
  figuresOf,
  type LedgerWorld,
  refuse,
  revised,
  ScriptedChannel,
  statusOf,
  type TestCourier,
} from './ledger-world.ts'

const LIMIT_MS = 20_000
let world: LedgerWorld
beforeEach(async () => {
  world = await createLedgerWorld()
})
afterEach(() => world.close())

const settled = (alertId: string, count: number) =>
  waitFor(
    async () => {
      const rows = await world.deliveries(alertId)
      return rows.length === count && rows.every(({ status }) => status !== 'waiting' && status !== 'sending') && rows
    },
    { limitMs: LIMIT_MS, what: `${count} settled deliveries` },
  )
const idle = (count: number, ...couriers: TestCourier[]) =>
  waitFor(() => couriers.reduce((sum, { outcomes }) => sum + outcomes.length, 0) >= count, {
    limitMs: LIMIT_MS,
    what: `${count} outcomes`,
  })

describe('exactly once', () => {
  test('two notifiers at once send each notification once', async () => {
    const organizations = Array.from({ length: 20 }, () => world.newOrganization({ emails: ['a@x.org', 'b@x.org'] }))
    const email = new ScriptedChannel('email')
    // Nothing is accepted before more is on its way than one of the two may send at once: so both are at work.
    const both = Promise.withResolvers<void>()
    let onTheirWay = 0
    email.before = () => {
      onTheirWay += 1
      if (onTheirWay > CONCURRENCY) both.resolve()
      return both.promise
    }
    const one = world.courier([email])
    const two = world.courier([email])
    const figures = organizations.flatMap((organizationId) => Array.from({ length: 5 }, () => figuresOf(organizationId)))
    for (const each of figures) await world.apply(created(each))
    one.courier.wake()
    two.courier.wake()
    await idle(figures.length * 2, one, two)
    const told = email.sent.map(({ destination, telling }) => `${destination} ${telling.alert.id}`)
    expect(new Set(told).size).toBe(figures.length * 2)
    expect(told).toHaveLength(figures.length * 2)
    expect(Math.min(one.outcomes.length, two.outcomes.length)).toBeGreaterThan(0)
  })

  test('a batch that another instance has taken has no effect', async () => {
    const figures = figuresOf(world.newOrganization())
    await world.apply(created(figures))
    await world.admin(`UPDATE offsets SET next = next + 1`)
    expect(await world.apply(created(figuresOf(figures.organizationId)))).toBe('moved')
    expect(await world.admin('SELECT id FROM alerts')).toEqual([{ id: figures.id }])
  })

  test('a half that is not newer is left out and plans nothing', async () => {
    const figures = figuresOf(world.newOrganization())
    await world.apply(created(figures))
    expect(await world.apply(created(figures), revised({ ...figures, revision: 1, severity: 'CRITICAL' }))).toEqual([
      'stale',
      'stale',
    ])
    expect(await world.notifications(figures.id)).toHaveLength(1)
  })

  test('a batch with a record that cannot be stored leaves nothing behind', async () => {
    const organizationId = world.newOrganization()
    const bad = { ...figuresOf(organizationId), id: 'no uuid' }
    await expect(world.apply(created(figuresOf(organizationId)), created(bad))).rejects.toThrow()
    expect(await world.admin('SELECT id FROM alerts')).toEqual([])
    expect(await world.admin('SELECT next FROM offsets')).toEqual([{ next: 0n }])
  })

  test('of a sender that died its lease is taken over, and the dead one records nothing any more', async () => {
    const figures = figuresOf(world.newOrganization())
    await world.apply(created(figures))
    await runDueTimers(world.pool, { of: (id) => world.organizations.get(id) }, { withConsole: false })
    const [mine] = await claim(world.pool, 10)
    if (mine === undefined) throw new Error('nothing was claimed')
    expect(await claim(world.pool, 10)).toEqual([])

    await world.admin(`UPDATE deliveries SET lease_until = now() - interval '1 second'`)
    const [theirs] = await claim(world.pool, 10)
    expect(theirs).toMatchObject({ id: mine.id, fence: mine.fence + 1 })
    const attempt = { outcome: 'retry', code: 'timeout', latencyMs: 1 } as const
    const stale = await record(world.pool, mine, { kind: 'again', reason: 'timeout', pauseMs: 0, holdMs: null, attempt })
    expect(stale.held).toBe(false)
    const accepted = {
      kind: 'accepted',
      providerId: 'x',
      ref: { id: 'x' },
      late: false,
      attempt: { outcome: 'accepted', code: null, latencyMs: 1 },
    } as const
    expect(await record(world.pool, mine, accepted)).toEqual({ held: false, first: false })
    expect(await record(world.pool, theirs ?? mine, accepted)).toEqual({ held: true, first: true })
    expect(await world.admin('SELECT fence, outcome FROM attempts')).toEqual([{ fence: 2, outcome: 'accepted' }])
  })
})

describe('PostgreSQL that is away when a message was accepted', () => {
  test('learns of it before anything is sent again, also when the lease is over by then', async () => {
    const figures = figuresOf(world.newOrganization())
    const email = new ScriptedChannel('email')
    const database = world.breakableDatabase()
    const one = world.courier([email], {}, database.pool)
    email.before = async () => database.away(true)
    await world.apply(created(figures))
    one.courier.wake()
    await waitFor(() => database.refusals() > 2, { limitMs: LIMIT_MS, what: 'the outcome not to be recorded' })
    await world.admin(`UPDATE deliveries SET lease_until = now() - interval '1 second'`)
    email.before = async () => undefined
    database.away(false)
    one.courier.wake()
    expect(await settled(figures.id, 1)).toMatchObject([{ status: 'sent', attempts: 1 }])
    expect(email.sent).toHaveLength(1)
  })
})

describe('people', () => {
  test('who acknowledge before the delay is over are the reason why nobody is told', async () => {
    const organizationId = world.newOrganization({ emails: ['a@x.org'] }, {})
    const figures = figuresOf(organizationId)
    const email = new ScriptedChannel('email')
    await world.apply(created(figures))
    await world.apply(acted(statusOf(figures, 'acknowledged')))
    await world.admin(`UPDATE notifications SET due_at = now() - interval '1 second' WHERE change = 'created'`)
    world.courier([email])
    expect(await world.notifications(figures.id)).toEqual([
      { change: 'created', status: 'cancelled', reason: 'acknowledged' },
      { change: 'acknowledged/notTold', status: 'skipped', reason: 'notTold' },
    ])
    expect(email.sent).toEqual([])
  })

  test('who acknowledge while a delivery is being retried stop it', async () => {
    const figures = figuresOf(world.newOrganization())
    const email = new ScriptedChannel('email')
    email.before = refuse('retry', 'smtp_451', 60_000)
    const one = world.courier([email])
    await world.apply(created(figures))
    one.courier.wake()
    await idle(1, one)
    await world.apply(acted(statusOf(figures, 'acknowledged')))
    expect(await settled(figures.id, 1)).toMatchObject([{ status: 'cancelled', reason: 'acknowledged', attempts: 1 }])
  })

  test('who act on what Slack was told see it brought up to date there, and nowhere else', async () => {
    const figures = figuresOf(world.newOrganization({ emails: ['a@x.org'], slackChannels: ['#alerts'] }))
    const [email, slack] = [new ScriptedChannel('email'), new ScriptedChannel('slack')]
    const one = world.courier([email, slack])
    await world.apply(created(figures))
    one.courier.wake()
    await idle(2, one)
    await world.apply(acted(statusOf(figures, 'acknowledged')))
    one.courier.wake()
    await idle(3, one)
    expect(email.sent).toHaveLength(1)
    expect(slack.sent.map(({ telling, previous }) => [telling.event, telling.send, telling.actor, previous?.id])).toEqual([
      ['created', 'first', null, undefined],
      ['acknowledged', 'follow', 'ada', 'slack-1'],
    ])
  })

  test('who act while the first message is on its way see the newest state follow it', async () => {
    const figures = figuresOf(world.newOrganization({ slackChannels: ['#alerts'] }))
    const slack = new ScriptedChannel('slack')
    const gate = Promise.withResolvers<void>()
    slack.before = () => gate.promise
    const one = world.courier([slack])
    await world.apply(created(figures))
    one.courier.wake()
    await waitFor(async () => (await world.deliveries(figures.id)).some(({ status }) => status === 'sending'), {
      limitMs: LIMIT_MS,
      what: 'a send',
    })
    await world.apply(acted(statusOf(figures, 'acknowledged', 1)), acted(statusOf(figures, 'resolved', 2)))
    gate.resolve()
    await idle(2, one)
    expect(await settled(figures.id, 3)).toMatchObject([
      { change: 'created', status: 'sent' },
      { change: 'acknowledged:1', status: 'superseded', reason: 'newerState' },
      { change: 'resolved:2', status: 'sent' },
    ])
    expect(slack.sent.map(({ telling }) => telling.alert.status)).toEqual(['active', 'resolved'])
  })
})

describe('destinations', () => {
  test('one that asks to be left alone is, and the others are told in time', async () => {
    const organizationId = world.newOrganization({ emails: ['a@x.org', 'b@x.org'] })
    const email = new ScriptedChannel('email')
    email.before = async ({ destination }) => {
      if (destination === 'a@x.org') await refuse('retry', 'http_429', 60_000)()
    }
    const one = world.courier([email])
    const [first, second] = [figuresOf(organizationId), figuresOf(organizationId)]
    await world.apply(created(first), created(second))
    one.courier.wake()
    await waitFor(() => email.sent.length === 2, { limitMs: LIMIT_MS, what: 'both at b' })
    expect(email.sent.map(({ destination }) => destination)).toEqual(['b@x.org', 'b@x.org'])
    // One attempt at a, and then none: also not for the other alert.
    await waitFor(async () => (await world.admin(`SELECT 1 FROM attempts WHERE code = 'http_429'`)).length === 1, {
      limitMs: LIMIT_MS,
      what: 'the refusal',
    })
    await one.courier.stop()
    expect(await world.admin(`SELECT count(*)::int AS n FROM attempts WHERE outcome = 'retry'`)).toEqual([{ n: 1 }])
    expect(await world.admin('SELECT destination, hold_reason FROM destinations')).toEqual([
      { destination: 'a@x.org', hold_reason: 'http_429' },
    ])
  })

  test('one that hangs holds back nobody else', async () => {
    const dead = world.newOrganization({ emails: ['dead@x.org'] })
    const live = world.newOrganization({ emails: ['live@x.org'] })
    const email = new ScriptedChannel('email')
    let atDead = 0
    email.before = ({ destination, signal }) => {
      if (destination !== 'dead@x.org') return Promise.resolve()
      atDead += 1
      expect(signal.aborted).toBe(false)
      return new Promise(() => undefined)
    }
    const one = world.courier([email])
    await world.apply(...Array.from({ length: 50 }, () => created(figuresOf(dead))), created(figuresOf(live)))
    const startedAt = performance.now()
    one.courier.wake()
    await waitFor(() => email.sent.length === 1, { limitMs: LIMIT_MS, what: 'the live one' })
    expect(performance.now() - startedAt).toBeLessThan(1_900) // before the dead one's first attempt has timed out
    expect(atDead).toBe(1)
  })

  test('one that keeps failing is left alone by its breaker, and told late when it is back', async () => {
    const organizationId = world.newOrganization()
    const email = new ScriptedChannel('email')
    email.before = refuse('retry', 'smtp_451')
    const one = world.courier([email], { resetMs: 300 })
    const figures = Array.from({ length: 8 }, () => figuresOf(organizationId))
    await world.apply(...figures.map(created))
    one.courier.wake()
    await waitFor(() => one.outcomes.some(({ outcome }) => outcome.kind === 'again' && outcome.reason === 'breaker_open'), {
      limitMs: LIMIT_MS,
      what: 'the breaker to open',
    })
    expect(await world.admin('SELECT hold_reason FROM destinations')).toEqual([{ hold_reason: 'breaker_open' }])
    await world.admin(`UPDATE deliveries SET planned_for = now() - interval '5 minutes'`)
    email.before = async () => undefined
    await waitFor(() => email.sent.length === figures.length, { limitMs: LIMIT_MS, what: 'all to be told' })
    expect(email.sent.every(({ telling }) => telling.late)).toBe(true)
    for (const each of figures) expect(await settled(each.id, 1)).toMatchObject([{ status: 'sent', late: true }])
  })

  test.each([
    ['destination', 'slack_is_archived'],
    ['message', 'slack_invalid_blocks'],
  ] as const)('that refuse the %s end that delivery with a clear reason', async (effect, code) => {
    const figures = figuresOf(world.newOrganization({ slackChannels: ['#alerts'], emails: ['a@x.org'] }))
    const [email, slack] = [new ScriptedChannel('email'), new ScriptedChannel('slack')]
    slack.before = refuse(effect, code)
    const one = world.courier([email, slack])
    await world.apply(created(figures))
    one.courier.wake()
    await idle(2, one)
    expect(await settled(figures.id, 2)).toMatchObject([
      { channel: 'email', status: 'sent' },
      { channel: 'slack', status: 'failed', reason: code, attempts: 1 },
    ])
  })
})

describe('changes', () => {
  test('a rise takes the place of the first message that waits at the same destination', async () => {
    const figures = figuresOf(world.newOrganization(), { severity: 'MEDIUM' })
    const email = new ScriptedChannel('email')
    email.before = refuse('retry', 'smtp_451', 300)
    const one = world.courier([email])
    await world.apply(created(figures))
    one.courier.wake()
    await idle(1, one)
    await world.apply(revised({ ...figures, revision: 2, severity: 'HIGH' }))
    email.before = async () => undefined
    one.courier.wake()
    expect(await settled(figures.id, 2)).toMatchObject([
      { change: 'created', status: 'superseded', reason: 'newerState' },
      { change: 'risen:HIGH', status: 'sent' },
    ])
    expect(email.sent).toMatchObject([{ telling: { send: 'first', alert: { severity: 'HIGH' } } }])
  })

  test('revisions bring Slack up to date once and not each by itself', async () => {
    const figures = figuresOf(world.newOrganization({ slackChannels: ['#alerts'] }))
    const slack = new ScriptedChannel('slack')
    const one = world.courier([slack])
    await world.apply(created(figures))
    one.courier.wake()
    await idle(1, one)
    for (let revision = 2; revision <= 20; revision++) await world.apply(revised({ ...figures, revision, count: revision * 10 }))
    expect(await world.deliveries(figures.id)).toHaveLength(2)
    await world.admin(`UPDATE deliveries SET due_at = now() WHERE status = 'waiting'`)
    one.courier.wake()
    await idle(2, one)
    expect(slack.sent.map(({ telling }) => telling.alert.count)).toEqual([5, 200])
  })

  test('the end of a HIGH alert is told where it was told, that of a MEDIUM one is not', async () => {
    const organizationId = world.newOrganization()
    const email = new ScriptedChannel('email')
    const one = world.courier([email])
    const [high, medium] = [figuresOf(organizationId), figuresOf(organizationId, { severity: 'MEDIUM' })]
    await world.apply(created(high), created(medium))
    one.courier.wake()
    await idle(2, one)
    await world.apply(
      revised({ ...high, revision: 2, open: false }, 'alert.closed'),
      revised({ ...medium, revision: 2, open: false }, 'alert.closed'),
    )
    one.courier.wake()
    await idle(3, one)
    expect(email.sent.map(({ telling }) => `${telling.alert.severity} ${telling.event}`).toSorted()).toEqual([
      'HIGH closed',
      'HIGH created',
      'MEDIUM created',
    ])
  })

  test('an alert that went into another one is told by neither timer nor retry', async () => {
    const figures = figuresOf(world.newOrganization({ emails: ['a@x.org'] }, {}))
    await world.apply(created(figures))
    await world.apply(revised({ ...figures, revision: 2, open: false, metadata: { mergedInto: 'x' } }, 'alert.closed'))
    expect(await world.notifications(figures.id)).toContainEqual({ change: 'created', status: 'cancelled', reason: 'merged' })
  })

  test('text that PostgreSQL’s jsonb refuses is told all the same', async () => {
    const figures = figuresOf(world.newOrganization(), { title: 'zero \u0000 and lone \ud800' })
    const email = new ScriptedChannel('email')
    const one = world.courier([email])
    await world.apply(created(figures))
    one.courier.wake()
    expect(await settled(figures.id, 1)).toMatchObject([{ status: 'sent' }])
  })
})

describe('an organization from which nobody would be told', () => {
  test('says so at once, and is told when it names somebody', async () => {
    const organizationId = world.newOrganization({}, {})
    const figures = figuresOf(organizationId)
    await world.apply(created(figures))
    expect(await listEntries(world.pool, organizationId, figures.id)).toMatchObject([
      { event: 'created', status: 'skipped', reason: 'nobodyToTell', channel: null, destination: null, attempts: 0 },
    ])

    const email = new ScriptedChannel('email')
    const one = world.courier([email])
    world.organizations.set(organizationId, {
      name: 'Test',
      version: 2,
      settings: AT_ONCE,
      recipients: { emails: ['new@x.org'], slackChannels: [], phoneNumbers: [] },
    })
    await world.admin(`UPDATE notifications SET due_at = now() - interval '5 minutes'`)
    await reopenUntold(world.pool, organizationId)
    one.courier.wake()
    expect(await settled(figures.id, 1)).toMatchObject([{ destination: 'new@x.org', status: 'sent', late: true }])
  })

  test('is not called to what was resolved meanwhile', async () => {
    const organizationId = world.newOrganization({})
    const figures = figuresOf(organizationId)
    await world.apply(created(figures), acted(statusOf(figures, 'resolved')))
    await reopenUntold(world.pool, organizationId)
    expect(await world.notifications(figures.id)).toContainEqual({ change: 'created', status: 'skipped', reason: 'nobodyToTell' })
  })
})

describe('organizations', () => {
  test('do not see each other’s entries, whatever the query says', async () => {
    const [mine, theirs] = [world.newOrganization(), world.newOrganization()]
    const figures = figuresOf(mine)
    await world.apply(created(figures))
    expect(await listEntries(world.pool, mine, figures.id)).toHaveLength(1)
    expect(await listEntries(world.pool, theirs, figures.id)).toBeNull()
    const client = await world.pool.connect()
    try {
      const query = queryOf(client)
      await query('BEGIN')
      await query(`SELECT set_config('app.organization', $1, true)`, [theirs])
      expect(await query('SELECT id FROM alerts')).toEqual([])
      expect(await query('SELECT id FROM notifications')).toEqual([])
      await query('ROLLBACK')
    } finally {
      client.release()
    }
  })

  test('that are unknown have their alerts planned when they become known', async () => {
    const organizationId = crypto.randomUUID()
    const figures = figuresOf(organizationId)
    await world.apply(created(figures))
    expect(await world.notifications(figures.id)).toEqual([
      { change: 'created', status: 'skipped', reason: 'organizationUnknown' },
    ])
    expect((await readForSending(world.pool, { alertId: figures.id, channel: 'email', destination: 'x' })).alert?.id).toBe(
      figures.id,
    )
  })
})
