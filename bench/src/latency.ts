/**
 * From the broker's append of the event that opens an alert to the append of the alert, both by the broker's clock, at a steady rate of events. The
 * detector has a state before, and writes snapshots in the meantime, more often than it does by default.
 */
import { type AlertFigures, HEADERS, TOPICS } from '@tocsin/contracts'
import { followTopic, headerOf } from '@tocsin/kafka'
import type { BenchContext, PartResult } from './bench.ts'
import { startDetector } from './detector-process.ts'
import { type EventSource, peerEvents } from './events.ts'
import { BenchLog, eventRecord } from './log.ts'
import { quantileOf } from './report.ts'

const RATE = 5_000
const TICK_MS = 10
const LIVE_MS = 45_000
const BEFORE = 200_000
/** Of a partition. By default 200,000 records or two minutes: a run of this length would see none. */
const SNAPSHOT_MIN_RECORDS = 15_000

export async function benchLatency({ brokers, say }: BenchContext): Promise<PartResult> {
  const log = await BenchLog.create(brokers, say)
  const source = peerEvents()
  await log.write(source, BEFORE)
  const appended: number[] = []
  const received: number[] = []
  let since = Number.POSITIVE_INFINITY
  const alerts = followTopic({
    kafka: log.kafka,
    topic: TOPICS.alerts.name,
    onRecord: (record) => {
      const at = Date.now()
      if (record.appendTime < since || record.value === null || headerOf(record, HEADERS.type) !== 'alert.created') return
      // Log time of the opening record, which is its append time.
      const opened = Date.parse((JSON.parse(record.value.toString()) as AlertFigures).createdAt)
      if (opened < since) return
      appended.push(record.appendTime - opened)
      received.push(at - opened)
    },
  })
  const detector = await startDetector(brokers, log.prefix, { env: { SNAPSHOT_MIN_RECORDS: String(SNAPSHOT_MIN_RECORDS) } })
  try {
    await detector.reach(BEFORE)
    await alerts.caughtUp
    await alerts.catchUp()
    const before = await detector.reach(BEFORE)
    since = Date.now()
    const sent = await sendSteadily(log, source)
    const after = await detector.reach(BEFORE + sent)
    await alerts.catchUp()
    return {
      what:
        `Latency: ${RATE.toLocaleString('en-US')} events/s for ${LIVE_MS / 1_000} s after ${BEFORE.toLocaleString('en-US')} at once; the same events as above, 4 partitions; ` +
        `append time of the opening event to append time of alert.created; snapshots each ${SNAPSHOT_MIN_RECORDS.toLocaleString('en-US')} records of a partition.`,
      rows: [
        { figure: 'latency: rate of events', unit: 'events/s', got: (sent / LIVE_MS) * 1_000, reach: null },
        { figure: 'latency: alerts opened', unit: '', got: appended.length, reach: null },
        { figure: 'latency: snapshots meanwhile', unit: '', got: after.snapshots - before.snapshots, reach: null },
        { figure: 'event accepted → alert on `alerts`, p50', unit: 'ms', got: quantileOf(appended, 0.5), reach: null },
        {
          figure: 'event accepted → alert on `alerts`, p99',
          unit: 'ms',
          got: quantileOf(appended, 0.99),
          reach: { op: '<=', value: 150 },
        },
        { figure: 'event accepted → alert on `alerts`, largest', unit: 'ms', got: quantileOf(appended, 1), reach: null },
        { figure: 'event accepted → a consumer has the alert, p99', unit: 'ms', got: quantileOf(received, 0.99), reach: null },
      ],
    }
  } finally {
    await detector.stop()
    await alerts.stop()
    await log.close()
  }
}

/** Resolves with how many, once all are acknowledged. */
async function sendSteadily(log: BenchLog, source: EventSource): Promise<number> {
  const begun = performance.now()
  const sends: Promise<unknown>[] = []
  let sent = 0
  for (;;) {
    const elapsed = Math.min(performance.now() - begun, LIVE_MS)
    const due = Math.floor((elapsed / 1_000) * RATE)
    if (due > sent) sends.push(log.producer.send(Array.from({ length: due - sent }, () => eventRecord(source()))))
    sent = due
    if (elapsed >= LIVE_MS) break
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
  await Promise.all(sends)
  return sent
}
