import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** None outlives the process that started it, however that ends. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** The detector as it runs in an installation: a process of its own, that a test may kill. */
export interface DetectorProcess {
  readonly pid: number
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>
  /** JSON lines of its log, as far as they have come. */
  readonly lines: readonly string[]
  kill(signal: NodeJS.Signals): Promise<number | string>
}

export function startDetectorProcess(
  brokers: string,
  prefix: string,
  env: Readonly<Record<string, string>> = {},
): DetectorProcess {
  const child: ChildProcess = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env['PATH'] ?? '',
      TOCSIN_ENV: 'development',
      KAFKA_BROKERS: brokers,
      KAFKA_TOPIC_PREFIX: prefix,
      LOG_LEVEL: 'debug',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n')
      rest = parts.pop() ?? ''
      lines.push(...parts)
    })
  }
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string)
  return {
    pid: child.pid ?? 0,
    ended,
    lines,
    kill: async (signal) => {
      child.kill(signal)
      return ended
    },
  }
}
