import { FIGURE_RECORD_TYPES, SEVERITIES, STATUS_RECORD_TYPES } from '@tocsin/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alertWith } from '../channels/stand-ins/telling.ts'
import { type ChangeInput, planChange, REVISION_PAUSE_MS, type Step } from './plan-change.ts'
import type { ChannelName } from './vocabulary.ts'

const NOW = Date.parse('2026-01-05T10:05:00Z')
const MINUTE_MS = 60_000

function inputWith(fields: Partial<Omit<ChangeInput, 'ledger'>> & { timers?: number[]; told?: ChannelName[] }): ChangeInput {
  const { timers = [], told = [], ...rest } = fields
  return {
    recordType: 'alert.created',
    before: null,
    after: alertWith({}),
    settings: {},
    appendedAt: NOW,
    now: NOW,
    replayed: false,
    ledger: { timers, told: new Set(told) },
    ...rest,
  }
}

const plans = (steps: readonly Step[]) => steps.filter((step) => step.do === 'plan')
const reasons = (steps: readonly Step[]) =>
  steps.flatMap((step) => (step.do === 'skip' || step.do === 'stop' ? [step.reason] : []))

describe('a new alert', () => {
  it.each([
    ['CRITICAL', ['email', 'slack', 'sms'], 0],
    ['HIGH', ['email', 'slack'], 5],
    ['MEDIUM', ['email'], 15],
    ['LOW', ['email'], 60],
    ['INFO', ['email'], 24 * 60],
  ] as const)('of severity %s is told by %j after %i min', (severity, channels, minutes) => {
    const steps = planChange(inputWith({ after: alertWith({ severity }) }))
    expect(steps).toEqual([
      { do: 'plan', event: 'created', change: 'created', severity, channels, dueAt: NOW + minutes * MINUTE_MS },
    ])
  })

  it('is told after the organization’s own delay', () => {
    const steps = planChange(inputWith({ settings: { notificationDelaysMs: { HIGH: 0 } } }))
    expect(plans(steps)[0]?.dueAt).toBe(NOW)
  })

  it('that waited in the log while we were away is due by the time it was written', () => {
    const steps = planChange(inputWith({ appendedAt: NOW - 10 * MINUTE_MS }))
    expect(plans(steps)[0]?.dueAt).toBe(NOW - 5 * MINUTE_MS)
  })

  it('written by a broker whose clock runs ahead is not told later for it', () => {
    expect(plans(planChange(inputWith({ appendedAt: NOW + MINUTE_MS })))[0]?.dueAt).toBe(NOW + 5 * MINUTE_MS)
  })

  it('made of late events only is told by e-mail, and the others carry the reason', () => {
    const steps = planChange(inputWith({ after: alertWith({ severity: 'CRITICAL', backfilled: true }) }))
    expect(plans(steps)[0]?.channels).toEqual(['email'])
    expect(steps.filter((step) => step.do === 'skip').map(({ channel, reason }) => [channel, reason])).toEqual([
      ['slack', 'backfilled'],
      ['sms', 'backfilled'],
    ])
  })

  it('before notify_from is recorded and not told', () => {
    expect(planChange(inputWith({ replayed: true }))).toEqual([
      { do: 'skip', event: 'created', change: 'created/replayed', channel: null, reason: 'replayed' },
    ])
  })

  it('that somebody resolved before its figures came is not told', () => {
    expect(reasons(planChange(inputWith({ after: alertWith({ status: 'resolved' }) })))).toEqual(['alreadyHandled'])
  })
})

