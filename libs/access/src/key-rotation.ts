/**
 * How a ring gets a new key and loses an old one. Pure, but for the new key's randomness.
 *
 * 1. A new key opens at once and makes only later (`next.at`): by then every service has read it, so that no service is handed
 *    anything that it cannot open.
 * 2. The one before it goes on opening for as long as anything that it made may live.
 */
import { activeAt, generateKeyFor, type KeyRing, type KeyRingName, openingAt } from './key-ring.ts'

const DAY_MS = 86_400_000

/**
 * Days for which a replaced key still opens; null: until it is retired by hand. Tokens: the longest that is issued is the one of a
 * development installation, for a year. Cursors: `alerts` keeps 30 days. Cookies: SESSION_HOURS is far below. Data keys are wrapped
 * anew in the background, however long that takes, and heads of the history are verified for ever.
 */
export const OVERLAP_DAYS: Readonly<Record<KeyRingName, number | null>> = {
  tokens: 366,
  cursors: 31,
  cookies: 31,
  services: 1,
  fields: null,
  history: null,
}

/** The ring file with a new key in the ring `name`, active from `now + activateAfterMs` on; keys that have ended are left out. */
export async function rotateKey(
  file: KeyRing,
  name: KeyRingName,
  { now, activateAfterMs }: { readonly now: number; readonly activateAfterMs: number },
): Promise<{ readonly file: KeyRing; readonly id: string }> {
  const ring = file[name]
  const active = activeAt(ring, now)
  const at = now + activateAfterMs
  const overlap = OVERLAP_DAYS[name]
  const kept = Object.entries(openingAt<object & { validUntil?: string }>(ring, now)).map(([id, key]) => {
    const ends = id === active && overlap !== null
    return [id, ends ? { ...key, validUntil: new Date(at + overlap * DAY_MS).toISOString() } : key]
  })
  const id = `k${1 + Math.max(...Object.keys(ring.keys).map((each) => Number(/^k(\d+)$/.exec(each)?.[1] ?? 0)))}`
  const keys = { ...Object.fromEntries(kept), [id]: await generateKeyFor(name) }
  return { file: { ...file, [name]: { active, keys, next: { id, at: new Date(at).toISOString() } } }, id }
}

/** Without the key `id`: whatever it made no longer opens. The active one cannot go, nor one that is not there. */
export function retireKey(
  file: KeyRing,
  name: KeyRingName,
  id: string,
  now: number,
): { readonly file: KeyRing } | { readonly refused: 'active' | 'unknown' } {
  const ring = file[name]
  const active = activeAt(ring, now)
  if (!Object.hasOwn(ring.keys, id)) return { refused: 'unknown' }
  if (id === active) return { refused: 'active' }
  const keys = Object.fromEntries(Object.entries<unknown>(ring.keys).filter(([each]) => each !== id))
  const next = ring.next !== undefined && ring.next.id !== id && ring.next.id !== active ? { next: ring.next } : {}
  return { file: { ...file, [name]: { active, keys, ...next } } as KeyRing }
}
