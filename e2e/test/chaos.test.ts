/** A short `npm run chaos -- detector`: the full run has 30 rounds, coming and going, the broker's death and everything at once. */
import { mkdirSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { TOPICS } from '@tocsin/contracts'
import { deleteRecords } from '@tocsin/kafka'
import { type RunningInfrastructure, startInfrastructure } from '@tocsin/local'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resetDetector } from '../../apps/cli/src/commands/reset-detector.ts'
import type { DetectorProcess } from '../../services/detector/test/detector-process.ts'
import { Field, PARTITIONS } from '../src/chaos/field.ts'
import { play } from '../src/chaos/play.ts'
import { startLoad } from '../src/chaos/random-load.ts'
import { SCENARIOS } from '../src/chaos/scenarios.ts'

const LOCAL = join(import.meta.dirname, '../../.local')
const ROUNDS = { kills: 2, sleepers: 1 } as const

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
    // Its one predecessor was killed, so there was time before the group gave it anything.
    if (name === 'kills') expect(outcome.ahead).toBeGreaterThan(0)
  },
)

const untilAll = (field: Field, { lines }: DetectorProcess, text: string) =>
  field.until(() => lines.filter((line) => line.includes(text)).length === PARTITIONS, `all partitions to say "${text}"`)

test('a partition whose log begins behind the snapshot is halted, whoever has it, until an operator lets the detector forget it', async () => {
  const field = new Field(infrastructure, 1)
  try {
    await field.prepare()
    const plan = { seed: 1, partitions: PARTITIONS, organizations: 4, principals: 3, eventsPerSecond: 200 }
    const first = field.start()
    const load = await startLoad(field.producer, plan)
    await untilAll(field, first, 'partition recovered')
    await field.end(first, 'SIGTERM')
    await load.stop()
    const end = (await field.kafka.topicOffsets(TOPICS.auditEvents.name)).get(2)?.end ?? 0n
    await deleteRecords(field.kafka, TOPICS.auditEvents.name, 2, end)
    const halted = field.start()
    await field.untilSays(halted, 'a partition is halted until an operator acts')
    expect(halted.lines.filter((line) => line.includes('is halted') && line.includes('audit.events/2'))).toHaveLength(1)

    const said: string[] = []
    const output = { result: (line: string) => void said.push(line), note: (line: string) => void said.push(line) }
    const { brokers, prefix } = field
    const reset = (yes: boolean) => resetDetector({ partition: 2, brokers, prefix, yes, output })
    expect(await reset(false)).toBe(1)
    expect(said[0]).toMatch(new RegExp(`^audit.events/2 {2}\\d+ -> ${end}, [1-9]\\d* records of snapshots forgotten$`))
    await expect(reset(true), 'while a detector runs').rejects.toThrow()
    await field.end(halted, 'SIGTERM')
    expect(await reset(true)).toBe(0)
    const again = field.start()
    await untilAll(field, again, 'partition recovered')
    expect(again.lines.filter((line) => line.includes('"restored":true'))).toHaveLength(PARTITIONS - 1)
    expect(again.lines.some((line) => line.includes('is halted'))).toBe(false)
    await field.endAll('SIGTERM')
  } finally {
    await field.close()
  }
})