describe('a rise in severity', () => {
  const rise = (fields: Parameters<typeof inputWith>[0]) =>
    planChange(
      inputWith({
        recordType: 'alert.revised',
        before: alertWith({ severity: 'MEDIUM' }),
        after: alertWith({ severity: 'HIGH' }),
        ...fields,
      }),
    )

  it('is planned as that severity', () => {
    expect(plans(rise({ told: ['email'] }))).toEqual([
      {
        do: 'plan',
        event: 'risen',
        change: 'risen:HIGH',
        severity: 'HIGH',
        channels: ['email', 'slack'],
        dueAt: NOW + 5 * MINUTE_MS,
      },
    ])
  })

  it('takes the place of a timer that waits, and is never later than it', () => {
    const steps = rise({ timers: [NOW + MINUTE_MS] })
    expect(steps[0]).toEqual({ do: 'stop', status: 'superseded', reason: 'risen' })
    expect(plans(steps)[0]?.dueAt).toBe(NOW + MINUTE_MS)
  })

  it('of an acknowledged alert is told, of a resolved one not', () => {
    expect(plans(rise({ after: alertWith({ severity: 'HIGH', status: 'acknowledged' }) }))).toHaveLength(1)
    expect(plans(rise({ after: alertWith({ severity: 'HIGH', status: 'resolved' }) }))).toHaveLength(0)
  })
})

describe('an ordinary revision', () => {
  const revision = { recordType: 'alert.revised', before: alertWith({}), after: alertWith({ revision: 2, count: 9 }) } as const

  it('sends nothing new', () => {
    expect(reasons(planChange(inputWith({ ...revision, told: ['email', 'sms'] })))).toEqual(['nothingNew'])
  })

  it('brings a Slack message up to date, a little later', () => {
    expect(planChange(inputWith({ ...revision, told: ['email', 'slack'] }))).toEqual([
      { do: 'update', event: 'revised', change: 'revised:2', channels: ['slack'], dueAt: NOW + REVISION_PAUSE_MS },
    ])
  })

  it('by which late events are joined by live ones tells the channels that were left out', () => {
    const before = alertWith({ severity: 'CRITICAL', backfilled: true })
    const steps = planChange(inputWith({ ...revision, before, after: alertWith({ severity: 'CRITICAL' }), told: ['email'] }))
    expect(plans(steps)[0]).toMatchObject({ event: 'live', channels: ['slack', 'sms'], dueAt: NOW })
  })
})

describe('the end of an episode', () => {
  const end = (severity: (typeof SEVERITIES)[number], fields: Parameters<typeof inputWith>[0] = {}) =>
    planChange(
      inputWith({
        recordType: 'alert.closed',
        before: alertWith({ severity }),
        after: alertWith({ severity, open: false }),
        ...fields,
      }),
    )

  it.each(['CRITICAL', 'HIGH'] as const)('that was told is told too for %s', (severity) => {
    const steps = end(severity, { told: ['email', 'slack'] })
    expect(steps).toEqual([{ do: 'update', event: 'closed', change: 'closed', channels: ['slack', 'email'], dueAt: NOW }])
  })

  it.each(['MEDIUM', 'LOW', 'INFO'] as const)('is quiet by e-mail for %s', (severity) => {
    expect(end(severity, { told: ['email'] })).toMatchObject([{ do: 'skip', reason: 'notTold' }])
  })

  it('before a HIGH alert was told brings its one message forward', () => {
    expect(end('HIGH', { timers: [NOW + MINUTE_MS] })[0]).toEqual({ do: 'hasten', dueAt: NOW })
  })

  it.each(['MEDIUM', 'LOW'] as const)('before a %s alert was told stops its timer', (severity) => {
    expect(reasons(end(severity, { timers: [NOW + MINUTE_MS] }))).toContain('endedBeforeTold')
  })

  it('does not take an INFO alert out of the day’s report', () => {
    expect(end('INFO', { timers: [NOW + MINUTE_MS] }).some((step) => step.do === 'stop')).toBe(false)
  })

  it('by going into another alert stops all and only brings Slack up to date', () => {
    const after = alertWith({ open: false, metadata: { mergedInto: 'other' } })
    const steps = end('HIGH', { after, timers: [NOW + MINUTE_MS], told: ['email', 'slack'] })
    expect(steps).toEqual([
      { do: 'stop', status: 'cancelled', reason: 'merged' },
      { do: 'update', event: 'closed', change: 'closed', channels: ['slack'], dueAt: NOW },
    ])
  })

  it('known as its first record is told at once where it is severe', () => {
    expect(plans(end('CRITICAL', { before: null }))[0]).toMatchObject({ event: 'created', dueAt: NOW })
    expect(plans(end('LOW', { before: null }))).toHaveLength(0)
  })
})

