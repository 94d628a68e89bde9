/**
 * When an API key was last used, to the minute: noted in Redis by whichever service was shown the key, read by persistence. A
 * convenience: what Redis loses is shown as not known.
 */
import type { RedisHandle } from './connection.ts'

const KEY_PREFIX = 'tocsin:key-used:'
const NOTE_EVERY_MS = 60_000
const KEEP_SECONDS = 400 * 86_400
const MAX_NOTED = 50_000

export interface KeyUse {
  /** Costs one command a minute and key; never waits, never fails. */
  note(keyId: string): void
  /** RFC 3339, by id; absent where it is not known. */
  lastUsed(keyIds: readonly string[]): Promise<ReadonlyMap<string, string>>
}

/** `clock`: ms since 1970. */
export function createKeyUse(redis: Pick<RedisHandle, 'attempt'>, clock: () => number): KeyUse {
  const noted = new Map<string, number>()
  return {
    note: (keyId) => {
      const now = clock()
      if (now - (noted.get(keyId) ?? 0) < NOTE_EVERY_MS) return
      if (noted.size >= MAX_NOTED) noted.clear()
      noted.set(keyId, now)
      redis
        .attempt((client) => client.set(`${KEY_PREFIX}${keyId}`, String(now), 'EX', KEEP_SECONDS))
        .catch(() => noted.delete(keyId))
    },
    lastUsed: async (keyIds) => {
      if (keyIds.length === 0) return new Map()
      const names = keyIds.map((id) => `${KEY_PREFIX}${id}`)
      const found = await redis.attempt((client) => client.mget(names)).catch(() => [])
      const known = keyIds.flatMap((id, at): [string, string][] => {
        const ms = Number(found[at] ?? Number.NaN)
        return Number.isSafeInteger(ms) ? [[id, new Date(ms).toISOString()]] : []
      })
      return new Map(known)
    },
  }
}
