import { describe, expect, it } from 'vitest'
import { alertWith } from '../channels/stand-ins/telling.ts'
import { pauseAfter } from './backoff.ts'
import { decideSending, EXPIRES_AFTER_MS, LATE_AFTER_MS, type SendingInput } from './decide-sending.ts'
import { planDeliveries } from './plan-deliveries.ts'

const NOW = Date.parse('2026-01-05T10:05:00Z')
const decide = (fields: Partial<SendingInput>) =>
  decideSending({
    event: 'created',
    plannedVersion: 0,
    dueAt: NOW,
    madeAt: NOW,
    now: NOW,
    alert: alertWith({}),
    toldBefore: false,
    ...fields,
  })

describe('a claimed delivery', () => {
  it('is the first message where nothing was accepted before, else one that follows', () => {
    expect(decide({})).toEqual({ send: 'first', late: false })
    expect(decide({ event: 'risen', toldBefore: true })).toEqual({ send: 'follow', late: false })
  })

  it('is marked late a minute after its time', () => {
    expect(decide({ dueAt: NOW - LATE_AFTER_MS })).toMatchObject({ late: false })
    expect(decide({ dueAt: NOW - LATE_AFTER_MS - 1 })).toMatchObject({ late: true })
  })

  it('is given up after a day of trying, but not for an outage before it was made', () => {
    expect(decide({ madeAt: NOW - EXPIRES_AFTER_MS - 1 })).toMatchObject({ status: 'failed', reason: 'expired' })
    expect(decide({ dueAt: NOW - 3 * EXPIRES_AFTER_MS })).toEqual({ send: 'first', late: true })
  })

  it.each(['acknowledged', 'resolved', 'dismissed'] as const)('is cancelled when the alert was %s meanwhile', (status) => {
    expect(decide({ alert: alertWith({ status, version: 1 }) })).toMatchObject({ send: 'none', reason: status })
  })

  it('of a rise after the acknowledgement is sent', () => {
    expect(decide({ event: 'risen', plannedVersion: 1, alert: alertWith({ status: 'acknowledged', version: 1 }) })).toMatchObject(
      { send: 'first' },
    )
  })

  it('is cancelled when the alert went into another one', () => {
    expect(decide({ alert: alertWith({ metadata: { mergedInto: 'other' } }) })).toMatchObject({ reason: 'merged' })
  })

  it('of an alert that ended untold is one message for HIGH and none for MEDIUM', () => {
    expect(decide({ alert: alertWith({ open: false }) })).toMatchObject({ send: 'first' })
    expect(decide({ alert: alertWith({ open: false, severity: 'MEDIUM' }) })).toMatchObject({ reason: 'endedBeforeTold' })
  })

  it('that only brings up to date goes nowhere where nothing was told', () => {
    expect(decide({ event: 'closed' })).toMatchObject({ reason: 'notTold' })
  })
})

describe('a due timer', () => {
  const recipients = { emails: ['a@x.org', ' a@x.org ', 'b@x.org', ''], slackChannels: ['#alerts'], phoneNumbers: [] }

  it('becomes one delivery for each destination, each once', () => {
    expect(planDeliveries(['email', 'slack', 'sms'], recipients, false).deliveries).toEqual([
      { channel: 'email', destination: 'a@x.org' },
      { channel: 'email', destination: 'b@x.org' },
      { channel: 'slack', destination: '#alerts' },
    ])
  })

  it('says why nobody is told', () => {
    expect(planDeliveries(['sms'], recipients, true)).toEqual({ deliveries: [], reason: 'nobodyToTell' })
    expect(planDeliveries(['sms'], null, true)).toEqual({ deliveries: [], reason: 'organizationUnknown' })
  })

  it('also writes to the console where that is switched on', () => {
    expect(planDeliveries(['slack'], recipients, true).deliveries).toHaveLength(2)
  })
})

describe('the pause between attempts', () => {
  it('grows to a minute, with full jitter', () => {
    expect([1, 2, 3, 4, 5, 6, 1_000].map((attempts) => pauseAfter(attempts, 0.999_999))).toEqual([
      1_999, 3_999, 7_999, 15_999, 31_999, 59_999, 59_999,
    ])
    expect(pauseAfter(10, 0)).toBe(200)
  })
})
