/** Streams during which settings and rules change. The calendar stays, since a night in progress has no second reading in detection.md. */
import type { ControlRecord } from '@tocsin/contracts'
import fc from 'fast-check'
import { PACK, placesOfChanges, tenant } from './harness.ts'
import type { ModelRecord } from './model-types.ts'
import { ORGANIZATIONS, ownSettingsOf, type Stream, streams } from './streams.ts'

const UNITS_MS = [1000, 60_000, 3_600_000]

const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  /** 0: an outdated version, to be ignored. */
  step: fc.constantFrom(0, 1, 1, 1, 2),
  what: fc.oneof(
    fc
      .constantFrom(...UNITS_MS)
      .chain((unit) => ownSettingsOf(unit).map((settings) => ({ kind: 'settings' as const, settings }))),
    fc.record({
      kind: fc.constant('rule' as const),
      rule: fc.nat(),
      state: fc.constantFrom('active' as const, 'active' as const, 'paused' as const, 'retired' as const),
    }),
  ),
  /** Keep of the settings in force: a change of everything at once would hide what one of them does. */
  keep: fc.constantFrom<string[]>(
    [],
    ['spans'],
    ['spans', 'gaps'],
    ['spans', 'gaps'],
    ['thresholds', 'gaps'],
    ['thresholds', 'spans'],
  ),
})

export const changingStreams = (size: number): fc.Arbitrary<Stream> =>
  fc.tuple(streams(size, ownSettingsOf), fc.array(change, { minLength: 1, maxLength: 5 })).map(([stream, changes]) => {
    const records: ModelRecord[] = [...stream.records]
    const versions = new Map<string, number>()
    const places = placesOfChanges(
      stream,
      changes.map(({ at }) => at),
    )
    const controls = changes.map(({ step, what, keep }): ControlRecord => {
      const rule = what.kind === 'rule' ? PACK[what.rule % PACK.length] : undefined
      const key = rule?.ruleId ?? 'settings'
      const version = (versions.get(key) ?? 1) + step
      versions.set(key, version)
      if (what.kind === 'rule' && rule !== undefined) return { kind: 'rule', rule: { ...rule, version, state: what.state } }
      const before = stream.settings.get(ORGANIZATIONS[0]) ?? {}
      const next = what.kind === 'settings' ? what.settings : before
      return { kind: 'organization', organization: tenant(ORGANIZATIONS[0], mixed(before, next, keep), version) }
    })
    for (const [i, control] of [...controls.entries()].reverse()) {
      const place = places[i] ?? 0
      records.splice(place, 0, { kind: 'control', appendTime: stream.records[place]?.appendTime ?? 0, control })
    }
    return { ...stream, records }
  })

function mixed(before: Record<string, unknown>, next: Record<string, unknown>, keep: readonly string[]): Record<string, unknown> {
  const kept = (name: string): boolean =>
    ['zone', 'holidays', 'offHoursStart', 'offHoursEnd'].includes(name) ||
    (keep.includes('spans') && name.endsWith('TimeWindow')) ||
    (keep.includes('thresholds') && name.endsWith('Threshold')) ||
    (keep.includes('gaps') && (name === 'latenessMs' || name === 'alertCooldown'))
  const names = new Set([...Object.keys(before), ...Object.keys(next)])
  const mix = [...names].map((name) => [name, kept(name) ? before[name] : next[name]])
  return Object.fromEntries(mix.filter(([, value]) => value !== undefined))
}
