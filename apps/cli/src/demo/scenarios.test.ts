import { categoryOf, operationOf, outcomeOf } from '@tocsin/contracts'
import { describe, expect, it } from 'vitest'
import { SCENARIO_NAMES, SCENARIOS } from './scenarios.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')

describe.each(SCENARIO_NAMES)('scenario %s', (name) => {
  const play = (seed: number, run = 'r1') => SCENARIOS[name]({ seed, run, now: NOW })

  it('is the same for the same seed and run, and an episode of its own in another run', () => {
    expect(play(7)).toEqual(play(7))
    expect(play(7)).not.toEqual(play(8))
    const [first, second] = [play(7, 'r1'), play(7, 'r2')]
    expect(first.principal).not.toBe(second.principal)
    expect(first.events.some(({ id }) => second.events.some((other) => other['id'] === id))).toBe(false)
  })

  it('has happened before now, and is enough for its patterns whatever the seed', () => {
    for (let seed = 0; seed < 50; seed++) {
      const { events, expected } = play(seed)
      expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
      for (const event of events) expect(Date.parse(String(event['timestamp']))).toBeLessThanOrEqual(NOW)
      const facts = events.map((event) => {
        const { action, status, targetResourceType, outcomeDescription } = event as {
          action: string
          status: 'success' | 'failure'
          targetResourceType?: string
          outcomeDescription?: string
        }
        return {
          ...event,
          category: categoryOf({ action, targetResourceType }),
          operation: operationOf({ action }),
          outcome: outcomeOf({ status, outcomeDescription }),
        }
      })
      const count = (test: (fact: (typeof facts)[number]) => boolean) => facts.filter(test).length
      const enough = {
        FAILED_AUTH: () => count(({ category, outcome }) => category === 'authentication' && outcome === 'failure') >= 5,
        UNAUTHORIZED_ACCESS: () => count(({ category, outcome }) => category !== 'authentication' && outcome === 'denied') >= 3,
        DATA_VELOCITY: () =>
          count(({ category, operation, outcome }) => category === 'data' && operation === 'read' && outcome === 'success') >=
          100,
        BULK_OPERATION: () => count(({ operation }) => operation === 'export') >= 1,
        OFF_HOURS: () =>
          facts.some(
            (fact) =>
              fact.category === 'data' &&
              fact.outcome === 'success' &&
              String((fact as { timestamp?: unknown }).timestamp).includes('T02:1'),
          ),
      }
      for (const pattern of expected) expect(enough[pattern](), `${pattern} with seed ${seed}`).toBe(true)
    }
  })
})
