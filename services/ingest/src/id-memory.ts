/**
 * Which events were accepted within a day, with a hash of what they said. In Redis, written only after the broker's
 * acknowledgement; losing it costs only the label `duplicate`, because the detector counts an id once.
 */
import { createHash } from 'node:crypto'
import type { RedisHandle } from '@tocsin/redis'

export interface Remembered {
  readonly id: string
  /** SHA-256, hex; its first CONTENT_CHARACTERS are kept. */
  readonly contentHash: string
}

export interface IdMemory {
  /** What is remembered of each id, in order (`sameContent` compares it), or undefined as a whole while Redis is away. */
  recall(organizationId: string, ids: readonly string[]): Promise<readonly (string | null)[] | undefined>
  /** Keeps what was there first. Never rejects. */
  remember(organizationId: string, events: readonly Remembered[]): Promise<void>
}

/** 128 bits of an id's hash name its key, 64 bits of the content's tell another body: short, because there may be a hundred million. */
const KEY_BYTES = 16
const CONTENT_CHARACTERS = 16
const BATCH = 1_000

export const sameContent = (kept: string, contentHash: string): boolean => kept === contentHash.slice(0, CONTENT_CHARACTERS)

export function createIdMemory(options: {
  readonly redis: RedisHandle
  readonly keyPrefix: string
  readonly seconds: number
}): IdMemory {
  const { redis, seconds } = options
  const keyOf = (organizationId: string, id: string) =>
    `${options.keyPrefix}id:${createHash('sha256').update(`${organizationId}\n${id}`).digest().subarray(0, KEY_BYTES).toString('base64url')}`
  return {
    recall: async (organizationId, ids) => {
      if (!redis.isUp()) return undefined
      try {
        const kept: (string | null)[] = []
        for (let from = 0; from < ids.length; from += BATCH) {
          const keys = ids.slice(from, from + BATCH).map((id) => keyOf(organizationId, id))
          kept.push(...(await redis.attempt((client) => client.mget(keys))))
        }
        return kept
      } catch {
        return undefined
      }
    },
    remember: async (organizationId, events) => {
      if (!redis.isUp()) return
      try {
        for (let from = 0; from < events.length; from += BATCH) {
          await redis.attempt((client) => {
            const pipeline = client.pipeline()
            for (const { id, contentHash } of events.slice(from, from + BATCH))
              pipeline.set(keyOf(organizationId, id), contentHash.slice(0, CONTENT_CHARACTERS), 'EX', seconds, 'NX')
            return pipeline.exec()
          })
        }
      } catch {
        // Accepted all the same: the label is what is lost.
      }
    },
  }
}
