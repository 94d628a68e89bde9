/** How often something may be done: token buckets in Redis that all instances share, local ones while Redis is away. */
import type { RedisHandle } from './connection.ts'

/** Tokens that a bucket gets per second, and how many it holds when full. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

export interface TokenBuckets {
  /**
   * Takes `tokens` from the bucket of this name, all or none. Resolves with the milliseconds to wait when there are too few, else 0.
   * `rate`: other than that of the others.
   */
  take(name: string, tokens: number, rate?: Rate): Promise<number>
}

export interface TokenBucketOptions {
  readonly redis: Pick<RedisHandle, 'isUp' | 'attempt'>
  readonly keyPrefix: string
  readonly rate: Rate
  /** Monotonic milliseconds, for local buckets. */
  readonly clock: () => number
}

/** By Redis' own clock, so that instances need not agree on theirs. A bucket that is full again is forgotten. */
const TAKE = `
local rate, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local kept = redis.call('HMGET', KEYS[1], 'level', 'at')
local level = tonumber(kept[1] or burst)
level = math.min(burst, level + math.max(0, now - tonumber(kept[2] or now)) * rate / 1000)
local wait = 0
if level >= wanted then level = level - wanted else wait = math.ceil((wanted - level) * 1000 / rate) end
redis.call('HSET', KEYS[1], 'level', tostring(level), 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(burst * 1000 / rate) + 1000)
return wait
`
const MAX_LOCAL_BUCKETS = 10_000

export function createTokenBuckets(options: TokenBucketOptions): TokenBuckets {
  const { redis } = options
  const local = createLocalBuckets(options.clock)
  return {
    take: async (name, tokens, rate = options.rate) => {
      // A full bucket pays for the largest request, however many tokens that asks for.
      const wanted = Math.min(tokens, rate.burst)
      if (!redis.isUp()) return local(name, wanted, rate)
      try {
        const key = `${options.keyPrefix}rate:${name}`
        return Number(await redis.attempt((client) => client.eval(TAKE, 1, key, rate.perSecond, rate.burst, wanted)))
      } catch {
        // Redis is a convenience: its loss must not stop anybody (faults.md 17). The client has logged it.
        return local(name, wanted, rate)
      }
    },
  }
}

function createLocalBuckets(clock: () => number): (name: string, wanted: number, rate: Rate) => number {
  const buckets = new Map<string, { level: number; at: number }>()
  return (name, wanted, { perSecond, burst }) => {
    const now = clock()
    const bucket = buckets.get(name) ?? { level: burst, at: now }
    bucket.level = Math.min(burst, bucket.level + ((now - bucket.at) * perSecond) / 1000)
    bucket.at = now
    if (!buckets.has(name) && buckets.size >= MAX_LOCAL_BUCKETS) buckets.delete(buckets.keys().next().value ?? '')
    buckets.set(name, bucket)
    if (bucket.level < wanted) return Math.ceil(((wanted - bucket.level) * 1000) / perSecond)
    bucket.level -= wanted
    return 0
  }
}
