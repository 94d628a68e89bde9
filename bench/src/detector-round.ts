import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../services/detector/src/main.ts', import.meta.url))
/** Seldom enough that answering costs the detector nothing worth naming. */
const ASK_EVERY_MS = 250
const LIMIT_MS = 300_000

export interface DetectorRound {
  readonly eventsPerSecond: number
  /** CPU seconds of the process for a million events, garbage collection included. */
  readonly cpuSecondsPerMillion: number
  readonly snapshots: number
  readonly alertChanges: number
}

/** Starts the detector's own process on what lies in `audit.events`, and measures from its first records to the last of `wanted`. */
export async function runDetectorRound(
  brokers: string,
  prefix: string,
  wanted: number,
  nodeOptions: readonly string[] = [],
): Promise<DetectorRound> {
  const port = await freePort()
  const child = spawn(process.execPath, [...nodeOptions, MAIN], {
    env: {
      PATH: process.env['PATH'] ?? '',
      KAFKA_BROKERS: brokers,
      KAFKA_TOPIC_PREFIX: prefix,
      METRICS_PORT: String(port),
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const ended = once(child, 'exit')
  try {
    const until = performance.now() + LIMIT_MS
    let first: { readonly at: number; readonly figures: Figures } | undefined
    for (;;) {
      const asked = performance.now()
      const figures = await ask(port)
      // In the middle of question and answer.
      const at = (asked + performance.now()) / 2
      if (figures !== undefined && figures.records > 0) {
        first ??= { at, figures }
        if (figures.records >= wanted) {
          const events = figures.records - first.figures.records
          return {
            eventsPerSecond: (events / (at - first.at)) * 1_000,
            cpuSecondsPerMillion: ((figures.cpuSeconds - first.figures.cpuSeconds) / events) * 1_000_000,
            snapshots: figures.snapshots,
            alertChanges: figures.alertChanges,
          }
        }
      }
      if (asked > until || child.exitCode !== null)
        throw new Error(`the detector processed ${figures?.records ?? 0} of ${wanted} records`)
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
    }
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}

interface Figures {
  readonly records: number
  readonly cpuSeconds: number
  readonly snapshots: number
  readonly alertChanges: number
}

/** Undefined while the process does not answer. */
async function ask(port: number): Promise<Figures | undefined> {
  const text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
    (response) => response.text(),
    () => undefined,
  )
  if (text === undefined) return undefined
  const sum = (name: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  return {
    records: sum('tocsin_detector_records_total'),
    cpuSeconds: sum('process_cpu_seconds_total'),
    snapshots: sum('tocsin_detector_snapshots_total'),
    alertChanges: sum('tocsin_detector_alert_changes_total'),
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
