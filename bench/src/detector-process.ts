/** The detector's real process, and what it says of itself. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { own } from './child.ts'
import { freePort } from './free-port.ts'

const MAIN = fileURLToPath(new URL('../../services/detector/src/main.ts', import.meta.url))
/** Seldom enough that answering costs the detector nothing worth naming. */
const ASK_EVERY_MS = 100
const LIMIT_MS = 300_000

/** What /metrics says, and when. */
export interface Figures {
  /** `performance.now()` in the middle of question and answer. */
  readonly at: number
  readonly records: number
  readonly cpuSeconds: number
  readonly snapshots: number
  readonly alertChanges: number
  readonly groups: number
  readonly heldEvents: number
}

export interface Cost {
  readonly eventsPerSecond: number
  /** CPU microseconds of the process for an event, garbage collection included. */
  readonly cpuMicroseconds: number
}

export interface DetectorProcess {
  /** Resolves with the first figures that tell of at least that many records. */
  reach(records: number): Promise<Figures>
  /** Resident memory in MiB: now, and the most it ever was. */
  memory(): { readonly resident: number; readonly peak: number }
  stop(): Promise<void>
  /** kill -9. */
  kill(): void
}

export function startDetector(
  brokers: string,
  prefix: string,
  options: { readonly nodeOptions?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<DetectorProcess> {
  return freePort().then((port) => {
    const child = own(
      spawn(process.execPath, [...(options.nodeOptions ?? []), MAIN], {
        env: {
          PATH: process.env['PATH'] ?? '',
          KAFKA_BROKERS: brokers,
          KAFKA_TOPIC_PREFIX: prefix,
          METRICS_PORT: String(port),
          LOG_LEVEL: 'error',
          ...options.env,
        },
        stdio: ['ignore', 'inherit', 'inherit'],
      }),
    )
    const ended = once(child, 'exit')
    return {
      reach: async (records) => {
        const until = performance.now() + LIMIT_MS
        for (;;) {
          const figures = await ask(port)
          if (figures !== undefined && figures.records >= records) return figures
          if (performance.now() > until || child.exitCode !== null || child.signalCode !== null)
            throw new Error(`the detector processed ${figures?.records ?? 0} of ${records} records`)
          await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
        }
      },
      memory: () => memoryOf(child.pid ?? 0),
      stop: async () => {
        child.kill('SIGTERM')
        await ended
      },
      kill: () => void child.kill('SIGKILL'),
    }
  })
}

export const costBetween = (from: Figures, to: Figures): Cost => ({
  eventsPerSecond: ((to.records - from.records) / (to.at - from.at)) * 1_000,
  cpuMicroseconds: ((to.cpuSeconds - from.cpuSeconds) / (to.records - from.records)) * 1_000_000,
})

/** Undefined while the process does not answer. */
async function ask(port: number): Promise<Figures | undefined> {
  const asked = performance.now()
  const text = await fetch(`http://127.0.0.1:${port}/metrics`).then(
    (response) => response.text(),
    () => undefined,
  )
  if (text === undefined) return undefined
  const at = (asked + performance.now()) / 2
  const sum = (name: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  const held = (figure: string) =>
    Number(new RegExp(`^tocsin_detector_engine_held\\{.*figure="${figure}".*\\} (.*)$`, 'm').exec(text)?.[1] ?? Number.NaN)
  return {
    at,
    records: sum('tocsin_detector_records_total'),
    cpuSeconds: sum('process_cpu_seconds_total'),
    snapshots: sum('tocsin_detector_snapshots_total'),
    alertChanges: sum('tocsin_detector_alert_changes_total'),
    groups: held('groups'),
    heldEvents: held('heldEvents'),
  }
}

/** Linux only, as the reach is about resident memory. */
function memoryOf(pid: number): { readonly resident: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mebibytes = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024
  return { resident: mebibytes('VmRSS'), peak: mebibytes('VmHWM') }
}
