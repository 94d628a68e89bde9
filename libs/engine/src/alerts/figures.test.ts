import { readFileSync } from 'node:fs'
import type { AuditEvent } from '@tocsin/contracts'
import { describe, expect, it, vi } from 'vitest'
import { anEvent, at, failedLogin, NOON, ORG_A, ruleRecord, Stream, successfulLogin } from '../test-stream.ts'

// Seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const PACK = ['failed-auth', 'unauthorized-access', 'data-velocity', 'bulk-operation', 'off-hours', 'password-spraying'].map(
  (name) => ruleRecord(`tocsin.${name}`, readFileSync(new URL(`../../../../rules/${name}.yml`, import.meta.url), 'utf8')),
)
const newStream = (): Stream => new Stream(PACK)

const anExport = (t: number, recordCount: number | undefined, fields: Partial<AuditEvent> = {}): AuditEvent =>
  anEvent({
    t,
    principalId: 'u1',
    category: 'data',
    operation: 'export',
    ...(recordCount === undefined ? {} : { recordCount }),
    ...fields,
  })

describe('FAILED_AUTH', () => {
  it('is CRITICAL when a login succeeds while the condition holds, and not before or after', () => {
    for (const [time, severity] of [
      ['0:03', 'HIGH'],
      ['0:04', 'CRITICAL'],
      ['4:59', 'CRITICAL'],
      ['5:00', 'HIGH'],
    ] as const) {
      for (const order of ['before', 'after'] as const) {
        const stream = newStream()
        const success = successfulLogin('u1', at(time))
        if (order === 'before') stream.event(success, at('5:00'))
        for (let n = 0; n < 5; n++) stream.event(failedLogin('u1', at(`0:0${n}`)), at('5:00'))
        if (order === 'after') stream.event(success, at('5:00'))
        expect(stream.alerts('tocsin.failed-auth')).toMatchObject([{ severity, count: 5, lastSeen: '2026-03-02T12:00:04.000Z' }])
      }
    }
  })

  it('tells attempts, window, source and the number of addresses', () => {
    const stream = newStream()
    for (let n = 0; n < 6; n++)
      stream.event(failedLogin('u1', at('0:00', n), { sessionContext: { ipAddress: `10.0.0.${n % 2}` } }))
    stream.tick(at('0:30'))
    expect(stream.alerts('tocsin.failed-auth')[0]?.metadata).toEqual({
      attemptCount: 6,
      timeWindow: 300_000,
      source: 'u1',
      distinctIps: 2,
    })
  })

  it('never pools a principal with an address of the same name, nor events without a subject', () => {
    const stream = newStream()
    for (let n = 0; n < 4; n++) stream.event(failedLogin('10.0.0.1', at('0:00', n)))
    const { principalId: _, ...anonymous } = failedLogin('', at('0:01'))
    for (let n = 0; n < 4; n++) {
      stream.event({ ...anonymous, id: `a${n}`, sessionContext: { ipAddress: '10.0.0.1' } })
      stream.event({ ...anonymous, id: `b${n}` })
      stream.event({ ...anonymous, id: `c${n}`, principalId: '  ' })
    }
    expect(stream.changes).toEqual([])
    expect(stream.engine.counters().unattributed).toBe(8)
  })
})

describe('BULK_OPERATION', () => {
  it('adds up records, 1 where there is no number, and counts events', () => {
    const stream = newStream()
    stream.event(anExport(at('0:00'), 40))
    stream.event(anExport(at('0:01'), undefined))
    expect(stream.changes).toEqual([])
    stream.event(anExport(at('0:02'), 9))
    stream.tick(at('0:20'))
    expect(stream.alerts()).toMatchObject([
      {
        pattern: 'BULK_OPERATION',
        severity: 'MEDIUM',
        count: 3,
        peak: 50,
        window: { value: 50, threshold: 50 },
        metadata: { operationCount: 3, totalRecords: 50 },
      },
    ])
  })

  it('is HIGH from ten times the threshold on, and its total stops at 2^53 - 1', () => {
    const stream = newStream()
    expect(stream.event(anExport(at('0:00'), 499))[0]?.alert.severity).toBe('MEDIUM')
    expect(stream.event(anExport(at('0:01'), 1))).toMatchObject([
      { type: 'alert.revised', alert: { severity: 'HIGH', peak: 500 } },
    ])
    stream.event(anExport(at('0:02'), Number.MAX_SAFE_INTEGER))
    stream.event(anExport(at('0:03'), Number.MAX_SAFE_INTEGER))
    stream.tick(at('0:20'))
    expect(stream.alerts()[0]).toMatchObject({
      peak: Number.MAX_SAFE_INTEGER,
      metadata: { totalRecords: Number.MAX_SAFE_INTEGER },
    })
  })

  it('takes a large read as bulk, and nothing that failed', () => {
    const stream = newStream()
    stream.event(anExport(at('0:00'), 60, { outcome: 'failure', status: 'failure' }))
    stream.event(anExport(at('0:01'), 10, { operation: 'read' }))
    expect(stream.changes).toEqual([])
    expect(stream.event(anExport(at('0:02'), 60, { operation: 'read' }))).toHaveLength(1)
  })
})

