import { type ChildProcess, fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import { waitFor } from '@tocsin/testing'

const MAIN = new URL('../src/main.ts', import.meta.url).pathname
const LIMIT_MS = 60_000

/** An instance of the service as a process of its own, to be killed. */
export interface InstanceProcess {
  readonly port: number
  /** Everything it logged so far. */
  readonly log: () => string
  /** Resolves when it is gone; with its exit code, null where a signal ended it. */
  readonly end: (signal: 'SIGKILL' | 'SIGTERM') => Promise<number | null>
}

/** Resolves once it is ready. */
export async function startInstanceProcess(env: NodeJS.ProcessEnv): Promise<InstanceProcess> {
  const child = fork(MAIN, {
    env: { ...process.env, ...env, LOG_LEVEL: 'debug', PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const gone = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const lines = linesOf(child)
  const port = await waitFor(
    () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${lines.slice(-3).join('\n')}`)
      const ready = lines.find((line) => line.includes('persistence is ready'))
      return ready !== undefined && (JSON.parse(ready) as { port: number }).port
    },
    { limitMs: LIMIT_MS, what: 'an instance' },
  )
  return {
    port,
    log: () => lines.join('\n'),
    end: (signal) => {
      child.kill(signal)
      return gone
    },
  }
}

function linesOf({ stdout }: ChildProcess): string[] {
  const lines: string[] = []
  if (stdout === null) throw new Error('the process has no standard output')
  createInterface({ input: stdout }).on('line', (line) => lines.push(line))
  return lines
}
