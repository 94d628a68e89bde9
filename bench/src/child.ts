/** Programs that a bench starts; none outlives it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

export interface ChildOptions {
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Then it is killed, milliseconds. */
  readonly limitMs: number
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Keeps `child` from outliving the bench. */
export function own<T extends ChildProcess>(child: T): T {
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** Its standard output. Rejects when it cannot be started, does not end in time, or ends with another code than 0. */
export async function outputOf(command: string, { args, env, cwd, limitMs }: ChildOptions): Promise<string> {
  const child = own(
    spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(env && { env }), ...(cwd !== undefined && { cwd }) }),
  )
  let output = ''
  let complaints = ''
  child.stdout.on('data', (piece) => {
    output += String(piece)
  })
  child.stderr.on('data', (piece) => {
    complaints = (complaints + String(piece)).slice(-2_000)
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
  const [code, signal] = (await once(child, 'close').finally(() => clearTimeout(timer))) as [number | null, string | null]
  if (code !== 0) throw new Error(`${command} ended with ${code ?? signal}: ${complaints.trim() || output.slice(-500)}`)
  return output
}

/** CPU seconds of all children of this process that have ended (Linux; in hundredths). */
export function cpuSecondsOfChildren(): number {
  // Fields 16 and 17 of proc(5) `stat`, counted after the name, which may hold spaces.
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[13]) + Number(fields[14])) / 100
}
