import { HttpConfig, ServiceConfig } from '@tocsin/config'
import { LOCAL_PARTITIONS } from '@tocsin/contracts'
import { type Static, Type } from 'typebox'

const DAY_SECONDS = 86_400

export const IngestConfig = Type.Object({
  ...ServiceConfig,
  ...HttpConfig,
  REDIS_URL: Type.String({ minLength: 1, secret: true, description: 'Redis: rate limits and the memory of ids' }),
  REDIS_KEY_PREFIX: Type.String({ default: 'tocsin:ingest:', description: 'Before every Redis key' }),
  KAFKA_PARTITIONS: Type.Integer({
    default: LOCAL_PARTITIONS,
    minimum: 1,
    description: 'Partitions of audit.events, alerts and their kin where they are made',
  }),
  KAFKA_REPLICATION: Type.Integer({ default: 1, minimum: 1, description: 'Replicas of each topic where it is made' }),
  RATE_EVENTS_PER_SECOND: Type.Integer({
    default: 10_000,
    minimum: 1,
    description: 'Events an organization may send per second',
  }),
  RATE_BURST_EVENTS: Type.Integer({ default: 100_000, minimum: 1, description: 'Events an organization may send at once' }),
  FAILED_KEYS_PER_MINUTE: Type.Integer({
    default: 30,
    minimum: 1,
    description: 'Requests with a wrong key, per address and minute, that are looked up; more are refused with 429',
  }),
  ID_MEMORY_SECONDS: Type.Integer({
    default: DAY_SECONDS,
    minimum: 1,
    description: 'Seconds for which a repeated event is answered as duplicate',
  }),
  TICK_INTERVAL_MS: Type.Integer({ default: 10_000, minimum: 100, description: 'Milliseconds between ticks on each partition' }),
  TRUSTED_PROXIES: Type.String({
    default: 'loopback',
    description:
      'Addresses or CIDRs, with commas, whose X-Forwarded-For is believed; loopback, linklocal and uniquelocal are understood',
  }),
})
export type IngestConfig = Static<typeof IngestConfig>