describe('DATA_VELOCITY', () => {
  it('opens with the 100th read in a minute and names the resource types', () => {
    const stream = newStream()
    for (let n = 0; n < 100; n++) {
      const type = n % 2 === 0 ? 'Patient' : 'Invoice'
      stream.event(
        anEvent({ t: at('0:00', n * 500), principalId: 'u1', category: 'data', operation: 'read', targetResourceType: type }),
      )
    }
    const [alert] = stream.alerts()
    expect(alert).toMatchObject({
      pattern: 'DATA_VELOCITY',
      severity: 'MEDIUM',
      count: 100,
      metadata: { accessCount: 100, resourceTypes: ['Invoice', 'Patient'] },
    })
    expect(alert?.evidence).toHaveLength(50)
    expect(alert?.evidence[0]?.t).toBe(alert?.firstSeen)
  })
})

describe('OFF_HOURS', () => {
  const EVENING = NOON + 8 * 3_600_000
  const read = (t: number, fields: Partial<AuditEvent> = {}): AuditEvent =>
    anEvent({ t, principalId: 'u1', category: 'data', operation: 'read', ...fields })

  it('is one alert for a subject and a night, MEDIUM once an event is sensitive', () => {
    const stream = newStream()
    stream.event(read(EVENING))
    const [raised] = stream.event(read(EVENING + 60_000, { dataClassification: 'PHI' }))
    expect(raised).toMatchObject({
      type: 'alert.revised',
      alert: {
        severity: 'MEDIUM',
        count: 2,
        window: { from: '2026-03-02T18:00:00.000Z', to: '2026-03-03T08:00:00.000Z', spanMs: 50_400_000, value: 1 },
        group: { principalId: 'u1' },
        metadata: { accessCount: 2, offHoursStart: 18, offHoursEnd: 8 },
      },
    })
    stream.event(read(EVENING + 86_400_000))
    expect(stream.alerts()).toHaveLength(2)
  })

  it('follows the calendar in force at the record', () => {
    const stream = newStream()
    stream.settings(ORG_A, { offHoursStart: 22 }, NOON)
    expect(stream.event(read(EVENING))).toEqual([])
    stream.settings(ORG_A, { offHoursStart: 20 }, EVENING, 2)
    expect(stream.event(read(EVENING))).toMatchObject([{ alert: { metadata: { offHoursStart: 20 } } }])
  })

  it('closes R after the end of the night and after its last event + its length', () => {
    const stream = newStream()
    stream.event(read(EVENING))
    const closesAfter = EVENING + 2 * 14 * 3_600_000 + 15 * 60_000
    expect(stream.tick(closesAfter)).toEqual([])
    expect(stream.tick(closesAfter + 1)).toMatchObject([{ type: 'alert.closed' }])
  })
})

describe('password spraying', () => {
  const failure = (principalId: string, n: number): AuditEvent =>
    failedLogin(principalId, at('0:00', n), { sessionContext: { ipAddress: '10.0.0.1' } })

  it('needs five failures and three principals from one address', () => {
    const stream = newStream()
    for (const [n, who] of ['a', 'a', 'b', 'b', 'b'].entries()) stream.event(failure(who, n))
    expect(stream.changes).toEqual([])
    expect(stream.event(failure('c', 6))).toMatchObject([
      {
        type: 'alert.created',
        alert: {
          rule: { id: 'tocsin.password-spraying' },
          pattern: null,
          severity: 'HIGH',
          group: { ipAddress: '10.0.0.1' },
          count: 6,
          metadata: { distinct: { principalId: 3 } },
        },
      },
    ])
    expect(stream.engine.counters().groupMissing).toBe(0)
  })
})

describe('an alert of a rule with autoResolve', () => {
  it('says so in every revision', () => {
    const rule = PACK[0]?.content.replace('x-tocsin:\n', 'x-tocsin:\n  autoResolve: true\n') ?? ''
    const stream = new Stream([ruleRecord('tocsin.failed-auth', rule)])
    for (let n = 0; n < 8; n++) stream.event(failedLogin('u1', at(`0:0${n}`)))
    expect(stream.changes.map(({ alert }) => alert.metadata['autoResolve'])).toEqual([true, true])
  })
})

