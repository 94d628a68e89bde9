/**
 * Who reads the same topic how fast: a process that only counts, the detector (with the built-in pack; with 500 rules), and the peers. They take
 * turns, so that a machine that slows down slows all of them; medians of the rounds are compared.
 */
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { ensureTopics } from '@tocsin/kafka'
import type { BenchContext, PartResult } from './bench.ts'
import { outputOf } from './child.ts'
import { type Cost, costBetween, startDetector } from './detector-process.ts'
import { peerEvents } from './events.ts'
import { BenchLog, builtInRules } from './log.ts'
import { MOST_RULES, manyRules } from './many-rules.ts'
import { type PeerFigures, prepareKafkaStreams, prepareRedisPeer } from './peers.ts'
import { medianOf, type Row } from './report.ts'

const BARE = fileURLToPath(new URL('./bare-consumer.ts', import.meta.url))
const BARE_LIMIT_MS = 300_000
const PEER_OUTPUT = 'peer.out'

export async function benchReaders(context: BenchContext): Promise<PartResult> {
  const { brokers, events, rounds, say, wanted } = context
  const log = await BenchLog.create(brokers, say)
  await log.write(peerEvents(), events)
  const bare: Cost[] = []
  const pack: DetectorRound[] = []
  const many: DetectorRound[] = []
  const peers = wanted('peers') ? await preparePeers(context, log) : []
  for (let round = 1; round <= rounds; round++) {
    const told = (who: string, figure: number) =>
      say(`round ${round} of ${rounds}: ${who} ${Math.round(figure).toLocaleString('en-US')} events/s`)
    bare.push(await runBare(brokers, log, events))
    told('bare consumer', bare.at(-1)?.eventsPerSecond ?? 0)
    pack.push(await runDetector(brokers, log, events))
    told('detector', pack.at(-1)?.eventsPerSecond ?? 0)
    if (wanted('rules')) {
      await log.setRules(manyRules())
      many.push(await runDetector(brokers, log, events))
      await log.setRules(builtInRules())
      told(`detector with ${MOST_RULES} rules`, many.at(-1)?.eventsPerSecond ?? 0)
    }
    for (const peer of peers) {
      await peer.round()
      told(peer.name, peer.figures.at(-1)?.eventsPerSecond ?? 0)
    }
  }
  const bytes = log.bytesAnEvent
  await log.close()
  const speed = (of: readonly { readonly eventsPerSecond: number }[]) => medianOf(of.map((each) => each.eventsPerSecond))
  const cpu = (of: readonly Cost[]) => medianOf(of.map((each) => each.cpuMicroseconds))
  const rows: Row[] = [
    { figure: 'bare kafkajs consumer', unit: 'events/s', got: speed(bare), reach: null },
    { figure: 'detector, built-in pack, snapshots on', unit: 'events/s', got: speed(pack), reach: null },
    { figure: 'detector / bare consumer', unit: '', got: speed(pack) / speed(bare), reach: { op: '>=', value: 0.4 } },
    { figure: 'the same by CPU time', unit: '', got: cpu(bare) / cpu(pack), reach: null },
    { figure: 'CPU of the detector', unit: 'µs an event', got: cpu(pack), reach: null },
    { figure: 'snapshots of the detector in a round', unit: '', got: medianOf(pack.map((each) => each.snapshots)), reach: null },
    {
      figure: 'alert changes of the detector in a round',
      unit: '',
      got: medianOf(pack.map((each) => each.changes)),
      reach: null,
    },
    ...peers.flatMap((peer) => peerRows(peer, speed(pack))),
  ]
  if (many.length > 0)
    rows.push(
      { figure: `detector with ${MOST_RULES} rules`, unit: 'events/s', got: speed(many), reach: null },
      {
        figure: `${MOST_RULES} rules, 2% can match / built-in pack`,
        unit: '',
        got: speed(many) / speed(pack),
        reach: { op: '>=', value: 0.6 },
      },
      { figure: `CPU of the detector with ${MOST_RULES} rules`, unit: 'µs an event', got: cpu(many), reach: null },
    )
  return {
    what:
      `Readers of one topic: ${events.toLocaleString('en-US')} events of ${bytes} bytes on average, those of peers/node/produce.mjs as ingest writes them, ` +
      `4 partitions, one process each, ${rounds} rounds in turn, medians. Broker and readers share the machine. From the first records to the last, without starting.`,
    rows,
  }
}

