import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { expectedThreshold } from '../../test/model-baseline.ts'
import { PartitionEngine } from '../partition-engine.ts'
import { compileRule } from '../rules/rule.ts'
import type { SnapshotChunk } from '../snapshots/snapshot.ts'
import { anEvent, NOON, ORG_A, ORG_B, ruleRecord, Stream } from '../test-stream.ts'
import { type EpochMs, HOUR_MS } from '../time.ts'
import { baselineOf, thresholdOf } from './baseline.ts'
import { HourlySamples } from './hourly-samples.ts'

// Seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const rule = (correlation: string, extension = '') =>
  ruleRecord(
    'own.exports',
    `title: Exported
name: exported
logsource: { product: tocsin }
detection: { selection: { operation: export }, condition: selection }
---
title: Exports
level: low
correlation:
  rules: [exported]
  group-by: [principalId]
  timespan: 10m
${correlation}
x-tocsin:
  baseline: true
${extension}`,
  )
const COUNT = rule('  type: event_count\n  condition: { gte: 3 }')

/** The hour at which log time stands, from the first one on. */
const atHour = (hour: number, ms = 0): EpochMs => NOON + hour * HOUR_MS + ms

/** As many exports within seconds. */
function exported(stream: Stream, times: number, hour: number, fields: Parameters<typeof anEvent>[0] = {}): void {
  for (let n = 0; n < times; n++) stream.event(anEvent({ t: atHour(hour, n), principalId: 'u1', operation: 'export', ...fields }))
}

