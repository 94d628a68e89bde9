/** A short `npm run chaos -- detector`: the full run has 30 rounds, the broker's death and everything at once. */
import { mkdirSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { type RunningInfrastructure, startInfrastructure } from '@tocsin/local'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { play } from '../src/chaos/play.ts'
import { SCENARIOS } from '../src/chaos/scenarios.ts'

const LOCAL = join(import.meta.dirname, '../../.local')
const ROUNDS = { kills: 3, sleepers: 1, scale: 1 } as const

let infrastructure: RunningInfrastructure
beforeAll(async () => {
  mkdirSync(LOCAL, { recursive: true })
  infrastructure = await startInfrastructure({
    dir: mkdtempSync(join(LOCAL, 'test-chaos-')),
    env: { ...process.env, DATABASE_URL: 'not needed', REDIS_URL: 'not needed' },
    durable: false,
    temporary: true,
    say: () => {},
  })
})
afterAll(async () => infrastructure?.stop())

test.each(Object.entries(ROUNDS))(
  'detectors under load publish exactly what the log says, through %s (%i)',
  async (name, rounds) => {
    const scenario = SCENARIOS[name]
    if (scenario === undefined) throw new Error(`no scenario ${name}`)
    const seed = Date.now() % 1_000_000
    const evidence = join(LOCAL, 'chaos-evidence', `${name}-${seed}`)
    const outcome = await play(scenario, { infrastructure, seed, rounds, eventsPerSecond: 200, evidence, say: () => {} })
    expect(outcome.faults.slice(0, 5), `seed ${seed}, kept in ${evidence}`).toEqual([])
    expect(outcome.alerts).toBeGreaterThan(50)
    expect(outcome.restored).toBeGreaterThan(0)
  },
)
