/** Streams of many events of one or two groups under higher thresholds: long windows that fill, thin out and fill again. */
import fc from 'fast-check'
import type { ModelRecord } from './model-types.ts'
import { makeEvent, ORGANIZATIONS, type Stream } from './streams.ts'

const START = Date.parse('2026-07-01T09:00:00Z')
const DAY = 86_400_000
const HALF_SECOND = 500

const KINDS = [
  { category: 'authentication', operation: 'login', outcome: 'failure' },
  { category: 'authorization', operation: 'grant', outcome: 'denied' },
  { category: 'data', operation: 'read', outcome: 'success' },
  { category: 'other', operation: 'export', outcome: 'success' },
] as const

const settings = fc.record({
  threshold: fc.integer({ min: 3, max: 25 }),
  spanMs: fc.integer({ min: 2, max: 30 }).map((n) => n * 1000),
  alertCooldown: fc.integer({ min: 0, max: 20 }).map((n) => n * 1000),
  latenessMs: fc.integer({ min: 0, max: 120 }).map((n) => n * 1000),
})

const step = fc.record({
  advance: fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.nat({ max: 3 }) },
    { weight: 1, arbitrary: fc.nat({ max: 60 }) },
  ),
  lag: fc.oneof({ weight: 3, arbitrary: fc.nat({ max: 6 }) }, { weight: 2, arbitrary: fc.nat({ max: 240 }) }),
  jitter: fc.constantFrom(0, 0, 0, 1, -1),
  who: fc.constantFrom('u1', 'u1', 'u1', 'u2'),
  recordCount: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 40 }), fc.constant(undefined)),
  success: fc.nat({ max: 20 }).map((n) => n === 0),
})

export const denseStreams = (size: number): fc.Arbitrary<Stream> =>
  fc
    .record({
      settings,
      kind: fc.constantFrom(...KINDS),
      steps: fc.array(step, { minLength: Math.floor(size / 3), maxLength: size, size: 'max' }),
    })
    .map(({ settings: { threshold, spanMs, alertCooldown, latenessMs }, kind, steps }) => {
      let appendTime = START
      const records = steps.map(({ advance, lag, jitter, who, recordCount, success }, i): ModelRecord => {
        appendTime += advance * HALF_SECOND
        const content = success && kind.category === 'authentication' ? { ...kind, outcome: 'success' as const } : kind
        const counted = kind.operation === 'export' && recordCount !== undefined ? { recordCount } : {}
        const event = makeEvent({
          id: `e${i}`,
          t: appendTime - lag * HALF_SECOND + jitter,
          principalId: who,
          ...content,
          ...counted,
        })
        return { kind: 'event', appendTime, event }
      })
      const all = {
        alertCooldown,
        latenessMs,
        failedAuthThreshold: threshold,
        failedAuthTimeWindow: spanMs,
        unauthorizedAccessThreshold: threshold,
        unauthorizedAccessTimeWindow: spanMs,
        dataAccessVelocityThreshold: threshold,
        dataAccessTimeWindow: spanMs,
        bulkOperationThreshold: threshold * 3,
        bulkOperationTimeWindow: spanMs,
      }
      return { day0: Math.floor(START / DAY) * DAY, settings: new Map([[ORGANIZATIONS[0], all]]), records }
    })