describe('the threshold of an hour', () => {
  it('is worked out from the last 8 samples of that hour of the week, else from the last 168 hours, else it is the floor', () => {
    const streams = fc.array(
      fc.record({
        after: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constantFrom(24, 167, 168, 169, 336)),
        value: fc.integer({ min: 0, max: 40 }),
      }),
      { minLength: 1, maxLength: 60 },
    )
    fc.assert(
      fc.property(streams, fc.integer({ min: 1, max: 10 }), (steps, floor) => {
        const samples = new HourlySamples()
        const all = new Map<number, number>()
        let hour = 500_000
        for (const { after, value } of steps) {
          hour += after
          expect(thresholdOf(baselineOf(samples, hour, floor))).toBe(expectedThreshold(all, hour, floor))
          samples.add(hour, value)
          all.set(hour, value)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('keeps at most 8 samples of an hour of the week', () => {
    const samples = new HourlySamples()
    for (let hour = 0; hour < 168 * 10; hour++) samples.add(hour, hour)
    expect(samples.length).toBe(168 * 8)
    expect(samples.ofHourOfWeek(168 * 10)).toEqual([2, 3, 4, 5, 6, 7, 8, 9].map((week) => 168 * week))
  })
})

describe('a rule with a baseline', () => {
  it('holds a group against the largest windows of its hours, and says so in the alert', () => {
    const stream = new Stream([COUNT])
    exported(stream, 2, 0)
    exported(stream, 10, 1)
    exported(stream, 12, 2)
    expect(stream.alerts().map(({ window, metadata }) => [window.threshold, metadata['baseline']])).toEqual([
      [3, { source: 'floor', samples: 1, median: null, mad: null, floor: 3 }],
      [3, { source: 'floor', samples: 2, median: null, mad: null, floor: 3 }],
    ])
    // Samples 2, 10, 12: median 10, MAD 2, so 10 + 8.8956.
    exported(stream, 18, 3)
    expect(stream.alerts()).toHaveLength(2)
    exported(stream, 1, 3, { t: atHour(3, 100) })
    expect(stream.alerts()).toHaveLength(3)
    expect(stream.alerts()[2]).toMatchObject({
      window: { threshold: 19, value: 19 },
      metadata: { baseline: { source: 'last 168 hours', samples: 3, median: 10, mad: 2, floor: 3 } },
    })
  })

  it('takes the hour of the week from three samples on, and each group and organization by itself', () => {
    const stream = new Stream([COUNT])
    for (const week of [0, 1, 2]) exported(stream, 2, 168 * week)
    exported(stream, 2, 168 * 3, { principalId: 'u2' })
    exported(stream, 3, 168 * 3)
    exported(stream, 3, 168 * 3, { principalId: 'u2', t: atHour(168 * 3, 50) })
    exported(stream, 3, 168 * 3, { organizationId: ORG_B })
    expect(
      stream.alerts().map(({ group, metadata }) => [group['principalId'], (metadata['baseline'] as { source: string }).source]),
    ).toEqual([
      ['u1', 'hour of week'],
      ['u2', 'floor'],
      ['u1', 'floor'],
    ])
  })

  it('counts windows as they were at the largest, whatever the order of arrival and whatever has been let go since', () => {
    const stream = new Stream([COUNT])
    for (const hour of [0, 1, 2]) for (let n = 20; n > 0; n--) exported(stream, 1, hour, { t: atHour(hour, n * 1000) })
    exported(stream, 19, 3)
    stream.tick(atHour(3, 2000))
    expect(stream.alerts().at(-1)?.window.threshold).toBe(3)
    expect(stream.alerts()).toHaveLength(3)
    exported(stream, 1, 3, { t: atHour(3, 3000) })
    expect(stream.alerts().at(-1)?.window).toMatchObject({ threshold: 20, value: 20 })
  })

  it('gives windows at the end of an hour to that hour, although the next event comes after it', () => {
    const stream = new Stream([rule('  type: event_count\n  condition: { gte: 5 }')])
    for (const hour of [0, 1, 2]) {
      for (let n = 0; n < 3; n++) exported(stream, 1, hour, { t: atHour(hour, HOUR_MS - 10_000 + n) })
      exported(stream, 1, hour + 1)
    }
    for (let n = 0; n < 5; n++) exported(stream, 1, 3, { t: atHour(3, 2_700_000 + n) })
    const baseline = { source: 'last 168 hours', samples: 3, median: 4, mad: 0, floor: 5 }
    expect(stream.alerts()).toMatchObject([{ window: { threshold: 5 }, metadata: { baseline } }])
  })

  it('opens every alert at the threshold that a recomputation from all windows gives, in any order of arrival', () => {
    const SPAN = 600_000
    const HELD = SPAN + 300_000 + 900_000
    const steps = fc.array(
      fc.record({
        after: fc.oneof(
          fc.constant(0),
          fc.integer({ min: 0, max: 60_000 }),
          fc.constantFrom(HOUR_MS, 5 * HOUR_MS, 168 * HOUR_MS),
        ),
        lag: fc.oneof(fc.constant(0), fc.integer({ min: -200_000, max: 1_000_000 })),
      }),
      { minLength: 30, maxLength: 150 },
    )
    let adapted = 0
    const check = (all: readonly { readonly after: number; readonly lag: number }[]): void => {
      const stream = new Stream([COUNT])
      const held: { t: number; arrival: number }[] = []
      const samples = new Map<number, number>()
      let now = NOON
      for (const { after, lag } of all) {
        now += after
        const t = now - lag
        const hour = Math.floor(now / HOUR_MS)
        const isOpen = stream.tick(now).length >= 0 && stream.engine.gauges().openAlerts > 0
        const created = stream.event(anEvent({ t, principalId: 'u1', operation: 'export' }), now)
        if (!isOpen && created.length > 0) {
          if (created[0]?.alert.window.threshold !== 3) adapted++
          expect(created[0]?.alert.window.threshold).toBe(expectedThreshold(samples, hour, 3))
        }
        held.push({ t, arrival: now })
        const present = held.filter(({ arrival }) => arrival >= now - HELD).map((each) => each.t)
        for (const moment of present)
          if (moment >= t && moment < t + SPAN) {
            const value = present.filter((each) => each > moment - SPAN && each <= moment).length
            samples.set(hour, Math.max(samples.get(hour) ?? 0, value))
          }
      }
    }
    // In 150 runs 12 to 38 alerts opened at an adapted threshold: enough runs that chance does not decide.
    fc.assert(fc.property(steps, check), { numRuns: 400 })
    expect(adapted).toBeGreaterThan(20)
  })

  it('keeps the threshold of an open alert until it closes, and meets what is held when a threshold falls', () => {
    const stream = new Stream([COUNT])
    for (const hour of [0, 1, 2]) exported(stream, 2, hour)
    exported(stream, 3, 3, { t: atHour(3, HOUR_MS - 1000) })
    expect(stream.alerts()).toMatchObject([{ window: { threshold: 3 } }])
    stream.settings(ORG_A, { rules: { 'own.exports': { threshold: 2 } } }, atHour(3, HOUR_MS - 500))
    exported(stream, 1, 4)
    stream.tick(atHour(4, 20_000))
    expect(stream.alerts()).toMatchObject([{ count: 4, window: { threshold: 3 }, metadata: { baseline: { samples: 3 } } }])
  })

  it('sums and counts different values just so', () => {
    for (const [record, field] of [
      [rule('  type: value_sum\n  condition: { gte: 30, field: recordCount }'), { recordCount: 10 }],
      [rule('  type: value_count\n  condition: { gte: 3, field: targetResourceId }'), {}],
    ] as const) {
      const stream = new Stream([record])
      const some = (times: number, hour: number, ms = 0) => {
        for (let n = 0; n < times; n++)
          exported(stream, 1, hour, { t: atHour(hour, ms + n), targetResourceId: `r${n + ms}`, ...field })
      }
      for (const hour of [0, 1, 2]) some(6, hour)
      some(5, 3)
      expect(stream.alerts()).toHaveLength(3)
      some(1, 3, 10)
      expect(stream.alerts().at(-1)?.window.threshold).toBe('recordCount' in field ? 60 : 6)
    }
  })

  it('goes on exactly as before from a snapshot, wherever it was cut and however slowly it was written', () => {
    const options = { topic: 'audit.events', partition: 3, compile: compileRule }
    const stream = new Stream([COUNT])
    for (let hour = 0; hour < 40; hour++)
      for (const who of ['u1', 'u2', 'u3'])
        exported(stream, ((hour * 7 + who.charCodeAt(1)) % 11) + 1, hour, { principalId: who })
    for (const who of ['u1', 'u2', 'u3']) exported(stream, 40, 40, { principalId: who })
    const { records } = stream
    for (const cutAt of [1, 40, 200, 411, 600]) {
      const engine = new PartitionEngine(options)
      for (const record of records.slice(0, cutAt)) engine.process(record)
      const writer = engine.beginSnapshot()
      const chunks: SnapshotChunk[] = []
      const expected = records.slice(cutAt).flatMap((record, index) => {
        const chunk = index % 20 === 0 ? writer.next(1) : null
        if (chunk !== null) chunks.push(structuredClone(chunk))
        return engine.process(record)
      })
      for (let chunk = writer.next(1); chunk !== null; chunk = writer.next(1)) chunks.push(structuredClone(chunk))
      const restored = PartitionEngine.restore(chunks, options)
      expect(records.slice(cutAt).flatMap((record) => restored.process(record))).toEqual(expected)
      expect(expected.length).toBeGreaterThan(5)
    }
  })

  it('forgets, when it is paused or counts something else, and keeps its samples under another threshold', () => {
    const learnt = (): Stream => {
      const stream = new Stream([COUNT])
      for (const hour of [0, 1, 2]) exported(stream, 20, hour)
      return stream
    }
    const changed = (content: string) => ruleRecord(COUNT.ruleId, content, { version: 2 })
    const kept = learnt()
    kept.rule(changed(COUNT.content.replace('gte: 3', 'gte: 4')), atHour(3))
    exported(kept, 19, 3)
    expect(kept.alerts()).toHaveLength(3)
    const other = learnt()
    other.rule(changed(COUNT.content.replace('10m', '11m')), atHour(3))
    exported(other, 3, 3)
    expect(other.alerts()).toHaveLength(4)
  })

  it('has room for 10,000 groups, and takes it back from those without a sample for 8 weeks', () => {
    const stream = new Stream([COUNT])
    for (let n = 0; n < 10_000; n++) exported(stream, 1, 0, { principalId: `early${n}` })
    const learn = (from: number): unknown => {
      for (const hour of [0, 1, 2]) exported(stream, 2, from + hour, { principalId: 'late' })
      exported(stream, 3, from + 3, { principalId: 'late' })
      return stream.alerts().at(-1)?.metadata['baseline']
    }
    expect(learn(1)).toMatchObject({ source: 'floor', samples: 0 })
    expect(learn(8 * 168 - 3)).toMatchObject({ source: 'floor', samples: 0 })
    expect(learn(8 * 168 + 10)).toMatchObject({ source: 'last 168 hours', samples: 3, median: 2 })
  })

  it('forgets what it learnt in hours that lie ahead after log time was set back', () => {
    const stream = new Stream([COUNT])
    for (const hour of [10, 11, 12]) exported(stream, 2, hour)
    exported(stream, 3, 5)
    expect(stream.engine.counters().logTimeSetBack).toBe(1)
    expect(stream.alerts().at(-1)?.metadata['baseline']).toMatchObject({ source: 'floor', samples: 0 })
  })

  it('is refused where there is no one number to adapt', () => {
    const refusal = (correlation: string, extension = '') => {
      try {
        compileRule(rule(correlation, extension))
      } catch (error) {
        return String(error)
      }
      return 'nothing'
    }
    const sentence = /own\.exports:\d+:\d+: "baseline" goes with event_count, value_count and value_sum/
    expect(refusal('  type: temporal')).toMatch(sentence)
    expect(refusal('  type: event_count\n  condition: { gte: 3 }', '  calendar: { start: 18, end: 8 }')).toMatch(sentence)
    expect(refusal('  type: event_count\n  condition: { gte: 3 }').replace('nothing', 'fine')).toBe('fine')
    expect(() =>
      compileRule(
        ruleRecord(
          'r',
          'title: A\nlogsource: { product: tocsin }\ndetection: { s: { action: a }, condition: s }\nx-tocsin: { baseline: true }',
        ),
      ),
    ).toThrow('"baseline" needs a correlation')
  })
})
