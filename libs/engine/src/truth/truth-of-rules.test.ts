import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventPool } from '../held/event-pool.ts'
import { HeldEvents } from '../held/held-events.ts'
import type { Requirement } from '../rules/requirement.ts'
import { type Interval, Stretches } from './stretches.ts'
import { truthThrough, wholeTruth } from './truth.ts'

const SPAN = 10
const leaves = (t: number): number => t + SPAN
const RULES = 3

/** `parts`: a bit for each rule that the event matches. */
interface Each {
  readonly t: number
  readonly parts: number
}

/** Whether some choice of different events serves the steps from `step` on, none earlier than the one before. */
function canServe(left: readonly Each[], step: number, from: number): boolean {
  if (step === RULES) return true
  return left.some((event) => {
    if (event.t < from || ((event.parts >>> step) & 1) === 0) return false
    return canServe(
      left.filter((other) => other !== event),
      step + 1,
      event.t,
    )
  })
}

type Holds = (window: readonly Each[]) => boolean
const has = (window: readonly Each[], rule: number): boolean => window.some(({ parts }) => ((parts >>> rule) & 1) === 1)
const rulesOf = (window: readonly Each[]): number => [0, 1, 2].filter((rule) => has(window, rule)).length

const CONDITIONS: readonly (readonly [string, Requirement, Holds])[] = [
  ['all rules', { unit: 'rules', atLeast: 3 }, (window) => rulesOf(window) === 3],
  ['two rules', { unit: 'rules', atLeast: 2 }, (window) => rulesOf(window) >= 2],
  [
    'the first and one of the others',
    {
      unit: 'rules',
      atLeast: 3,
      expression: { text: 'a and (b or c)', holds: (parts) => (parts & 1) === 1 && parts > 1 },
    },
    (window) => has(window, 0) && (has(window, 1) || has(window, 2)),
  ],
  ['all rules in order', { unit: 'steps', atLeast: 3 }, (window) => canServe(window, 0, 0)],
]

const covers = (intervals: readonly Interval[], moment: number): boolean =>
  intervals.some(({ from, to }) => from <= moment && moment < to)

describe('the truth of a condition on rules', () => {
  it.each(CONDITIONS)('is found event by event, whatever their order: %s', (_name, requirement, holds) => {
    const event = fc.record({ t: fc.integer({ min: 0, max: 24 }), parts: fc.integer({ min: 1, max: 7 }) })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 14 }), (events) => {
        const held = new HeldEvents(new EventPool(), { sums: false, distinct: false, parts: RULES }, { held: 0 })
        const known = new Stretches()
        for (const [index, { t, parts }] of events.entries()) {
          const id = { low: (index * 2654435761) >>> 0, high: 0 }
          const slot = held.add({ t, arrival: 0, value: parts, id, contentHash: 0, flags: 0 })
          for (const stretch of truthThrough(held, [requirement], leaves, held.positionOf(slot))) known.add(stretch)
          const whole = wholeTruth(held, [requirement], leaves)
          for (let moment = 0; moment <= 36; moment++) {
            const window = events.slice(0, index + 1).filter((each) => each.t > moment - SPAN && each.t <= moment)
            expect(covers(known.all(), moment)).toBe(holds(window))
            expect(covers(whole, moment)).toBe(holds(window))
          }
        }
      }),
      { numRuns: 150 },
    )
  })

  it.each(['rules', 'steps'] as const)('costs no more with 100,000 events in the window (%s)', (unit) => {
    const held = new HeldEvents(new EventPool(), { sums: false, distinct: false, parts: RULES }, { held: 0 })
    const ever = (): number => 1e9
    const begun = process.cpuUsage().user
    let found = 0
    for (let index = 0; index < 100_000; index++) {
      // The second rule's event comes last of all; times go up and down.
      const t = index % 2 === 0 ? index : 200_000 - index
      const id = { low: (index * 2654435761) >>> 0, high: 0 }
      const slot = held.add({
        t,
        arrival: 0,
        value: index === 99_999 ? 2 : index % 2 === 0 ? 1 : 4,
        id,
        contentHash: 0,
        flags: 0,
      })
      found += truthThrough(held, [{ unit, atLeast: RULES }], ever, held.positionOf(slot)).length
    }
    expect(found).toBe(1)
    expect((process.cpuUsage().user - begun) / 1000).toBeLessThan(10_000)
  })
})
