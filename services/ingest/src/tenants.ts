/** Who may send: the ingest keys of all organizations, followed on the compacted topic `tenants`. */
import { hashKey } from '@tocsin/access'
import { TenantRecord, TOPICS } from '@tocsin/contracts'
import { type Following, followTopic, type Kafka, type KafkaRecord } from '@tocsin/kafka'
import type { Rate } from '@tocsin/redis'
import type { Logger } from '@tocsin/telemetry'
import { Compile } from 'typebox/compile'
import type { IngestMetrics } from './metrics.ts'

const WRITE_SCOPE = 'events:write'
const CATCH_UP_LIMIT_MS = 2_000
/** A key works as soon as its organization is made, although `tenants` learns of it through an outbox: so long an unknown one is waited for. */
const UNKNOWN_KEY_LIMIT_MS = 1_500
/** A key that was waited for in vain is not waited for again so soon; should it be made meanwhile, following the topic shows it. */
const GIVEN_UP_MS = 10_000
const MAX_GIVEN_UP = 10_000
/** Unknown keys that come together share one reading of the topic, and another does not begin sooner than this. */
const CATCH_UP_PAUSE_MS = 200

export interface Sender {
  readonly keyId: string
  readonly organizationId: string
  readonly slug: string
  /** Of `audit.events`. */
  readonly partition: number
  /** The only source name that this key may send as. */
  readonly boundSource?: string | undefined
  readonly mayWrite: boolean
  /** How many events its organization may send. */
  readonly rate: Rate
  /** ms since 1970; a key that was replaced ends then. */
  readonly endsAt: number
}

export interface Tenants {
  readonly caughtUp: Promise<void>
  /** The key's sender, by what has been read so far. */
  known(key: string): Sender | undefined
  /** Reads the topic to its end, again and again for 1.5 s, where the key is unknown. Rejects with RetryableError when that cannot be done. */
  find(key: string): Promise<Sender | undefined>
  stop(): Promise<void>
}

const check = Compile(TenantRecord)

export function followTenants(options: {
  readonly kafka: Kafka
  readonly metrics: IngestMetrics
  readonly log: Logger
  /** Of organizations without limits of their own. */
  readonly defaultRate: Rate
  /** ms since 1970. */
  readonly now: () => number
}): Tenants {
  const { kafka, metrics, log, defaultRate, now } = options
  const directory = createDirectory({
    defaultRate,
    now,
    onUnreadable: (reason) => {
      metrics.unreadableTenants.inc()
      log.error({ reason }, 'a record of tenants is not valid and was left out')
    },
  })
  const following = followTopic({
    kafka,
    topic: TOPICS.tenants.name,
    onRecord: (record) => {
      directory.apply(record)
      metrics.tenants.set(directory.size())
    },
  })
  const catchUp = shareCatchUp(following)
  const givenUp = new Map<string, number>()
  return {
    caughtUp: following.caughtUp,
    known: (key) => directory.find(hashKey(key)),
    find: async (key) => {
      const hash = hashKey(key)
      const end = performance.now() + UNKNOWN_KEY_LIMIT_MS
      for (;;) {
        const known = directory.find(hash)
        if (known !== undefined || (givenUp.get(hash) ?? 0) > performance.now()) return known
        if (performance.now() > end) {
          if (givenUp.size >= MAX_GIVEN_UP) givenUp.clear()
          givenUp.set(hash, performance.now() + GIVEN_UP_MS)
          return undefined
        }
        await catchUp()
      }
    },
    stop: () => following.stop(),
  }
}

function shareCatchUp(following: Following): () => Promise<void> {
  let under: Promise<void> | undefined
  let startedAt = 0
  let queued: Promise<void> | undefined
  const begin = async () => {
    const wait = startedAt + CATCH_UP_PAUSE_MS - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    startedAt = performance.now()
    await following.catchUp(CATCH_UP_LIMIT_MS)
  }
  return async () => {
    // One that is under way may have asked for the end before the key was written: wait for the one after it.
    queued ??= (async () => {
      await under?.catch(() => {})
      under = begin()
      queued = undefined
      await under
    })()
    return queued
  }
}

interface Directory {
  apply(record: Pick<KafkaRecord, 'key' | 'value'>): void
  find(keyHash: string): Sender | undefined
  size(): number
}

/** The newest record of each organization, by its keys' hashes. */
function createDirectory(options: {
  readonly defaultRate: Rate
  readonly now: () => number
  readonly onUnreadable: (reason: string) => void
}): Directory {
  const { defaultRate } = options
  const hashesOf = new Map<string, readonly string[]>()
  const versions = new Map<string, number>()
  const senders = new Map<string, Sender>()
  const forget = (organizationId: string) => {
    for (const hash of hashesOf.get(organizationId) ?? []) senders.delete(hash)
    hashesOf.delete(organizationId)
  }
  return {
    find: (hash) => {
      const sender = senders.get(hash)
      return sender !== undefined && options.now() < sender.endsAt ? sender : undefined
    },
    size: () => hashesOf.size,
    apply: ({ key, value }) => {
      if (value === null) {
        versions.delete(key?.toString() ?? '')
        return forget(key?.toString() ?? '')
      }
      const tenant = parse(value)
      if (tenant === undefined) return options.onUnreadable('not a TenantRecord')
      const { organizationId, version, slug, partition, limits } = tenant
      if (version < (versions.get(organizationId) ?? 0)) return
      versions.set(organizationId, version)
      forget(organizationId)
      const rate = {
        perSecond: limits?.eventsPerSecond ?? defaultRate.perSecond,
        burst: limits?.eventsBurst ?? defaultRate.burst,
      }
      for (const { id, hash, scopes, source, expiresAt } of tenant.keys)
        senders.set(hash.toLowerCase(), {
          keyId: id,
          organizationId,
          slug,
          partition,
          boundSource: source,
          mayWrite: scopes.includes(WRITE_SCOPE),
          rate,
          endsAt: expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(expiresAt),
        })
      hashesOf.set(
        organizationId,
        tenant.keys.map(({ hash }) => hash.toLowerCase()),
      )
    },
  }
}

function parse(value: Buffer): TenantRecord | undefined {
  try {
    const tenant: unknown = JSON.parse(value.toString('utf8'))
    return check.Check(tenant) ? tenant : undefined
  } catch {
    return undefined
  }
}
