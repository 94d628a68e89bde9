/** Who may send: the ingest keys of all organizations, followed on the compacted topic `tenants`. */
import { createHash } from 'node:crypto'
import { TenantRecord, TOPICS } from '@tocsin/contracts'
import { type Following, followTopic, type Kafka, type KafkaRecord } from '@tocsin/kafka'
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
  readonly organizationId: string
  readonly slug: string
  /** Of `audit.events`. */
  readonly partition: number
  /** The only source name that this key may send as. */
  readonly boundSource?: string | undefined
  readonly mayWrite: boolean
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
const hashOf = (key: string): string => createHash('sha256').update(key, 'utf8').digest('hex')

export function followTenants(options: {
  readonly kafka: Kafka
  readonly metrics: IngestMetrics
  readonly log: Logger
}): Tenants {
  const { kafka, metrics, log } = options
  const directory = createDirectory({
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
    known: (key) => directory.find(hashOf(key)),
    find: async (key) => {
      const hash = hashOf(key)
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

export interface Directory {
  apply(record: Pick<KafkaRecord, 'key' | 'value'>): void
  find(keyHash: string): Sender | undefined
  size(): number
}

/** The newest record of each organization, by its keys' hashes. */
export function createDirectory(options: { readonly onUnreadable: (reason: string) => void }): Directory {
  const hashesOf = new Map<string, readonly string[]>()
  const versions = new Map<string, number>()
  const senders = new Map<string, Sender>()
  const forget = (organizationId: string) => {
    for (const hash of hashesOf.get(organizationId) ?? []) senders.delete(hash)
    hashesOf.delete(organizationId)
  }
  return {
    find: (hash) => senders.get(hash),
    size: () => hashesOf.size,
    apply: ({ key, value }) => {
      if (value === null) {
        versions.delete(key?.toString() ?? '')
        return forget(key?.toString() ?? '')
      }
      const tenant = parse(value)
      if (tenant === undefined) return options.onUnreadable('not a TenantRecord')
      const { organizationId, version, slug, partition } = tenant
      if (version < (versions.get(organizationId) ?? 0)) return
      versions.set(organizationId, version)
      forget(organizationId)
      for (const { hash, scopes, source } of tenant.keys)
        senders.set(hash.toLowerCase(), {
          organizationId,
          slug,
          partition,
          boundSource: source,
          mayWrite: scopes.includes(WRITE_SCOPE),
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