describe('people', () => {
  it.each(['acknowledged', 'resolved', 'dismissed'] as const)('who have %s it stop what waits', (status) => {
    const steps = planChange(
      inputWith({
        recordType: `alert.${status}`,
        before: alertWith({}),
        after: alertWith({ status, version: 1 }),
        timers: [NOW + MINUTE_MS],
        told: ['slack'],
      }),
    )
    expect(steps).toEqual([
      { do: 'stop', status: 'cancelled', reason: status },
      { do: 'update', event: status, change: `${status}:1`, channels: ['slack'], dueAt: NOW },
    ])
  })

  it('who reopen it start its timer again', () => {
    const steps = planChange(
      inputWith({ recordType: 'alert.reopened', before: alertWith({ status: 'resolved' }), after: alertWith({ version: 2 }) }),
    )
    expect(plans(steps)[0]).toMatchObject({ event: 'reopened', change: 'reopened/2', dueAt: NOW + 5 * MINUTE_MS })
  })

  it('are not told twice when the system dismisses what was merged', () => {
    const after = alertWith({ status: 'dismissed', open: false, version: 1, metadata: { mergedInto: 'other' } })
    expect(reasons(planChange(inputWith({ recordType: 'alert.dismissed', before: after, after, told: ['slack'] })))).toEqual([
      'dismissed',
      'merged',
    ])
  })
})

const severity = fc.constantFrom(...SEVERITIES)
const alert = fc
  .record({
    severity,
    open: fc.boolean(),
    backfilled: fc.boolean(),
    status: fc.constantFrom('active', 'acknowledged', 'resolved', 'dismissed'),
    revision: fc.integer({ min: 1, max: 9 }),
    version: fc.integer({ min: 0, max: 9 }),
    metadata: fc.constantFrom({}, { mergedInto: 'other' }),
  })
  .map(alertWith)
const anyInput = fc.record({
  recordType: fc.constantFrom(...FIGURE_RECORD_TYPES, ...STATUS_RECORD_TYPES),
  before: fc.option(alert),
  after: alert,
  settings: fc.record({ notificationDelaysMs: fc.dictionary(severity, fc.integer({ min: 0, max: 1e9 })) }),
  ledger: fc.record({
    timers: fc.array(fc.integer({ min: NOW - 1e6, max: NOW + 1e6 }), { maxLength: 2 }),
    told: fc
      .uniqueArray(fc.constantFrom('email', 'slack', 'sms'), { maxLength: 3 })
      .map((channels) => new Set(channels) as ReadonlySet<ChannelName>),
  }),
  appendedAt: fc.integer({ min: NOW - 1e9, max: NOW + 1e6 }),
  now: fc.constant(NOW),
  replayed: fc.boolean(),
})

describe('whatever happens to an alert', () => {
  it('there is a step or a named reason', () => {
    fc.assert(fc.property(anyInput, (input) => planChange(input).length > 0))
  })

  it('nobody is called to what is resolved, dismissed or merged', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const over = ['resolved', 'dismissed'].includes(input.after.status) || input.after.metadata.mergedInto !== undefined
        return !over || plans(planChange(input)).length === 0
      }),
    )
  })

  it('an alert made of late events only goes to e-mail alone', () => {
    fc.assert(
      fc.property(anyInput, (input) =>
        plans(planChange(input)).every(
          ({ channels }) => !input.after.backfilled || channels.every((channel) => channel === 'email'),
        ),
      ),
    )
  })

  it('updates go only where something was told, and each change is planned once', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const steps = planChange(input)
        for (const step of steps) {
          if (step.do === 'update') expect(step.channels.every((channel) => input.ledger.told.has(channel))).toBe(true)
        }
        const changes = steps.flatMap((step) => ('change' in step ? [step.change] : []))
        expect(new Set(changes).size).toBe(changes.length)
      }),
    )
  })

  it('the same input gives the same plan', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        expect(planChange(input)).toEqual(planChange(input))
      }),
    )
  })
})
