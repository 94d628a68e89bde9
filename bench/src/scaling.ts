/**
 * What an event costs the detector's process where there are many organizations, many groups, or one group of very many events. The events are reads,
 * each of which matches one rule of the pack, so that groups are counted and nothing else varies. CPU is compared, since rates depend on the broker.
 */
import { fileURLToPath } from 'node:url'
import type { BenchContext, PartResult } from './bench.ts'
import { outputOf } from './child.ts'
import { type Cost, costBetween, startDetector } from './detector-process.ts'
import type { EngineMemory } from './engine-memory.ts'
import { type EventSource, readEvents } from './events.ts'
import { BenchLog } from './log.ts'
import { seededRandom } from './random.ts'
import { medianOf, type Row } from './report.ts'

const SEED = 11
const GROUPS = 10_000
const GIB_IN_MIB = 1_024
const GIB = 2 ** 30
/** Events are held for span, cooldown and lateness: 1 + 5 + 15 minutes against 1 + 5 + 1. */
const LONG_LATENESS = 21 / 7
const ENGINE_MEMORY = fileURLToPath(new URL('./engine-memory.ts', import.meta.url))
const ENGINE_LIMIT_MS = 300_000

export async function benchScaling(context: BenchContext): Promise<PartResult> {
  const { events, rounds, wanted, say } = context
  const count = Math.ceil(events / 2)
  const rows: Row[] = []
  if (wanted('scaling')) {
    const few = await costOf(context, 'groups: 10,000 in 10 organizations', count, anywhere(10, GROUPS / 10), rounds)
    const many = await costOf(context, 'groups: 10,000 in 10,000 organizations', count, anywhere(GROUPS, 1), rounds)
    const hot = await costOf(
      context,
      'one principal',
      events,
      readEvents(() => ({ organization: 0, principal: 0 })),
      1,
    )
    rows.push(
      cost('10,000 groups in 10 organizations', few),
      cost('10,000 groups in 10,000 organizations', many),
      ratio('10 → 10,000 organizations', many / few),
      cost(`one principal with ${events.toLocaleString('en-US')} events`, hot),
      ratio('10,000 groups → one hot principal', hot / few),
    )
    const groups = await manyGroups(context, count)
    const most = events.toLocaleString('en-US')
    rows.push(
      cost(`${most} groups of 100 organizations, the first event of each`, groups.first.cpuMicroseconds),
      cost(`${most} groups, further events`, groups.further.cpuMicroseconds),
      ratio(`10,000 → ${most} groups, further events`, groups.further.cpuMicroseconds / few),
      ratio(`10,000 → ${most} groups, the first event of each`, groups.first.cpuMicroseconds / few),
      ...memoryRows(groups),
    )
  } else rows.push(...memoryRows(await manyGroups(context, 0)))
  if (wanted('memory')) rows.push(...(await lateness(context)))
  say('scaling and memory measured')
  return {
    what:
      `Scaling and memory: successful reads, 4 partitions, one detector process, snapshots on; CPU of the whole process from first records to last. ` +
      `${count.toLocaleString('en-US')} events for each pair but the hot principal; rounds as above, but one for the hot principal and for the many groups.`,
    rows,
  }
}

const cost = (figure: string, got: number): Row => ({ figure: `CPU: ${figure}`, unit: 'µs an event', got, reach: null })
const ratio = (figure: string, got: number): Row => ({
  figure: `cost: ${figure}`,
  unit: '×',
  got,
  reach: { op: '<=', value: 1.5 },
})

/** Principals drawn alike. */
function anywhere(organizations: number, principals: number): EventSource {
  const random = seededRandom(SEED)
  return readEvents(() => ({
    organization: Math.floor(random() * organizations),
    principal: Math.floor(random() * principals),
  }))
}

/** CPU microseconds an event, the median of the rounds. */
async function costOf(
  { brokers, say }: BenchContext,
  name: string,
  count: number,
  source: EventSource,
  rounds: number,
): Promise<number> {
  const log = await BenchLog.create(brokers, say)
  await log.write(source, count)
  const costs: number[] = []
  for (let round = 1; round <= rounds; round++) {
    const detector = await startDetector(brokers, log.prefix)
    try {
      const first = await detector.reach(1)
      costs.push(costBetween(first, await detector.reach(count)).cpuMicroseconds)
    } finally {
      await detector.stop()
      await log.forgetState()
    }
    say(`${name}, round ${round} of ${rounds}: ${costs.at(-1)?.toFixed(1)} µs an event`)
  }
  await log.close()
  return medianOf(costs)
}

