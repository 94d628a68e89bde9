/**
 * Free ports for local processes.
 *
 * 1. A port lies outside the range from which the kernel takes the near end of outgoing connections; a server that dies can
 *    therefore be started again on its port, which no client of something else has taken meanwhile.
 * 2. A port is tested by binding it.
 * 3. The ports of the last run are tried first, so that bookmarks and clients stay valid.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'

const FIRST = 10_000
const LAST = 30_000
const TRIES = 500

/** Chosen by this process before, and perhaps not bound yet. */
const claimed = new Set<number>()

export type Ports<Name extends string> = Record<Name, number>

/** Chooses one port for each name. `file` remembers them (guarantee 3); it may be absent or damaged. */
export async function choosePorts<Name extends string>(names: readonly Name[], file?: string): Promise<Ports<Name>> {
  const remembered = file ? readRemembered(file) : {}
  const taken = new Set<number>()
  const chosen: Partial<Ports<Name>> = {}
  for (const name of names) {
    const before = remembered[name]
    const port = before !== undefined && !taken.has(before) && (await isFree(before)) ? before : await findFree(taken)
    taken.add(port)
    chosen[name] = port
  }
  // Read again: another call may have chosen meanwhile.
  if (file) writeFileSync(file, `${JSON.stringify({ ...readRemembered(file), ...chosen }, null, 2)}\n`)
  return chosen as Ports<Name>
}

async function findFree(taken: ReadonlySet<number>): Promise<number> {
  const allowed = outsideEphemeral()
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const port = allowed[Math.floor(Math.random() * allowed.length)]
    if (port === undefined || taken.has(port) || claimed.has(port)) continue
    claimed.add(port)
    if (await isFree(port)) return port
  }
  throw new Error(`no free port between ${FIRST} and ${LAST} after ${TRIES} tries`)
}

/** Guarantee 1. On systems that do not say, the usual ranges (Linux 32768, macOS and Windows 49152) lie above LAST. */
function outsideEphemeral(): number[] {
  let low = 32_768
  let high = 60_999
  try {
    const [from, to] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/).map(Number)
    if (from !== undefined && to !== undefined) [low, high] = [from, to]
  } catch {
    // Not Linux.
  }
  const all = Array.from({ length: LAST - FIRST }, (_, index) => FIRST + index)
  const outside = all.filter((port) => port < low || port > high)
  return outside.length > TRIES ? outside : all
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}

function readRemembered(file: string): Record<string, number> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof value !== 'object' || value === null) return {}
    return Object.fromEntries(Object.entries(value).filter(([, port]) => Number.isInteger(port)))
  } catch {
    return {}
  }
}
