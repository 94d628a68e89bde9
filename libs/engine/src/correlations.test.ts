import type { AuditEvent } from '@tocsin/contracts'
import { describe, expect, it } from 'vitest'
import { anEvent, at, ruleRecord, Stream } from './test-stream.ts'

/** Three detections by action, then a correlation of them. */
const rule = (correlation: string, extension = ''): string =>
  [
    ...['grant', 'export', 'remove'].map(
      (action) =>
        `title: ${action}\nname: ${action}\nlogsource: { product: tocsin }\ndetection: { s: { action: ${action} }, condition: s }\n`,
    ),
    `title: Combined\nlevel: high\ncorrelation:\n${correlation.trim().replace(/^/gm, '  ')}\n${extension === '' ? '' : `x-tocsin:\n${extension.trim().replace(/^/gm, '  ')}\n`}`,
  ].join('---\n')

const act = (action: string, time: string, fields: Partial<AuditEvent> = {}): AuditEvent =>
  anEvent({ action, t: at(time), principalId: 'u1', ...fields })

const stream = (correlation: string, extension = ''): Stream => new Stream([ruleRecord('r', rule(correlation, extension))])

describe('a temporal correlation', () => {
  const all = 'type: temporal\nrules: [grant, export, remove]\ngroup-by: principalId\ntimespan: 5m'

  it('opens with the event that completes its rules, and tells how many and which', () => {
    const events = stream(all)
    events.event(act('grant', '0:00'))
    events.event(act('grant', '0:30'))
    events.event(act('remove', '4:00', { principalId: 'u2' }))
    events.event(act('remove', '4:00'))
    expect(events.changes).toEqual([])
    events.event(act('export', '4:30'))
    const [alert] = events.alerts()
    expect(alert).toMatchObject({
      count: 4,
      peak: 3,
      group: { principalId: 'u1' },
      window: { threshold: 3, value: 3, to: new Date(at('4:30')).toISOString() },
      firstSeen: new Date(at('0:00')).toISOString(),
      metadata: { rules: ['grant', 'export', 'remove'] },
    })
    expect(alert?.description).toContain('up to 3 different rules (grant, export, remove) within 5 min, threshold 3')
  })

  it('does not open where the first has just left when the last one comes', () => {
    const events = stream(all)
    for (const [action, time] of [
      ['grant', '0:00'],
      ['export', '1:00'],
      ['remove', '5:00'],
    ] as const)
      events.event(act(action, time))
    expect(events.changes).toEqual([])
  })

  it('counts one event for every rule that it matches', () => {
    const events = stream('type: temporal\nrules: [grant, both]\ngroup-by: principalId\ntimespan: 5m'.replace('both', 'export'))
    events.event(act('grant', '0:00'))
    expect(events.changes).toEqual([])
    const same = rule('type: temporal\nrules: [grant, export]\ngroup-by: principalId\ntimespan: 5m').replace(
      'action: export',
      'principalId: u1',
    )
    const one = new Stream([ruleRecord('r', same)])
    one.event(act('grant', '0:00'))
    expect(one.alerts()).toHaveLength(1)
  })

  it('takes a number of rules, and a text over their names', () => {
    const two = stream(`${all}\ncondition: { gte: 2 }`)
    two.event(act('grant', '0:00'))
    two.event(act('remove', '1:00'))
    expect(two.alerts()).toMatchObject([{ window: { threshold: 2, value: 2 }, metadata: { rules: ['grant', 'remove'] } }])
    const text = stream(`${all}\ncondition: grant and (export or remove)`)
    text.event(act('export', '0:00'))
    text.event(act('remove', '1:00'))
    expect(text.changes).toEqual([])
    text.event(act('grant', '2:00'))
    expect(text.alerts()).toMatchObject([{ window: { threshold: 3, value: 3 } }])
  })
})

describe('an ordered temporal correlation', () => {
  const ordered = 'type: temporal_ordered\nrules: [grant, export]\ngroup-by: principalId\ntimespan: 1h'

  it('asks for its rules in the order of their list, whatever the order of arrival', () => {
    const events = stream(ordered)
    events.event(act('export', '0:00'))
    events.event(act('grant', '10:00'))
    expect(events.changes).toEqual([])
    events.event(act('grant', '-1:00'), at('11:00'))
    expect(events.alerts()).toMatchObject([{ count: 3, peak: 2, window: { threshold: 2, value: 2 } }])
    expect(events.alerts()[0]?.description).toContain('up to 2 rules in order (grant, export)')
  })

  it('takes events of one time in either order', () => {
    const events = stream(ordered)
    events.event(act('export', '0:00'))
    events.event(act('grant', '0:00'))
    expect(events.alerts()).toHaveLength(1)
  })

  it('lets one event serve one step only', () => {
    const text = rule(ordered).replace('action: export', 'principalId: u1')
    const events = new Stream([ruleRecord('r', text)])
    events.event(act('grant', '0:00'))
    expect(events.changes).toEqual([])
    events.event(act('other', '0:00'))
    expect(events.alerts()).toHaveLength(1)
  })
})

describe('aliases', () => {
  const granted = `type: temporal_ordered
rules: [grant, export]
group-by: whom
aliases:
  whom: { grant: targetResourceId, export: principalId }
timespan: 1h`

  it('group each rule by a field of its own', () => {
    const events = stream(granted)
    events.event(act('grant', '0:00', { principalId: 'admin', targetResourceId: 'u7' }))
    events.event(act('export', '1:00', { principalId: 'admin', targetResourceId: 'u7' }))
    expect(events.changes).toEqual([])
    events.event(act('export', '2:00', { principalId: 'u7' }))
    expect(events.alerts()).toMatchObject([{ group: { whom: 'u7' }, count: 2 }])
  })

  it('let an event belong to several groups, and to one group once', () => {
    const text = rule(granted.replace('temporal_ordered', 'temporal')).replace('action: export', 'action: grant')
    const events = new Stream([ruleRecord('r', text)])
    events.event(act('grant', '0:00', { principalId: 'admin', targetResourceId: 'u7' }))
    expect(events.engine.gauges().groups).toBe(2)
    expect(events.changes).toEqual([])
    events.event(act('grant', '1:00', { principalId: 'self', targetResourceId: 'self' }))
    expect(events.alerts()).toMatchObject([{ group: { whom: 'self' }, count: 1, peak: 2 }])
  })

  it('count an event without the field of its rule as without a group', () => {
    const events = stream(granted)
    events.event(act('grant', '0:00'))
    expect(events.engine.counters().groupMissing).toBe(1)
  })
})

describe('value_count over several fields', () => {
  it('counts different tuples, and events that lack a field only as events', () => {
    const events = stream(
      'type: value_count\nrules: [grant]\ngroup-by: principalId\ntimespan: 5m\ncondition: { gte: 3, field: [targetResourceType, targetResourceId] }',
    )
    const on = (type: string, id: string | undefined, time: string) =>
      events.event(act('grant', time, { targetResourceType: type, ...(id === undefined ? {} : { targetResourceId: id }) }))
    on('a', 'b', '0:00')
    on('a', 'b', '0:10')
    on('a', undefined, '0:20')
    on('ab', '', '0:30')
    on('b', 'a', '0:40')
    expect(events.changes).toEqual([])
    on('a', 'c', '0:50')
    expect(events.alerts()).toMatchObject([
      { count: 6, peak: 3, metadata: { distinct: { 'targetResourceType, targetResourceId': 3 } } },
    ])
  })
})
