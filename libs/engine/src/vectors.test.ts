import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { AlertChange } from './records.ts'
import { anEvent, at, failedLogin, NOON, ORG_A, ORG_B, ruleRecord, Stream } from './test-stream.ts'
import type { EpochMs } from './time.ts'

const PACK = ['failed-auth', 'unauthorized-access', 'data-velocity', 'bulk-operation', 'off-hours', 'password-spraying'].map(
  (name) => ruleRecord(`tocsin.${name}`, readFileSync(new URL(`../../../rules/${name}.yml`, import.meta.url), 'utf8')),
)
const newStream = (): Stream => new Stream(PACK)

const createdBy = (changes: readonly AlertChange[]): string[] =>
  changes.filter(({ type }) => type === 'alert.created').map(({ alert }) => alert.rule.id)

/** Ticks each 10 s, as ingest writes them. */
function ticks(stream: Stream, from: EpochMs, to: EpochMs): void {
  for (let time = from; time <= to; time += 10_000) stream.tick(time)
}

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length <= 1) yield [...items]
  for (const [index, item] of items.entries()) {
    for (const rest of permutations([...items.slice(0, index), ...items.slice(index + 1)])) yield [item, ...rest]
  }
}

describe('the vectors of detection.md', () => {
  it('20 failed logins of one principal within a minute are one FAILED_AUTH, opened by the 5th, with a final count of 20', () => {
    const stream = newStream()
    const opened: number[] = []
    for (let n = 1; n <= 20; n++) if (createdBy(stream.event(failedLogin('u1', at('0:00', n * 2500)))).length > 0) opened.push(n)
    ticks(stream, at('1:00'), at('2:00'))
    expect(opened).toEqual([5])
    expect(stream.alerts()).toMatchObject([
      {
        pattern: 'FAILED_AUTH',
        severity: 'HIGH',
        group: { principalId: 'u1' },
        count: 20,
        peak: 20,
        open: true,
        backfilled: false,
        window: { threshold: 5, value: 5, spanMs: 300_000 },
      },
    ])
  })

  it('2 + 2 failures of the same principal name in two organizations are no alert', () => {
    const stream = newStream()
    for (const organizationId of [ORG_A, ORG_B, ORG_A, ORG_B]) stream.event(failedLogin('u1', at('0:01'), { organizationId }))
    ticks(stream, at('0:10'), at('2:00'))
    expect(stream.changes).toEqual([])
  })

  it('8 failures by u1, then 8 by u2 are two alerts, one each', () => {
    const stream = newStream()
    for (let n = 0; n < 8; n++) stream.event(failedLogin('u1', at('0:00', n)))
    for (let n = 0; n < 8; n++) stream.event(failedLogin('u2', at('0:10', n)))
    ticks(stream, at('0:10'), at('1:00'))
    expect(stream.alerts()).toMatchObject([
      { group: { principalId: 'u1' }, count: 8 },
      { group: { principalId: 'u2' }, count: 8 },
    ])
  })

  it('20 failures stamped an hour ago, arriving now in any order among live events, are one alert marked backfilled', () => {
    for (const step of [1, 7, 13, 19]) {
      const stream = newStream()
      for (let n = 0; n < 20; n++) {
        const stamped = NOON - 3_600_000 + ((n * step) % 20) * 1000
        stream.event(failedLogin('u1', stamped), at('0:00', n * 100))
        stream.event(anEvent({ t: at('0:00', n * 100), principalId: 'u1', category: 'data', operation: 'read' }))
      }
      ticks(stream, at('0:10'), at('1:00'))
      expect(stream.alerts()).toMatchObject([{ pattern: 'FAILED_AUTH', count: 20, backfilled: true }])
    }
  })

  it('4 failures stamped a day ahead are no alert but 4 clock-skew flags, and live detection is unharmed', () => {
    const stream = newStream()
    for (let n = 0; n < 4; n++) stream.event(failedLogin('u1', NOON + 86_400_000), at('0:00', n))
    expect(stream.changes).toEqual([])
    expect(stream.engine.counters().clockSkew).toBe(4)
    for (let n = 0; n < 5; n++) stream.event(failedLogin('u2', at('10:00', n)))
    expect(createdBy(stream.changes)).toEqual(['tocsin.failed-auth'])
  })

  it('5 failures at 0:00, 5 at 14:59 and 5 at 30:00 are two alerts: of 10 and of 5', () => {
    const stream = newStream()
    for (const time of ['0:00', '14:59', '30:00']) for (let n = 0; n < 5; n++) stream.event(failedLogin('u1', at(time)))
    ticks(stream, at('30:10'), at('90:00'))
    expect(stream.alerts()).toMatchObject([{ count: 10 }, { count: 5 }])
  })

  it('5 at 0:00 and 5 at 15:00 are one alert, because Q is inclusive', () => {
    const stream = newStream()
    for (const time of ['0:00', '15:00']) for (let n = 0; n < 5; n++) stream.event(failedLogin('u1', at(time)))
    expect(stream.alerts()).toHaveLength(1)
    ticks(stream, at('15:10'), at('15:30'))
    expect(stream.alerts()).toMatchObject([{ count: 10, lastSeen: '2026-03-02T12:15:00.000Z' }])
  })

  it('5 at 0:00 and one every 4 min from 6:00 are one alert of 5, closed at the first record after log time 30:00', () => {
    const stream = newStream()
    for (let n = 0; n < 5; n++) stream.event(failedLogin('u1', at('0:00')))
    for (let minute = 6; minute <= 26; minute += 4) stream.event(failedLogin('u1', at(`${minute}:00`)))
    stream.tick(at('30:00'))
    expect(stream.changes.some(({ type }) => type === 'alert.closed')).toBe(false)
    const closing = stream.tick(at('30:00', 1))
    expect(closing).toMatchObject([{ type: 'alert.closed', alert: { count: 5, open: false } }])
    ticks(stream, at('30:10'), at('90:00'))
    expect(stream.alerts()).toHaveLength(1)
  })

  it('5 at 0:00, 1 at 5:00 and 5 stamped 14:59 that arrive at 28:59 are one alert of 11', () => {
    const stream = newStream()
    for (let n = 0; n < 5; n++) stream.event(failedLogin('u1', at('0:00')))
    stream.event(failedLogin('u1', at('5:00')))
    for (let n = 0; n < 5; n++) stream.event(failedLogin('u1', at('14:59')), at('28:59'))
    ticks(stream, at('29:00'), at('29:30'))
    expect(stream.alerts()).toMatchObject([{ count: 11 }])
  })

  it('the same 11 arriving at once, in other orders, are one alert of 11', () => {
    const stamps = [...Array<string>(5).fill('0:00'), '5:00', ...Array<string>(5).fill('14:59')]
    for (const step of [2, 3, 5, 7, 10]) {
      const stream = newStream()
      for (let n = 0; n < 11; n++) stream.event(failedLogin('u1', at(stamps[(n * step) % 11] ?? '0:00')), at('14:59'))
      ticks(stream, at('15:00'), at('15:30'))
      const alerts = stream.alerts().filter(({ metadata }) => metadata['mergedInto'] === undefined)
      expect(alerts).toMatchObject([{ count: 11, firstSeen: '2026-03-02T12:00:00.000Z', lastSeen: '2026-03-02T12:14:59.000Z' }])
    }
  })

  it('failures stamped 4:00, 3:00, 2:00, 1:00 and 0:00 in that order are one alert, opened by the last, window to 4:00', () => {
    const stream = newStream()
    const opened = [4, 3, 2, 1, 0].map(
      (minute) => createdBy(stream.event(failedLogin('u1', at(`${minute}:00`)), at('4:00'))).length,
    )
    expect(opened).toEqual([0, 0, 0, 0, 1])
    expect(stream.alerts()).toMatchObject([{ count: 5, window: { to: '2026-03-02T12:04:00.000Z', value: 5 } }])
  })

  it('five failures open one alert whichever order they come in, with the same figures', () => {
    for (const minutes of permutations([0, 1, 2, 3, 4])) {
      const stream = newStream()
      for (const minute of minutes) stream.event(failedLogin('u1', at(`${minute}:00`)), at('4:00'))
      expect(stream.alerts()).toMatchObject([
        { count: 5, peak: 5, firstSeen: '2026-03-02T12:00:00.000Z', lastSeen: '2026-03-02T12:04:00.000Z' },
      ])
    }
  })

  it('one failed login delivered six times is no alert', () => {
    const stream = newStream()
    const event = failedLogin('u1', at('0:00'))
    for (let n = 0; n < 6; n++) stream.event({ ...event, receivedAt: `2026-03-02T12:00:0${n}Z` }, at('0:00', n))
    expect(stream.changes).toEqual([])
    expect(stream.engine.counters()).toMatchObject({ duplicate: 5, idConflict: 0 })
  })

  it('4 anonymous failures from 4 addresses are no alert', () => {
    const stream = newStream()
    for (let n = 1; n <= 4; n++) {
      const { principalId: _, ...anonymous } = failedLogin('', at('0:00', n), { sessionContext: { ipAddress: `10.0.0.${n}` } })
      stream.event(anonymous)
    }
    expect(stream.changes).toEqual([])
  })

  it('6 denials of one principal are one alert, CRITICAL, opened by the 3rd', () => {
    const stream = newStream()
    const opened = [1, 2, 3, 4, 5, 6].map(
      (n) =>
        createdBy(
          stream.event(anEvent({ t: at('0:00', n), principalId: 'u1', status: 'failure', outcome: 'denied', category: 'data' })),
        ).length,
    )
    ticks(stream, at('0:10'), at('0:30'))
    expect(opened).toEqual([0, 0, 1, 0, 0, 0])
    expect(stream.alerts()).toMatchObject([{ pattern: 'UNAUTHORIZED_ACCESS', severity: 'CRITICAL', count: 6 }])
  })

  it('60 logins that carry a targetResourceType are no alert', () => {
    const stream = newStream()
    for (let n = 0; n < 60; n++) {
      stream.event(
        anEvent({
          t: at('0:00', n),
          principalId: 'u1',
          action: 'auth.login',
          category: 'authentication',
          operation: 'login',
          targetResourceType: 'Patient',
        }),
      )
    }
    expect(stream.changes).toEqual([])
  })

  const nightRead = (n: number, organizationId: string): ReturnType<typeof anEvent> =>
    anEvent({
      t: NOON + 8 * 3_600_000 + n,
      principalId: 'u1',
      organizationId,
      action: 'data.read',
      category: 'data',
      operation: 'read',
    })

  it('10 off-hours reads of 10 organizations are one LOW alert each', () => {
    const stream = newStream()
    for (let n = 0; n < 10; n++) stream.event(nightRead(n, `33333333-3333-4333-8333-33333333333${n}`))
    expect(stream.alerts()).toHaveLength(10)
    expect(new Set(stream.alerts().map(({ organizationId }) => organizationId)).size).toBe(10)
    for (const alert of stream.alerts()) expect(alert).toMatchObject({ pattern: 'OFF_HOURS', severity: 'LOW', count: 1 })
  })

  it('one off-hours read and 4 logouts are one LOW alert', () => {
    const stream = newStream()
    stream.event(nightRead(0, ORG_A))
    for (let n = 1; n <= 4; n++) {
      stream.event(
        anEvent({
          t: NOON + 8 * 3_600_000 + n * 1000,
          principalId: 'u1',
          action: 'auth.logout',
          category: 'authentication',
          operation: 'logout',
        }),
      )
    }
    ticks(stream, NOON + 8 * 3_600_000 + 10_000, NOON + 8 * 3_600_000 + 120_000)
    expect(stream.changes.map(({ type, alert }) => [type, alert.severity, alert.count])).toEqual([['alert.created', 'LOW', 1]])
  })

  it('4 failures, then the 5th exactly 5 min after the first, are no alert', () => {
    const stream = newStream()
    for (const time of ['0:00', '1:00', '2:00', '3:00', '5:00']) stream.event(failedLogin('u1', at(time)))
    expect(stream.changes).toEqual([])
  })

  it('the 5th a millisecond sooner is an alert', () => {
    const stream = newStream()
    for (const time of ['0:00', '1:00', '2:00', '3:00', '4:59'])
      stream.event(failedLogin('u1', at(time, time === '4:59' ? 999 : 0)))
    expect(stream.alerts()).toHaveLength(1)
  })
})
