/**
 * From the start of a detector's process, right after kill -9 of the one before, to being live again, with a million live groups and events that keep
 * coming. Live: a probe, an event that opens an alert by itself, has its alert within half a second; of each partition. The kill falls as late
 * as it can before the next snapshots, so that as much as can be is to be done again.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { HEADERS, TOPICS } from '@tocsin/contracts'
import { committedOffset, followTopic, headerOf } from '@tocsin/kafka'
import type { BenchContext, PartResult } from './bench.ts'
import { startDetector } from './detector-process.ts'
import { type BenchEvent, type EventSource, peerEvents, readEvents } from './events.ts'
import { BenchLog, eventRecord } from './log.ts'

const GROUPS = 1_000_000
const ORGANIZATIONS = 200
const PARTITIONS = 4
const RATE = 5_000
const TICK_MS = 10
const PROBE_EVERY_MS = 200
const PROMPT_MS = 500
/** Longer than the longest pause between two snapshots of a partition. */
const WATCHED_MS = 150_000
/** Of the most that was to be done again. */
const NEARLY = 0.97
const LOOK_EVERY_MS = 1_000
const SNAPSHOT_LIMIT_MS = 480_000
const LIVE_LIMIT_MS = 120_000

export async function benchRecovery({ brokers, say }: BenchContext): Promise<PartResult> {
  const log = await BenchLog.create(brokers, say)
  const perOrganization = GROUPS / ORGANIZATIONS
  await log.write(
    readEvents((index) => ({
      organization: index % ORGANIZATIONS,
      principal: Math.floor(index / ORGANIZATIONS) % perOrganization,
    })),
    GROUPS,
  )
  const filled = await log.kafka.topicOffsets(TOPICS.auditEvents.name)
  const first = await startDetector(brokers, log.prefix)
  const probes = new Probes(log)
  let second: Awaited<ReturnType<typeof startDetector>> | undefined
  const stopping = new AbortController()
  try {
    const { groups } = await first.reach(GROUPS)
    say(`${Math.round(groups).toLocaleString('en-US')} groups are live, waiting for their snapshots`)
    const load = sendSteadily(log, peerEvents(), stopping.signal)
    load.catch(() => {})
    await untilCommitted(log, filled)
    const { peak } = first.memory()
    say(`snapshots are there, ${WATCHED_MS / 1_000} s more at ${RATE.toLocaleString('en-US')} events/s`)
    const replayed = await untilMost(log)
    const { resident } = first.memory()
    first.kill()
    const begun = performance.now()
    second = await startDetector(brokers, log.prefix)
    const live = await probes.promptSince(begun, LIVE_LIMIT_MS)
    stopping.abort()
    await load
    say(`live again after ${live.map((ms) => (ms / 1_000).toFixed(1)).join(', ')} s, by partition`)
    return {
      what:
        `Recovery: ${GROUPS.toLocaleString('en-US')} groups of one event each in ${ORGANIZATIONS} organizations, then ${RATE.toLocaleString('en-US')} events/s; kill -9 ` +
        `when nearly the most since their last snapshots is to be done again, of ${WATCHED_MS / 1_000} s; session timeout 6 s; live when an event has its alert within ${PROMPT_MS} ms on each of ${PARTITIONS} partitions.`,
      rows: [
        { figure: 'recovery: groups before the kill', unit: '', got: groups, reach: null },
        { figure: 'recovery: resident memory at most, until the snapshots of all groups', unit: 'MiB', got: peak, reach: null },
        { figure: 'recovery: resident memory before the kill', unit: 'MiB', got: resident, reach: null },
        { figure: 'recovery: records since the snapshots', unit: '', got: replayed, reach: null },
        {
          figure: 'recovery after kill -9, from process start to live',
          unit: 's',
          got: Math.max(...live) / 1_000,
          reach: { op: '<=', value: 15 },
        },
      ],
    }
  } finally {
    stopping.abort()
    first.kill()
    await second?.stop()
    await probes.stop()
    await log.close()
  }
}

async function untilCommitted(log: BenchLog, filled: ReadonlyMap<number, { readonly end: bigint }>): Promise<void> {
  const until = performance.now() + SNAPSHOT_LIMIT_MS
  for (const [partition, { end }] of filled)
    while ((await committed(log, partition)) < end) {
      if (performance.now() > until) throw new Error(`partition ${partition} has no snapshot of all groups`)
      await delay(500)
    }
}

