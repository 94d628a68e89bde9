import { HttpConfig, ServiceConfig } from '@tocsin/config'
import { LOCAL_PARTITIONS } from '@tocsin/contracts'
import { type Static, Type } from 'typebox'

export const PersistenceConfig = Type.Object({
  ...ServiceConfig,
  ...HttpConfig,
  KAFKA_PARTITIONS: Type.Integer({
    default: LOCAL_PARTITIONS,
    minimum: 1,
    description: 'Partitions of audit.events, alerts and their kin where they are made',
  }),
  KAFKA_REPLICATION: Type.Integer({ default: 1, minimum: 1, description: 'Replicas of each topic where it is made' }),
  OWNER_DATABASE_URL: Type.String({ minLength: 1, secret: true, description: 'PostgreSQL as tocsin_owner, for migrations only' }),
  API_DATABASE_URL: Type.String({ minLength: 1, secret: true, description: 'PostgreSQL as tocsin_api, for requests' }),
  WORKER_DATABASE_URL: Type.String({
    minLength: 1,
    secret: true,
    description: 'PostgreSQL as tocsin_worker, for applier and outbox',
  }),
  APPLY_MAX_RECORDS: Type.Integer({
    default: 100,
    minimum: 1,
    maximum: 1_000,
    description:
      'Most records of alerts that are applied in one transaction; what is there is applied at once, and never waited for',
  }),
  API_CONNECTIONS: Type.Integer({ default: 10, minimum: 1, description: 'Most database connections for requests' }),
  HISTORY_HEADS_INTERVAL_SECONDS: Type.Integer({
    default: 600,
    minimum: 1,
    description: 'Seconds between two signed heads of the history of an organization that acts',
  }),
  REDIS_URL: Type.String({
    minLength: 1,
    secret: true,
    description:
      'Redis: request limits, last use of keys, answers for 5 minutes; away, limits are of each instance and nothing is remembered',
  }),
  REDIS_KEY_PREFIX: Type.String({ default: 'tocsin:api:', description: 'Before every Redis key of its own' }),
  API_REQUESTS_PER_MINUTE: Type.Integer({
    default: 600,
    minimum: 1,
    description: 'Requests of one subject or key; as many at once where it was quiet before',
  }),
  FAILED_KEYS_PER_MINUTE: Type.Integer({
    default: 30,
    minimum: 1,
    description: 'Requests with a wrong key or token, per address and minute, that are looked up; more are refused with 429',
  }),
  TRUSTED_PROXIES: Type.String({
    default: 'loopback',
    description:
      'Addresses or CIDRs, with commas, whose X-Forwarded-For is believed (the gateway); loopback, linklocal and uniquelocal are understood',
  }),
  KEYS_FILE: Type.String({ minLength: 1, description: 'Key ring, mode 0600' }),
  RULES_DIR: Type.String({ minLength: 1, description: 'Folder of the built-in rule pack' }),
  OPERATOR_SUBJECT: Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, description: 'Subject that is made operator at the start' }),
  ),
})
export type PersistenceConfig = Static<typeof PersistenceConfig>
