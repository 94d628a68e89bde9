/**
 * The protocol of services/detector (design §5.2) around the engine, in memory: a turn processes a batch, publishes, and now and then writes a
 * snapshot and commits. It may end at any point; the next process begins from the newest whole snapshot, wherever the commit stands.
 */
import { type AlertChange, type EngineOptions, type EngineRecord, PartitionEngine, type SnapshotChunk } from '@tocsin/engine'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changingStreams } from './changing-streams.ts'
import { changingCorrelationStreams } from './correlation-streams.ts'
import { drain, engineRecords, optionsOf, runEngine } from './harness.ts'
import { runs } from './runs.ts'
import { limited, type Stream, streams } from './streams.ts'

/** What outlives a process. */
interface Durable {
  readonly published: AlertChange[]
  snapshot: { readonly next: number; readonly chunks: readonly SnapshotChunk[] } | undefined
}

/** Where a process ends: while it processes a batch, publishes, or writes the snapshot after it; `share` is how far it came with that. */
interface Crash {
  readonly batches: number
  readonly during: 'processing' | 'publishing' | 'writing the snapshot' | 'committing'
  readonly share: number
}

interface Plan {
  readonly batchSize: number
  /** A snapshot after every so many batches. */
  readonly pace: number
  readonly crashes: readonly Crash[]
}

const plans: fc.Arbitrary<Plan> = fc.record({
  batchSize: fc.constantFrom(1, 7, 500),
  pace: fc.integer({ min: 1, max: 4 }),
  crashes: fc.array(
    fc.record({
      batches: fc.nat({ max: 6 }),
      during: fc.constantFrom('processing', 'publishing', 'writing the snapshot', 'committing'),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { maxLength: 5 },
  ),
})

/** One process, to its crash or the end of the log; true when it came to the end. */
function live(
  records: readonly EngineRecord[],
  options: EngineOptions,
  { batchSize, pace }: Plan,
  crash: Crash | undefined,
  durable: Durable,
): boolean {
  const { snapshot } = durable
  const engine = PartitionEngine.restore(
    structuredClone(snapshot?.chunks ?? drain(new PartitionEngine(options).beginSnapshot(), 1000)),
    options,
  )
  let next = snapshot?.next ?? 0
  for (let batch = 0; next < records.length; batch += 1) {
    const during = crash !== undefined && crash.batches === batch ? crash.during : 'nothing'
    const share = crash?.share ?? 0
    const taken = records.slice(next, next + batchSize)
    const isLast = during === 'processing'
    const outputs = taken
      .slice(0, isLast ? Math.floor(share * taken.length) : taken.length)
      .flatMap((record) => engine.process(record))
    if (isLast) return false
    // The broker may have some of them, although the process never hears of it.
    durable.published.push(...outputs.slice(0, during === 'publishing' ? Math.ceil(share * outputs.length) : outputs.length))
    if (during === 'publishing') return false
    next += taken.length
    if (during === 'writing the snapshot') return false
    if (batch % pace === 0 || during === 'committing')
      durable.snapshot = { next, chunks: structuredClone(drain(engine.beginSnapshot(), 1000)) }
    if (during === 'committing') return false
  }
  return true
}

const nameOf = ({ alert }: AlertChange): string => `${alert.id} ${alert.revision} ${alert.createdAt}`

function sameAsUndisturbed(stream: Stream, plan: Plan): void {
  const records = engineRecords(stream)
  const options = optionsOf(stream)
  const durable: Durable = { published: [], snapshot: undefined }
  for (const crash of plan.crashes) if (live(records, options, plan, crash, durable)) break
  live(records, options, plan, undefined, durable)
  const seen = new Map<string, string>()
  const firsts: string[] = []
  for (const change of durable.published) {
    const content = JSON.stringify(change)
    const before = seen.get(nameOf(change))
    if (before === undefined) firsts.push(content)
    else expect(content).toBe(before)
    seen.set(nameOf(change), content)
  }
  expect(firsts).toEqual(
    runEngine(stream)
      .flat()
      .map((change) => JSON.stringify(change)),
  )
}

describe('a detector that crashes between processing, publishing, snapshot and commit', () => {
  const little = limited(streams(60), ['eventsPerGroup', 'eventsPerOrganization', 'groupsPerOrganization'])

  it('publishes the same revisions as an undisturbed one, in batches of any size', () => {
    fc.assert(fc.property(fc.oneof(streams(60), changingStreams(40), little), plans, sameAsUndisturbed), runs(150))
  })

  it('does so with any correlation', () => {
    fc.assert(fc.property(changingCorrelationStreams(40), plans, sameAsUndisturbed), runs(100))
  })
})
