/**
 * Which processes a start has running, on disk, so that none outlives it.
 *
 * 1. A process is noted as soon as it has a pid, and its note is removed when it has ended.
 * 2. When the launcher dies without ending its processes (kill -9), a small second process, the warden, ends them; where that one
 *    was killed too, the next start does.
 * 3. Only a process that is still the noted one (start time and boot) is ever signalled.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { processIdentity } from './process-identity.ts'
import { waitUntil } from './waiting.ts'

const WARDEN = fileURLToPath(new URL('./warden.ts', import.meta.url))
/** Services end by themselves when their launcher is gone; then what they write to is asked, then everything is killed. */
const SERVICES_LIMIT_MS = 4_000
const INFRASTRUCTURE_LIMIT_MS = 5_000
const INFRASTRUCTURE: ReadonlySet<string> = new Set(['kafka', 'postgres', 'redis'])

export interface RegisteredProcess {
  readonly pid: number
  /** `processIdentity` of that pid when it was started. */
  readonly identity: string
  readonly port: number
  /** Path of its log file. */
  readonly log: string
}

export type RegisteredProcesses = Record<string, RegisteredProcess>

export class ProcessRegister {
  readonly file: string
  readonly #processes: RegisteredProcesses = {}
  #warden: ChildProcess | undefined

  constructor(file: string) {
    this.file = file
    mkdirSync(dirname(file), { recursive: true })
  }

  add(name: string, pid: number, place: { readonly port: number; readonly log: string }): void {
    const identity = processIdentity(pid)
    // Dead already: its end is about to be told.
    if (identity === undefined) return
    this.#processes[name] = { pid, identity, port: place.port, log: place.log }
    this.#write()
  }

  remove(name: string, pid: number): void {
    if (this.#processes[name]?.pid !== pid) return
    delete this.#processes[name]
    this.#write()
  }

  /** Starts the warden (guarantee 2). `removeAfter`: a folder that it removes when it had to act. */
  startWarden(removeAfter?: string): void {
    const args = [WARDEN, this.file, ...(removeAfter === undefined ? [] : [removeAfter])]
    this.#warden = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'], cwd: '/' })
    this.#warden.unref()
    this.#warden.channel?.unref()
  }

  /** Everything has ended in order: the warden goes, too. Resolves when it is gone. */
  async close(): Promise<void> {
    rmSync(this.file, { force: true })
    const warden = this.#warden
    if (!warden || warden.exitCode !== null || warden.signalCode !== null) return
    const gone = new Promise<void>((resolve) => warden.once('exit', () => resolve()))
    warden.ref()
    warden.kill('SIGKILL')
    await gone
  }

  #write(): void {
    writeFileSync(`${this.file}.new`, `${JSON.stringify(this.#processes, null, 2)}\n`)
    chmodSync(`${this.file}.new`, 0o600)
    renameSync(`${this.file}.new`, this.file)
  }
}

/** Ends what a register of an earlier launcher still names; resolves with how many processes that were. */
export async function endLeftovers(file: string): Promise<number> {
  const left = Object.entries(readRegister(file)).filter(([, each]) => isSame(each))
  const infrastructure = left.filter(([name]) => INFRASTRUCTURE.has(name))
  const services = left.filter(([name]) => !INFRASTRUCTURE.has(name))
  await end(services, 'SIGTERM', SERVICES_LIMIT_MS)
  await end(infrastructure, 'SIGINT', INFRASTRUCTURE_LIMIT_MS)
  rmSync(file, { force: true })
  return left.length
}

export function readRegister(file: string): RegisteredProcesses {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RegisteredProcesses
  } catch {
    return {}
  }
}

async function end(processes: readonly [string, RegisteredProcess][], signal: NodeJS.Signals, limitMs: number): Promise<void> {
  const send = (wanted: NodeJS.Signals) => {
    for (const [, each] of processes) if (isSame(each)) signalTo(each.pid, wanted)
  }
  send('SIGCONT')
  send(signal)
  const gone = () => processes.every(([, each]) => !isSame(each))
  try {
    await waitUntil(gone, { limitMs, what: 'processes to end' })
  } catch {
    send('SIGKILL')
    await waitUntil(gone, { limitMs, what: 'killed processes to be gone' })
  }
}

/** Guarantee 3. */
function isSame(each: RegisteredProcess): boolean {
  return processIdentity(each.pid) === each.identity
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It may have ended since it was looked at.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