interface DetectorRound extends Cost {
  readonly snapshots: number
  readonly changes: number
}

async function runDetector(brokers: string, log: BenchLog, events: number): Promise<DetectorRound> {
  const detector = await startDetector(brokers, log.prefix)
  try {
    const first = await detector.reach(1)
    const last = await detector.reach(events)
    return { ...costBetween(first, last), snapshots: last.snapshots, changes: last.alertChanges }
  } finally {
    await detector.stop()
    await log.forgetState()
  }
}

async function runBare(brokers: string, log: BenchLog, events: number): Promise<Cost> {
  const args = ['--disable-warning=TimeoutNegativeWarning', BARE, brokers, log.topic, `${log.prefix}bare-${randomUUID()}`]
  const output = await outputOf(process.execPath, { args: [...args, String(events)], limitMs: BARE_LIMIT_MS })
  const answer = JSON.parse(output) as { readonly records: number; readonly ms: number; readonly cpuMs: number }
  return {
    eventsPerSecond: (answer.records / answer.ms) * 1_000,
    cpuMicroseconds: (answer.cpuMs / answer.records) * 1_000,
  }
}

interface Peer {
  readonly name: string
  /** How many times faster the detector should be. */
  readonly reach: number
  readonly figures: PeerFigures[]
  readonly round: () => Promise<void>
  /** Why it does not run (any more). */
  fault: string | undefined
}

async function preparePeers({ peers, local, redisUrl, events, brokers }: BenchContext, log: BenchLog): Promise<Peer[]> {
  const peerOf = async (name: string, reach: number, prepare: () => Promise<() => Promise<PeerFigures>>): Promise<Peer> => {
    const figures: PeerFigures[] = []
    let run: (() => Promise<PeerFigures>) | undefined
    const peer: Peer = {
      name,
      reach,
      figures,
      fault: undefined,
      round: async () => {
        try {
          run ??= await prepare()
          if (peer.fault === undefined) figures.push(await run())
        } catch (error) {
          peer.fault = (error as Error).message
        }
      },
    }
    return peer
  }
  return [
    await peerOf('Kafka Streams', 5, async () => {
      const run = await prepareKafkaStreams(peers, local)
      await ensureTopics(log.kafka, [{ name: PEER_OUTPUT, partitions: 1, key: 'any', config: {} }], {
        partitions: 1,
        replication: 1,
      })
      return async () => await run(brokers, log.topic, log.kafka.name(PEER_OUTPUT), events)
    }),
    await peerOf('Redis sorted sets', 3, async () => {
      const run = prepareRedisPeer(peers, local, redisUrl)
      return async () => await run(brokers, log.topic, events)
    }),
  ]
}

function peerRows({ name, reach, figures, fault }: Peer, detector: number): Row[] {
  const missing = fault === undefined ? undefined : `not run: ${fault}`
  const speed = missing ?? medianOf(figures.map((each) => each.eventsPerSecond))
  return [
    { figure: `peer: ${name}`, unit: 'events/s', got: speed, reach: null },
    {
      figure: `thresholds crossed by ${name}`,
      unit: '',
      got: missing ?? medianOf(figures.map((each) => each.crossings)),
      reach: null,
    },
    {
      figure: `detector / ${name}`,
      unit: '×',
      got: typeof speed === 'number' ? detector / speed : speed,
      reach: { op: '>=', value: reach },
    },
  ]
}
