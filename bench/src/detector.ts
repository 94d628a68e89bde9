/**
 * How much of a bare consumer's speed the detector keeps: its real process (read, parse, check, engine with the built-in pack, snapshots on) against
 * a process that only counts the same records. Rounds alternate, so that a machine that slows down slows both.
 */
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ALL_TOPICS, HEADERS, type RuleRecord, TOPICS } from '@tocsin/contracts'
import { createKafka, createProducer, deleteGroup, deleteTopic, ensureTopics, type Kafka, type Producer } from '@tocsin/kafka'
import { createLogger } from '@tocsin/telemetry'
import { runDetectorRound } from './detector-round.ts'
import { eventSource } from './events.ts'
import { medianOf, type Row } from './report.ts'

const RULES = fileURLToPath(new URL('../../rules/', import.meta.url))
const BARE = fileURLToPath(new URL('./bare-consumer.ts', import.meta.url))
const SEED = 20_260_101
const PARTITIONS = 4
const ORGANIZATIONS = 100
const PRINCIPALS = 100
/** A Wednesday's noon: within business hours, whenever this runs. They arrive late, which changes flags and counters only. */
const FROM = Date.parse('2026-01-07T11:00:00Z')
/** Event time that the events cover. */
const COVERED_MS = 600_000
const EVENTS_A_SEND = 4_000
/** Share of a bare consumer's events/s that the detector must keep. */
const REACH_RATIO = 0.4

export interface DetectorBenchOptions {
  readonly brokers: string
  readonly events: number
  readonly rounds: number
  readonly say: (line: string) => void
}

export async function benchDetector(options: DetectorBenchOptions): Promise<{ readonly what: string; readonly rows: Row[] }> {
  const { brokers, events, rounds, say } = options
  const prefix = `bench-${randomBytes(4).toString('hex')}-`
  const kafka = createKafka({ brokers, clientId: 'bench', prefix, log: createLogger('bench', 'error') })
  const producer = createProducer(kafka)
  await ensureTopics(kafka, ALL_TOPICS, { partitions: PARTITIONS, replication: 1 })
  const written = await writeLog(producer, events, say)
  const records = events + written.controls
  const bare: number[] = []
  const detector: Awaited<ReturnType<typeof runDetectorRound>>[] = []
  for (let round = 1; round <= rounds; round++) {
    bare.push(await runBareRound(brokers, kafka.name(TOPICS.auditEvents.name), `${prefix}bare-${round}`, records))
    say(`round ${round} of ${rounds}: bare consumer ${Math.round(bare.at(-1) ?? 0).toLocaleString('en-US')} events/s`)
    detector.push(await runDetectorRound(brokers, prefix, records))
    say(
      `round ${round} of ${rounds}: detector ${Math.round(detector.at(-1)?.eventsPerSecond ?? 0).toLocaleString('en-US')} events/s`,
    )
    await forgetState(kafka)
  }
  await producer.close()
  await kafka.close()
  const bareMedian = medianOf(bare)
  const detectorMedian = medianOf(detector.map(({ eventsPerSecond }) => eventsPerSecond))
  return {
    what:
      `${events.toLocaleString('en-US')} canonical events of ${Math.round(written.bytes / events)} bytes on average (seed ${SEED}), ${ORGANIZATIONS} organizations ` +
      `of ${PRINCIPALS} principals, ${PARTITIONS} partitions, one process each, ${rounds} alternating rounds, medians. Broker and readers share the machine.`,
    rows: [
      { figure: 'bare kafkajs consumer', unit: 'events/s', got: bareMedian, reach: null },
      { figure: 'detector', unit: 'events/s', got: detectorMedian, reach: null },
      { figure: 'detector / bare consumer', unit: '', got: detectorMedian / bareMedian, reach: { op: '>=', value: REACH_RATIO } },
      {
        figure: 'CPU of the detector for a million events',
        unit: 's',
        got: medianOf(detector.map((each) => each.cpuSecondsPerMillion)),
        reach: null,
      },
      { figure: 'snapshots in a round', unit: '', got: medianOf(detector.map((each) => each.snapshots)), reach: null },
      { figure: 'alert changes in a round', unit: '', got: medianOf(detector.map((each) => each.alertChanges)), reach: null },
    ],
  }
}

/** The built-in rules to every partition, then the events. */
async function writeLog(
  producer: Producer,
  count: number,
  say: (line: string) => void,
): Promise<{ readonly bytes: number; readonly controls: number }> {
  const topic = TOPICS.auditEvents.name
  const controls = rulePack().flatMap((rule) =>
    Array.from({ length: PARTITIONS }, (_, partition) => ({
      topic,
      partition,
      key: '',
      value: JSON.stringify({ kind: 'rule', rule }),
      headers: { [HEADERS.type]: 'control' },
    })),
  )
  await producer.send(controls)
  const source = eventSource({
    seed: SEED,
    organizations: ORGANIZATIONS,
    principals: PRINCIPALS,
    from: FROM,
    stepMs: COVERED_MS / count,
  })
  let bytes = 0
  let written = 0
  let saidAt = performance.now()
  while (written < count) {
    const batch = []
    for (let left = Math.min(EVENTS_A_SEND, count - written); left > 0; left--) {
      const { event, organization } = source()
      const value = JSON.stringify(event)
      bytes += value.length
      const headers = { [HEADERS.type]: 'event', [HEADERS.contentType]: 'application/json' }
      batch.push({ topic, partition: organization % PARTITIONS, key: event.organizationId, value, headers })
    }
    await producer.send(batch)
    written += batch.length
    if (performance.now() - saidAt > 2_000) {
      saidAt = performance.now()
      say(`${written.toLocaleString('en-US')} of ${count.toLocaleString('en-US')} events written`)
    }
  }
  return { bytes, controls: controls.length }
}

async function runBareRound(brokers: string, topic: string, group: string, records: number): Promise<number> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=TimeoutNegativeWarning', BARE, brokers, topic, group, String(records)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let text = ''
  for await (const part of child.stdout) text += String(part)
  const answer = JSON.parse(text) as { readonly records: number; readonly ms: number }
  return (answer.records / answer.ms) * 1_000
}

/** The next round begins at the log's beginning: without snapshots and without a group. */
async function forgetState(kafka: Kafka): Promise<void> {
  await deleteGroup(kafka, 'detector')
  await deleteTopic(kafka, TOPICS.detectorSnapshots.name)
  await ensureTopics(kafka, ALL_TOPICS, { partitions: PARTITIONS, replication: 1 })
}

function rulePack(): RuleRecord[] {
  return readdirSync(RULES)
    .filter((name) => name.endsWith('.yml'))
    .sort()
    .map((name) => {
      const content = readFileSync(`${RULES}${name}`, 'utf8')
      const hash = createHash('sha256').update(content).digest('hex')
      return { ruleId: `tocsin.${name.replace('.yml', '')}`, organizationId: null, version: 1, hash, state: 'active', content }
    })
}