describe('revisions', () => {
  it('of a burst are some dozens, and the last one has the last figures', () => {
    const stream = newStream()
    for (let n = 0; n < 20_000; n++) stream.event(failedLogin('u1', at('0:00', n)))
    stream.tick(at('0:30'))
    const revisions = stream.changes.map(({ alert }) => alert.revision)
    expect(revisions).toEqual(revisions.map((_, index) => index + 1))
    expect(revisions.length).toBeLessThan(36)
    expect(stream.alerts()).toMatchObject([{ count: 20_000, peak: 20_000 }])
  })

  it('are published at 1.5 times, a minute after the last one, and 10 s after the last event', () => {
    const stream = newStream()
    const types = (changes: readonly { type: string; alert: { count: number } }[]): unknown[] =>
      changes.map(({ type, alert }) => [type, alert.count])
    for (let n = 0; n < 5; n++) stream.event(failedLogin('u1', at('0:00')))
    expect(types(stream.event(failedLogin('u1', at('0:01'))))).toEqual([])
    expect(types(stream.event(failedLogin('u1', at('0:02'))))).toEqual([])
    expect(types(stream.event(failedLogin('u1', at('0:03'))))).toEqual([['alert.revised', 8]])
    for (let second = 10; second <= 55; second += 9)
      expect(types(stream.event(failedLogin('u1', at(`0:${second}`))))).toEqual(second === 37 ? [['alert.revised', 12]] : [])
    expect(types(stream.tick(at('0:56')))).toEqual([])
    expect(types(stream.tick(at('1:04', 999)))).toEqual([])
    expect(types(stream.tick(at('1:05')))).toEqual([['alert.revised', 14]])
    expect(types(stream.tick(at('3:00')))).toEqual([])
  })
})

describe('alerts that turn out to be one', () => {
  it('are joined into the one created first; the other is closed and names it', () => {
    const stream = newStream()
    const burst = (time: string): void => {
      for (let n = 0; n < 5; n++) stream.event(failedLogin('u1', at(time)), at('25:00'))
    }
    burst('20:00')
    burst('0:00')
    expect(stream.alerts()).toHaveLength(2)
    burst('10:00')
    const [first, second] = stream.alerts()
    stream.tick(at('25:20'))
    expect(second).toMatchObject({ open: false, count: 5, metadata: { mergedInto: first?.id } })
    expect(stream.alerts()[0]).toMatchObject({
      id: first?.id,
      open: true,
      count: 15,
      firstSeen: '2026-03-02T12:00:00.000Z',
      lastSeen: '2026-03-02T12:20:00.000Z',
      window: { to: '2026-03-02T12:00:00.000Z', value: 5 },
    })
    expect(stream.changes.filter(({ alert }) => alert.id === second?.id).map(({ type }) => type)).toEqual([
      'alert.created',
      'alert.closed',
    ])
  })
})

describe('evidence', () => {
  it('is the first events up to the threshold and the newest 25, with the place of each', () => {
    const stream = newStream()
    for (let n = 0; n < 60; n++) stream.event(failedLogin('u1', at('0:00', n), { id: `n${String(n).padStart(2, '0')}` }))
    stream.tick(at('0:20'))
    const evidence = stream.alerts()[0]?.evidence ?? []
    expect(evidence.map(({ id }) => id)).toEqual(
      [...Array(5).keys(), ...Array.from({ length: 25 }, (_, n) => n + 35)].map((n) => `n${String(n).padStart(2, '0')}`),
    )
    expect(evidence[0]).toMatchObject({ topic: 'audit.events', partition: 3, offset: '6', subject: 'u1', outcome: 'failure' })
  })

  it('stays within 1 KiB an entry and 128 KiB an alert, whatever the texts are', () => {
    const stream = newStream()
    for (const text of ['x'.repeat(255), '\u0001'.repeat(255), '😀'.repeat(127), '漢'.repeat(255)]) {
      for (let n = 0; n < 60; n++) {
        stream.event(
          failedLogin(text, at('0:00', n), {
            action: text,
            targetResourceType: text,
            targetResourceId: text,
            sessionContext: { ipAddress: text },
          }),
        )
      }
    }
    stream.tick(at('0:20'))
    for (const alert of stream.alerts()) {
      for (const entry of alert.evidence) expect(Buffer.byteLength(JSON.stringify(entry))).toBeLessThanOrEqual(1024)
      expect(Buffer.byteLength(JSON.stringify(alert))).toBeLessThanOrEqual(128 * 1024)
      expect(JSON.stringify(alert)).not.toMatch(/\\ud[89a-f]/i)
    }
  })
})
