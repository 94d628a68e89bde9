import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventPool } from '../held/event-pool.ts'
import { HeldEvents } from '../held/held-events.ts'
import type { Requirement } from '../rules/requirement.ts'
import { type Interval, Stretches } from './stretches.ts'
import { truthThrough, wholeTruth } from './truth.ts'

const SPAN = 10
const leaves = (t: number): number => t + SPAN

/** What detection.md says, moment by moment: is the window `(m - span, m]` true? */
function isTrueAt(
  events: readonly { t: number; value: number }[],
  requirements: readonly Requirement[],
  moment: number,
): boolean {
  const window = events.filter(({ t }) => t > moment - SPAN && t <= moment)
  return requirements.every(({ unit, atLeast }) => {
    if (unit === 'events') return window.length >= atLeast
    if (unit === 'sum') return window.reduce((sum, { value }) => sum + value, 0) >= atLeast
    return new Set(window.map(({ value }) => value).filter((value) => value !== 0)).size >= atLeast
  })
}

const covers = (intervals: readonly Interval[], moment: number): boolean =>
  intervals.some(({ from, to }) => from <= moment && moment < to)

const CONDITIONS: readonly (readonly Requirement[])[] = [
  [{ unit: 'events', atLeast: 1 }],
  [{ unit: 'events', atLeast: 4 }],
  [{ unit: 'sum', atLeast: 7 }],
  [{ unit: 'distinct', atLeast: 1 }],
  [{ unit: 'distinct', atLeast: 3 }],
  [
    { unit: 'events', atLeast: 4 },
    { unit: 'distinct', atLeast: 3 },
  ],
  [
    { unit: 'events', atLeast: 2 },
    { unit: 'distinct', atLeast: 2 },
  ],
]

describe('the truth of a condition', () => {
  it.each(CONDITIONS.map((condition) => [JSON.stringify(condition), condition] as const))(
    'is found event by event, whatever their order: %s',
    (_name, condition) => {
      const sums = condition.some(({ unit }) => unit === 'sum')
      const distinct = condition.some(({ unit }) => unit === 'distinct')
      const event = fc.record({ t: fc.integer({ min: 0, max: 40 }), value: fc.integer({ min: 0, max: 4 }) })
      fc.assert(
        fc.property(fc.array(event, { maxLength: 25 }), (events) => {
          const held = new HeldEvents(new EventPool(), { sums, distinct }, { held: 0 })
          const known = new Stretches()
          for (const [index, { t, value }] of events.entries()) {
            const slot = held.add({
              t,
              arrival: 0,
              value,
              id: { low: (index * 2654435761) >>> 0, high: 0 },
              contentHash: 0,
              flags: 0,
            })
            for (const stretch of truthThrough(held, condition, leaves, held.positionOf(slot))) known.add(stretch)
            const whole = wholeTruth(held, condition, leaves)
            for (let moment = 0; moment <= 52; moment++) {
              const expected = isTrueAt(events.slice(0, index + 1), condition, moment)
              expect(covers(known.all(), moment)).toBe(expected)
              expect(covers(whole, moment)).toBe(expected)
            }
          }
        }),
        { numRuns: 60 },
      )
    },
  )
})
