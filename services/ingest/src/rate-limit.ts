/** How many events an organization may send: a token bucket in Redis that all instances share, a local one while Redis is away. */
import type { RedisHandle } from '@tocsin/redis'

export interface RateLimit {
  /** Takes `events` from the organization's bucket, all or none. Milliseconds to wait when there are too few, else 0. */
  take(organizationId: string, events: number): Promise<number>
}

export interface RateLimitOptions {
  readonly redis: RedisHandle
  readonly keyPrefix: string
  readonly perSecond: number
  readonly burst: number
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

export function createRateLimit(options: RateLimitOptions): RateLimit {
  const { redis, perSecond, burst } = options
  const local = createLocalBuckets(options)
  return {
    take: async (organizationId, events) => {
      // A request is at most 10,000 events; where the burst is set lower, a full bucket pays for the largest one.
      const wanted = Math.min(events, burst)
      if (!redis.isUp()) return local(organizationId, wanted)
      try {
        const key = `${options.keyPrefix}rate:${organizationId}`
        return Number(await redis.attempt((client) => client.eval(TAKE, 1, key, perSecond, burst, wanted)))
      } catch {
        // Redis is a convenience: its loss must not stop events (faults.md 17). The client has logged it.
        return local(organizationId, wanted)
      }
    },
  }
}

export function createLocalBuckets(
  by: Pick<RateLimitOptions, 'perSecond' | 'burst' | 'clock'>,
): (key: string, wanted: number) => number {
  const buckets = new Map<string, { level: number; at: number }>()
  return (key, wanted) => {
    const now = by.clock()
    const bucket = buckets.get(key) ?? { level: by.burst, at: now }
    bucket.level = Math.min(by.burst, bucket.level + ((now - bucket.at) * by.perSecond) / 1000)
    bucket.at = now
    if (!buckets.has(key) && buckets.size >= MAX_LOCAL_BUCKETS) buckets.delete(buckets.keys().next().value ?? '')
    buckets.set(key, bucket)
    if (bucket.level < wanted) return Math.ceil(((wanted - bucket.level) * 1000) / by.perSecond)
    bucket.level -= wanted
    return 0
  }
}
