/**
 * One local process, kept running.
 *
 * 1. It is a process group of its own: Ctrl-C in the terminal reaches the launcher only, which ends things in order.
 * 2. When it dies without having been asked to, it is started again with the same command, port and data, after a pause that
 *    grows from 0.2 s to 5 s and starts anew once it has been up for 10 s.
 * 3. `stop` is orderly first and, after the limit, SIGKILL; it resolves when the process is gone.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { LocalFault } from './local-fault.ts'
import { pause, waitUntil } from './waiting.ts'

const FIRST_RESTART_MS = 200
const LONGEST_RESTART_MS = 5_000
const STEADY_AFTER_MS = 10_000
/** How much of a log is shown when a process does not come up. */
const LOG_TAIL_BYTES = 2_000

export interface ProcessSpec {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly uid?: number
  readonly gid?: number
  /** Standard output and standard error are appended to it. */
  readonly logFile: string
  readonly port: number
  /** With a channel to the launcher: the process ends itself when that breaks (libs/lifecycle). */
  readonly ipc?: boolean
  readonly stopSignal: NodeJS.Signals
  readonly stopLimitMs: number
  /** Asks the process whether it serves; a rejection means no. */
  readonly ready: () => Promise<boolean>
  readonly readyLimitMs: number
  /** How often it may die before it has been ready for the first time; after that it is always started again. */
  readonly earlyDeaths: number
}

export interface Supervision {
  /** Called on each start, for `.local/processes.json` and the warden. */
  readonly started: (spec: ProcessSpec, pid: number) => void
  readonly ended: (spec: ProcessSpec, pid: number) => void
  /** One line for the person at the terminal. */
  readonly say: (line: string) => void
  /** Aborted when everything is about to end: nothing is started any more, waiting for readiness rejects. */
  readonly signal: AbortSignal
}

export class SupervisedProcess {
  readonly spec: ProcessSpec
  readonly #supervision: Supervision
  #child: ChildProcess | undefined
  #wanted = false
  #restartMs = FIRST_RESTART_MS
  #lastExit = ''
  #wasReady = false
  /** Since it was ready last. */
  #deaths = 0

  constructor(spec: ProcessSpec, supervision: Supervision) {
    this.spec = spec
    this.#supervision = supervision
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts the process and resolves when it is ready; rejects with the end of its log when it dies first. */
  async start(): Promise<void> {
    if (!this.#child) {
      this.#wanted = true
      this.#spawn()
    }
    await this.ready()
  }

  /** Resolves when the process is ready, also after a restart. */
  async ready(limitMs = this.spec.readyLimitMs): Promise<void> {
    const { name } = this.spec
    await waitUntil(async () => this.#child !== undefined && (await this.spec.ready()), {
      what: `${name} to become ready (log: ${this.spec.logFile})`,
      limitMs,
      givenUp: () => {
        if (this.#supervision.signal.aborted) return new Error(`${name} was told to stop before it was ready`)
        if (this.#child || this.#wanted) return undefined
        const log = this.spec.logFile
        return new LocalFault(
          `${name} ${this.#lastExit || 'was stopped'} before it was ready; the end of ${log}:\n${logTail(log)}`,
        )
      },
    })
    this.#wasReady = true
    this.#deaths = 0
  }

  /** Sends a signal without any intention to keep the process down: guarantee 2 starts it again when it dies of it. */
  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  async stop(): Promise<void> {
    this.#wanted = false
    const child = this.#child
    if (!child) return
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    // A process that was paused (SIGSTOP) hears nothing else.
    child.kill('SIGCONT')
    child.kill(this.spec.stopSignal)
    const late = setTimeout(() => {
      this.#supervision.say(`${this.spec.name} did not end within ${this.spec.stopLimitMs / 1000} s and is killed`)
      child.kill('SIGKILL')
    }, this.spec.stopLimitMs)
    await gone
    clearTimeout(late)
  }

  #spawn(): void {
    const { spec } = this
    mkdirSync(dirname(spec.logFile), { recursive: true })
    const log = openSync(spec.logFile, 'a')
    const stdio: StdioOptions = spec.ipc ? ['ignore', log, log, 'ipc'] : ['ignore', log, log]
    const child = spawn(spec.command, [...spec.args], {
      stdio,
      detached: true,
      cwd: spec.cwd ?? '/',
      env: spec.env ?? process.env,
      ...(spec.uid === undefined ? {} : { uid: spec.uid }),
      ...(spec.gid === undefined ? {} : { gid: spec.gid }),
    })
    closeSync(log)
    this.#child = child
    const startedAt = performance.now()
    child.once('error', (error) => {
      if (child.pid !== undefined) return
      this.#lastExit = `could not be started (${error.message})`
      this.#child = undefined
      this.#wanted = false
    })
    if (child.pid === undefined) return
    const pid = child.pid
    this.#supervision.started(spec, pid)
    child.once('exit', (code, signal) => {
      this.#child = undefined
      this.#supervision.ended(spec, pid)
      this.#lastExit = signal ? `was ended by ${signal}` : `ended with code ${code}`
      this.#deaths += 1
      if (performance.now() - startedAt > STEADY_AFTER_MS) this.#restartMs = FIRST_RESTART_MS
      if (!this.#wasReady && this.#deaths > spec.earlyDeaths) this.#wanted = false
      if (this.#wanted && !this.#supervision.signal.aborted) void this.#restart()
    })
  }

  async #restart(): Promise<void> {
    const { name, logFile } = this.spec
    // One that cannot come up is told of now and then, not every few seconds.
    if (this.#deaths <= 2) this.#supervision.say(`${name} ${this.#lastExit}; starting it again`)
    else if (this.#deaths % 10 === 0) this.#supervision.say(`${name} has died ${this.#deaths} times in a row; see ${logFile}`)
    await pause(this.#restartMs)
    this.#restartMs = Math.min(this.#restartMs * 2, LONGEST_RESTART_MS)
    if (this.#wanted && !this.#child && !this.#supervision.signal.aborted) this.#spawn()
  }
}

function logTail(file: string): string {
  try {
    const start = Math.max(0, statSync(file).size - LOG_TAIL_BYTES)
    const tail = readFileSync(file).subarray(start).toString('utf8')
    return (start === 0 ? tail : tail.slice(tail.indexOf('\n') + 1)).trim()
  } catch {
    return '(no log)'
  }
}