interface ManyGroups {
  readonly first: Cost
  readonly further: Cost
  readonly groups: number
  readonly residentMiB: number
  readonly peakMiB: number
}

/** One event each of as many groups as there are events, then `further` on groups drawn alike. */
async function manyGroups({ brokers, say, events: most }: BenchContext, further: number): Promise<ManyGroups> {
  const log = await BenchLog.create(brokers, say)
  const random = seededRandom(SEED)
  const organizations = 100
  const place = (group: number) => ({ organization: group % organizations, principal: Math.floor(group / organizations) })
  const source = readEvents((index) => place(index < most ? index : Math.floor(random() * most)))
  await log.write(source, most + further)
  const detector = await startDetector(brokers, log.prefix)
  try {
    const begun = await detector.reach(1)
    const all = await detector.reach(most)
    const { resident, peak } = detector.memory()
    say(`${most.toLocaleString('en-US')} groups: ${resident.toFixed(0)} MiB resident, ${peak.toFixed(0)} MiB at most`)
    const first = costBetween(begun, all)
    const later = further === 0 ? first : costBetween(all, await detector.reach(most + further))
    return { first, further: later, groups: all.groups, residentMiB: resident, peakMiB: peak }
  } finally {
    await detector.stop()
    await log.close()
  }
}

const memoryRows = ({ groups, residentMiB, peakMiB }: ManyGroups): Row[] => [
  { figure: 'live groups of one event each', unit: '', got: groups, reach: null },
  { figure: 'resident memory with them', unit: 'GiB', got: residentMiB / GIB_IN_MIB, reach: null },
  { figure: 'resident memory at most, up to then', unit: 'GiB', got: peakMiB / GIB_IN_MIB, reach: { op: '<=', value: 1 } },
]

/** Memory and lateness are one trade. One case is measured; the others hold more events in the same groups, at the bytes an event measured in it. */
async function lateness({ say }: BenchContext): Promise<Row[]> {
  const output = await outputOf(process.execPath, {
    args: ['--expose-gc', '--max-old-space-size=8192', ENGINE_MEMORY],
    limitMs: ENGINE_LIMIT_MS,
  })
  say('memory of the engine measured')
  const { bytesAGroup, bytesAnEventInOrder, bytesAnEventOfLargeGroups, bytesAnEventOutOfOrder, bytesAnEventOfASum, half, full } =
    JSON.parse(output) as EngineMemory
  const slope = (full.bytes - half.bytes) / (full.events - half.events)
  const bytes = (figure: string, got: number, reach: Row['reach'] = null): Row => ({ figure, unit: 'bytes', got, reach })
  const gib = (figure: string, got: number): Row => ({ figure, unit: 'GiB', got: got / GIB, reach: null })
  return [
    bytes('engine: a group of one event', bytesAGroup),
    bytes('engine: a held event, in order, groups of 95,000', bytesAnEventOfLargeGroups, { op: '<=', value: 32 }),
    bytes('engine: a held event, in order, groups of 1,000', bytesAnEventInOrder, { op: '<=', value: 32 }),
    bytes('engine: a held event, out of order by up to a minute, groups of 1,000', bytesAnEventOutOfOrder, {
      op: '<=',
      value: 32,
    }),
    bytes('engine: a held event of a sum, groups of 1,000', bytesAnEventOfASum, { op: '<=', value: 32 }),
    gib('engine: 5,000 matching events/s, lateness 1 min (measured)', full.bytes),
    gib('engine: 5,000 matching events/s, lateness 15 min (computed)', full.bytes + slope * full.events * (LONG_LATENESS - 1)),
    gib('engine: 50,000 matching events/s, lateness 1 min (computed)', full.bytes + slope * full.events * 9),
    gib(
      'engine: 50,000 matching events/s, lateness 15 min (computed)',
      full.bytes + slope * full.events * (10 * LONG_LATENESS - 1),
    ),
  ]
}