/** Resolves with the records since the snapshots, when they are nearly the most that they were in the time before. */
async function untilMost(log: BenchLog): Promise<number> {
  const begun = performance.now()
  for (let most = 0; ; await delay(LOOK_EVERY_MS)) {
    const since = (await totalOf(log, 'end')) - (await totalOf(log, 'committed'))
    const passed = performance.now() - begun
    if (passed > WATCHED_MS && (since >= NEARLY * most || passed > 2 * WATCHED_MS)) return since
    most = Math.max(most, since)
  }
}

const committed = async (log: BenchLog, partition: number): Promise<bigint> =>
  (await committedOffset(log.kafka, 'detector', { topic: TOPICS.auditEvents.name, partition }))?.next ?? 0n

async function totalOf(log: BenchLog, which: 'end' | 'committed'): Promise<number> {
  const offsets = await log.kafka.topicOffsets(TOPICS.auditEvents.name)
  let total = 0
  for (const [partition, { end }] of offsets) total += Number(which === 'end' ? end : await committed(log, partition))
  return total
}

async function sendSteadily(log: BenchLog, source: EventSource, signal: AbortSignal): Promise<void> {
  const begun = performance.now()
  const sends: Promise<unknown>[] = []
  for (let sent = 0; !signal.aborted; await delay(TICK_MS)) {
    const due = Math.floor(((performance.now() - begun) / 1_000) * RATE)
    if (due > sent) sends.push(log.producer.send(Array.from({ length: due - sent }, () => eventRecord(source()))))
    sent = due
  }
  await Promise.all(sends)
}

/** Sends an event that opens an alert to each partition in turn, and waits for these alerts. */
class Probes {
  readonly #sent = new Map<string, { readonly at: number; readonly partition: number }>()
  readonly #prompt = new Map<number, number>()
  readonly #alerts: ReturnType<typeof followTopic>
  readonly #log: BenchLog
  readonly #timer: NodeJS.Timeout
  #since = Number.POSITIVE_INFINITY
  #count = 0

  constructor(log: BenchLog) {
    this.#log = log
    this.#alerts = followTopic({
      kafka: log.kafka,
      topic: TOPICS.alerts.name,
      onRecord: (record) => {
        if (headerOf(record, HEADERS.type) !== 'alert.created' || record.value === null) return
        const { group } = JSON.parse(record.value.toString()) as { group: { principalId?: string } }
        const probe = this.#sent.get(group.principalId ?? '')
        if (probe === undefined || probe.at < this.#since || performance.now() - probe.at > PROMPT_MS) return
        if (!this.#prompt.has(probe.partition)) this.#prompt.set(probe.partition, performance.now() - this.#since)
      },
    })
    this.#timer = setInterval(() => void this.#send(), PROBE_EVERY_MS)
  }

  /** Milliseconds from `begun` to the first prompt alert, of each partition. */
  async promptSince(begun: number, limitMs: number): Promise<number[]> {
    this.#prompt.clear()
    this.#since = begun
    while (this.#prompt.size < PARTITIONS) {
      if (performance.now() - begun > limitMs) throw new Error(`not live again within ${limitMs / 1_000} s`)
      await delay(20)
    }
    return [...this.#prompt.values()]
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#alerts.stop()
  }

  async #send(): Promise<void> {
    const round = this.#count++
    const template = peerEvents()().event
    await this.#log.producer
      .send(
        Array.from({ length: PARTITIONS }, (_, partition) => {
          const principalId = `probe-${round}-${partition}`
          this.#sent.set(principalId, { at: performance.now(), partition })
          return eventRecord({ ...probeOf(template, principalId), organization: partition })
        }),
      )
      .catch(() => {})
  }
}

const probeOf = (template: BenchEvent['event'], principalId: string): Omit<BenchEvent, 'organization'> => ({
  key: principalId,
  event: {
    ...template,
    id: principalId,
    principalId,
    timestamp: new Date().toISOString(),
    action: 'data.export',
    status: 'success',
    outcome: 'success',
    category: 'data',
    operation: 'export',
    recordCount: 1_000,
  },
})
