import { readFileSync } from 'node:fs'
import type { AuditEvent } from '@tocsin/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PartitionEngine } from '../partition-engine.ts'
import type { EngineRecord } from '../records.ts'
import { compileRule } from '../rules/rule.ts'
import { anEvent, at, failedLogin, NOON, ORG_A, ORG_B, ruleRecord, Stream } from '../test-stream.ts'
import { DAY_MS } from '../time.ts'
import type { SnapshotChunk, SnapshotWriter } from './snapshot.ts'

const readRule = (name: string): string => readFileSync(new URL(`../../../../rules/${name}.yml`, import.meta.url), 'utf8')
const PACK = ['failed-auth', 'unauthorized-access', 'data-velocity', 'bulk-operation', 'off-hours', 'password-spraying'].map(
  (name) => ruleRecord(`tocsin.${name}`, readRule(name)),
)
const LIMITS = { eventsPerGroup: 12, eventsPerOrganization: 40, groupsPerOrganization: 9 }
const OPTIONS = { topic: 'audit.events', partition: 3, compile: compileRule, limits: LIMITS }

const SMALL = {
  failedAuthThreshold: 3,
  failedAuthTimeWindow: 5_000,
  bulkOperationThreshold: 20,
  bulkOperationTimeWindow: 4_000,
  alertCooldown: 2_000,
  latenessMs: 6_000,
}

type Step =
  | { readonly kind: 'event'; readonly wait: number; readonly age: number; readonly event: AuditEvent }
  | { readonly kind: 'tick'; readonly wait: number }
  | { readonly kind: 'settings'; readonly wait: number; readonly threshold: number }
  | { readonly kind: 'rule'; readonly wait: number; readonly state: 'active' | 'paused' }

const shape = fc.constantFrom<Partial<AuditEvent>>(
  { category: 'authentication', operation: 'login', outcome: 'failure' },
  { category: 'authentication', operation: 'login', outcome: 'success' },
  { category: 'data', operation: 'export', outcome: 'success', recordCount: 7 },
  { category: 'data', operation: 'read', outcome: 'denied' },
  { category: 'data', operation: 'read', outcome: 'success', dataClassification: 'PHI', targetResourceType: 'Patient' },
)
const anyEvent = fc
  .record({ shape, who: fc.constantFrom('u1', 'u2'), id: fc.integer({ min: 0, max: 400 }), org: fc.constantFrom(ORG_A, ORG_B) })
  .map(({ shape, who, id, org }) =>
    anEvent({ ...shape, principalId: who, id: `e${id}`, organizationId: org, sessionContext: { ipAddress: '10.0.0.1' } }),
  )
const wait = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 60_000 }))
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({ kind: fc.constant('event' as const), wait, age: fc.integer({ min: 0, max: 9_000 }), event: anyEvent }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('tick' as const), wait }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('settings' as const), wait, threshold: fc.integer({ min: 2, max: 4 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('rule' as const),
      wait,
      state: fc.constantFrom('active' as const, 'paused' as const),
    }),
  },
)

/** A stream as records, beginning with the pack and settings. */
function recordsOf(steps: readonly Step[]): EngineRecord[] {
  const stream = new Stream(PACK, LIMITS)
  stream.settings(ORG_A, SMALL, NOON)
  let now = NOON
  let version = 1
  for (const each of steps) {
    now += each.wait
    version++
    if (each.kind === 'tick') stream.tick(now)
    else if (each.kind === 'settings') stream.settings(ORG_A, { ...SMALL, failedAuthThreshold: each.threshold }, now, version)
    else if (each.kind === 'rule')
      stream.rule(ruleRecord('tocsin.failed-auth', readRule('failed-auth'), { version, state: each.state }), now)
    else stream.event({ ...each.event, timestamp: new Date(now - each.age).toISOString() }, now)
  }
  return stream.records
}

function drain(writer: SnapshotWriter, maxBytes = 5_000): SnapshotChunk[] {
  const chunks: SnapshotChunk[] = []
  for (let chunk = writer.next(maxBytes); chunk !== null; chunk = writer.next(maxBytes)) chunks.push(chunk)
  return chunks
}

/** What any encoder keeps: absent values are left out or null, never undefined. */
function isPlain(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || value instanceof Uint8Array) return true
  if (typeof value === 'number') return Number.isFinite(value)
  return typeof value === 'object' && Object.values(value).every(isPlain)
}

describe('a snapshot', () => {
  it('continues exactly as the undisturbed engine, wherever it was cut and however slowly it was written', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 5, maxLength: 120 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 4 }),
        (steps, where, every) => {
          const records = recordsOf(steps)
          const cut = Math.floor(where * records.length)
          const undisturbed = new PartitionEngine(OPTIONS)
          for (const record of records.slice(0, cut)) undisturbed.process(record)
          const countersAtCut = undisturbed.counters()
          const writer = undisturbed.beginSnapshot()
          const chunks: SnapshotChunk[] = []
          const rest = records.slice(cut)
          const expected = rest.map((record, index) => {
            const changes = undisturbed.process(record)
            const chunk = index % every === 0 ? writer.next(1) : null
            if (chunk !== null) chunks.push(chunk)
            return changes
          })
          chunks.push(...drain(writer))
          expect(chunks.every(isPlain)).toBe(true)
          const restored = PartitionEngine.restore(structuredClone(chunks), OPTIONS)
          expect(restored.counters()).toEqual(countersAtCut)
          for (const [index, record] of rest.entries()) {
            expect(JSON.stringify(restored.process(record))).toBe(JSON.stringify(expected[index]))
          }
          expect(restored.counters()).toEqual(undisturbed.counters())
          expect(restored.gauges()).toEqual({ ...undisturbed.gauges(), organizations: restored.gauges().organizations })
          for (const engine of [restored, undisturbed]) {
            engine.process({ kind: 'tick', appendTime: at('0:00') + 400 * DAY_MS, offset: 1_000_000n })
            expect(engine.gauges()).toMatchObject({ groups: 0, heldEvents: 0, heldEvidence: 0, openAlerts: 0 })
          }
        },
      ),
      { numRuns: 80 },
    )
  }, 60_000)

  it('is of the moment of its beginning, also for groups that come and go while it is written', () => {
    const stream = new Stream(PACK)
    for (let n = 0; n < 6; n++) stream.event(failedLogin('u1', at('0:00', n)))
    const writer = stream.engine.beginSnapshot()
    stream.event(failedLogin('u1', at('0:01')))
    stream.event(failedLogin('u2', at('0:01')))
    const restored = PartitionEngine.restore(drain(writer), OPTIONS)
    expect(restored.gauges()).toMatchObject({ groups: 1, heldEvents: 6, openAlerts: 1 })
  })

  it('that is given up costs nothing afterwards and leaves the next one whole', () => {
    const stream = new Stream(PACK)
    for (let n = 0; n < 6; n++) stream.event(failedLogin('u1', at('0:00', n)))
    const abandoned = stream.engine.beginSnapshot()
    const next = stream.engine.beginSnapshot()
    expect(abandoned.next(1_000)).toBeNull()
    expect(drain(next)).toHaveLength(2)
  })

  it('of another format is refused', () => {
    const [head] = drain(new PartitionEngine(OPTIONS).beginSnapshot())
    const foreign = { ...head, content: { ...(head?.content as object), format: 99 } } as unknown as SnapshotChunk
    expect(() => PartitionEngine.restore([foreign], OPTIONS)).toThrow('format 99')
    expect(() => PartitionEngine.restore([], OPTIONS)).toThrow('no head')
  })
})
