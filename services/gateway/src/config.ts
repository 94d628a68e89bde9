import { HttpConfig, ServiceConfig } from '@tocsin/config'
import { type Static, Type } from 'typebox'

const HOUR_MS = 3_600_000
/** A cookie without Secure is for loopback only (security.md §1). */
const HTTPS_OR_LOOPBACK = '^(?:https://[^/?#@]+|http://(?:localhost|127\\.0\\.0\\.1|\\[::1\\])(?::\\d+)?)/?$'

export const GatewayConfig = Type.Object({
  ...ServiceConfig,
  ...HttpConfig,
  INGEST_URL: Type.String({ minLength: 1, description: 'Base URL of ingest' }),
  PERSISTENCE_URL: Type.String({ minLength: 1, description: 'Base URL of persistence' }),
  NOTIFIER_URL: Type.String({ minLength: 1, description: 'Base URL of the notifier' }),
  REDIS_URL: Type.String({ minLength: 1, secret: true, description: 'Redis: remembers used sign-in links' }),
  KEYS_FILE: Type.String({ minLength: 1, description: 'Key ring, JSON, mode 0600' }),
  DASHBOARD_DIR: Type.String({ minLength: 1, description: 'The built dashboard (apps/dashboard/dist)' }),
  PUBLIC_URL: Type.String({
    pattern: HTTPS_OR_LOOPBACK,
    description: 'Address at which people reach this gateway, https except on loopback: links, Origin, cookie',
  }),
  RING_MAX_BYTES: Type.Integer({
    default: 64 * 1_048_576,
    minimum: 1_048_576,
    description: 'Bytes of changes kept for resuming',
  }),
  RING_MAX_AGE_MS: Type.Integer({
    default: HOUR_MS,
    minimum: 1_000,
    description: 'Milliseconds that changes are kept for resuming',
  }),
  MAX_CACHED_ALERTS: Type.Integer({ default: 20_000, minimum: 100, description: 'Alerts whose halves are held for joining' }),
  MAX_SOCKETS: Type.Integer({ default: 10_000, minimum: 1, description: 'Open sockets of this instance' }),
  MAX_SOCKETS_PER_SUBJECT: Type.Integer({
    default: 1_000,
    minimum: 1,
    description: 'Open sockets of one subject on this instance',
  }),
  SESSION_HOURS: Type.Integer({ default: 12, minimum: 1, maximum: 168, description: 'Hours that a browser stays signed in' }),
})
export type GatewayConfig = Static<typeof GatewayConfig>
