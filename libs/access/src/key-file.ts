import { randomUUID } from 'node:crypto'
import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { messageOf } from '@tocsin/errors'
import { activeAt, KEY_RINGS, type KeyRing, type KeyRingName, type Keys, loadKeyRing, openingAt } from './key-ring.ts'

/** A service has a changed file at most so long after its change; a mounted secret changes later than the secret itself. */
const LOOK_EVERY_MS = 2_000

/** A KEYS_FILE that is read again whenever it changes. */
export interface FollowedKeyRing {
  /** Always of the newest file that could be read, and without keys that have ended; may be kept and handed on. */
  readonly ring: KeyRing
  stop(): void
}

/**
 * Reads the file and looks every two seconds whether it has changed. Rejects like loadKeyRing; a later file that cannot be read is
 * told to `onFault` once and the one before it stays in force.
 */
export async function followKeyRing(
  path: string,
  options: { readonly onFault: (reason: string) => void; readonly clock?: () => number },
): Promise<FollowedKeyRing> {
  const { clock = Date.now } = options
  let seen = await stampOf(path)
  let file = await loadKeyRing(path)
  const look = async () => {
    const stamp = await stampOf(path)
    if (stamp === seen) return
    seen = stamp
    file = await loadKeyRing(path)
  }
  let told = ''
  const timer = setInterval(() => {
    look().then(
      () => {
        told = ''
      },
      (error: unknown) => {
        const reason = messageOf(error)
        if (reason !== told) options.onFault(reason)
        told = reason
      },
    )
  }, LOOK_EVERY_MS)
  timer.unref()
  const view = (name: KeyRingName): Keys<unknown> => ({
    get active() {
      return activeAt(file[name], clock())
    },
    get keys() {
      return openingAt<object & { readonly validUntil?: string }>(file[name], clock())
    },
  })
  return {
    ring: Object.fromEntries(KEY_RINGS.map((name) => [name, view(name)])) as unknown as KeyRing,
    stop: () => clearInterval(timer),
  }
}

/** Replaces the file at once, so that nobody reads half of it; only its owner may read it. */
export async function writeKeyRing(path: string, ring: KeyRing): Promise<void> {
  const partial = `${path}.${randomUUID()}`
  try {
    await writeFile(partial, JSON.stringify(ring), { mode: 0o600, flush: true })
    await rename(partial, path)
  } finally {
    await rm(partial, { force: true })
  }
}

/** Differs where the file was replaced or written. A mounted secret is a link to another file after each change. */
async function stampOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => null)
  return found === null ? 'missing' : `${found.dev}/${found.ino}/${found.size}/${found.ctimeNs}`
}
