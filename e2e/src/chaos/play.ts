/** Plays one scenario under load and compares what was published with what the log says. */
import type { RunningInfrastructure } from '@tocsin/local'
import { Field, PARTITIONS } from './field.ts'
import { startLoad } from './random-load.ts'
import type { Scenario } from './scenarios.ts'
import { isWhole, judge, keepEvidence, recompute, type Verdict } from './verdict.ts'

const CATCH_UP_LIMIT_MS = 120_000

export interface PlayOptions {
  readonly infrastructure: RunningInfrastructure
  readonly seed: number
  readonly rounds: number
  readonly eventsPerSecond: number
  /** Where log and alerts are kept when they differ. */
  readonly evidence: string
  readonly say: (line: string) => void
}

export interface Outcome extends Verdict {
  readonly processes: number
  readonly snapshots: number
  /** Recoveries from a snapshot that is not of the log's beginning. */
  readonly restored: number
  /** Recoveries that were over before the group had given the partition. */
  readonly ahead: number
  readonly refused: number
  readonly seconds: number
}

export async function play(scenario: Scenario, options: PlayOptions): Promise<Outcome> {
  const { infrastructure, seed, rounds, eventsPerSecond, say } = options
  const begun = performance.now()
  const field = new Field(infrastructure, seed)
  try {
    await field.prepare()
    const load = await startLoad(field.producer, {
      seed,
      partitions: PARTITIONS,
      organizations: 24,
      principals: 12,
      eventsPerSecond,
    })
    let fault: unknown
    try {
      await scenario.play(field, rounds, say)
    } catch (error) {
      fault = error
    }
    say(`${await load.stop()} records written, recomputing`)
    const expected = await recompute(field.kafka)
    await field
      .until(() => isWhole(field.kafka, expected), 'everything to be published', CATCH_UP_LIMIT_MS)
      .catch((error: unknown) => (fault ??= error))
    // Only now, when nobody is left who might publish, is it seen what is too much.
    await field.endAll('SIGTERM').catch((error: unknown) => (fault ??= error))
    const judged = await judge(field.kafka, expected)
    const verdict = fault === undefined ? judged : { ...judged, faults: [`the scenario failed: ${fault}`, ...judged.faults] }
    const logs = new Map([...field.all].map(([name, { lines }]) => [name, lines]))
    if (verdict.faults.length > 0) await keepEvidence(options.evidence, field.kafka, expected, verdict, logs)
    const lines = [...logs.values()].flat()
    const count = (is: (line: string) => boolean) => lines.filter(is).length
    return {
      ...verdict,
      processes: field.all.size,
      snapshots: count((line) => line.includes('snapshot complete')),
      restored: count((line) => line.includes('"restored":true') && !line.includes('"offset":"0"')),
      ahead: count((line) => line.includes('"ahead":true')),
      refused: count((line) => line.includes('a snapshot is refused')),
      seconds: (performance.now() - begun) / 1_000,
    }
  } finally {
    await field.close()
  }
}
