import { HttpConfig, ServiceConfig } from '@tocsin/config'
import { TerminalError } from '@tocsin/errors'
import { type Static, Type } from 'typebox'
import type { OidcSettings } from './door/oidc.ts'

const HOUR_MS = 3_600_000
/** A cookie without Secure is for loopback only (security.md §1). */
const HTTPS_OR_LOOPBACK = '^(?:https://[^/?#@]+|http://(?:localhost|127\\.0\\.0\\.1|\\[::1\\])(?::\\d+)?)/?$'
const HTTPS_OR_LOOPBACK_PATH = '^(?:https://[^/?#@]+|http://(?:localhost|127\\.0\\.0\\.1|\\[::1\\])(?::\\d+)?)(?:/[^?#]*)?$'

export const GatewayConfig = Type.Object({
  ...ServiceConfig,
  ...HttpConfig,
  INGEST_URL: Type.String({ minLength: 1, description: 'Base URL of ingest' }),
  PERSISTENCE_URL: Type.String({ minLength: 1, description: 'Base URL of persistence' }),
  NOTIFIER_URL: Type.String({ minLength: 1, description: 'Base URL of the notifier' }),
  REDIS_URL: Type.String({ minLength: 1, secret: true, description: 'Redis: remembers used sign-in links, counts sign-ins' }),
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
  SIGN_INS_PER_MINUTE: Type.Integer({ default: 10, minimum: 1, description: 'Attempts to sign in, per address and minute' }),
  ACCOUNT_SIGN_INS_PER_MINUTE: Type.Integer({
    default: 5,
    minimum: 1,
    description: 'Sign-ins of one subject, per minute, from wherever; links that are tried again count',
  }),
  TRUSTED_PROXIES: Type.String({
    default: '',
    description:
      'Addresses or CIDRs, with commas, of load balancers before the gateway, whose X-Forwarded-For is believed; empty: none',
  }),
  OIDC_ISSUER: Type.Optional(
    Type.String({
      pattern: HTTPS_OR_LOOPBACK_PATH,
      description: "Issuer of the company's OpenID provider, https except on loopback; without it people sign in by links only",
    }),
  ),
  OIDC_CLIENT_ID: Type.Optional(
    Type.String({ minLength: 1, description: 'Client that the provider knows this installation by' }),
  ),
  OIDC_CLIENT_SECRET: Type.Optional(Type.String({ minLength: 1, secret: true, description: 'Secret of that client' })),
  OIDC_SUBJECT_CLAIM: Type.Enum(['email', 'sub'], {
    default: 'email',
    description: 'Claim that is the subject: email counts only where the provider has verified it',
  }),
  OIDC_ALGORITHM: Type.Enum(['RS256', 'PS256', 'ES256', 'EdDSA'], {
    default: 'RS256',
    description: 'The one algorithm of id tokens that is accepted',
  }),
  SESSION_HOURS: Type.Integer({ default: 12, minimum: 1, maximum: 168, description: 'Hours that a browser stays signed in' }),
})
export type GatewayConfig = Static<typeof GatewayConfig>

/** What signing in by the company's provider needs; null where it is not configured. Throws TerminalError when half of it is. */
export function oidcOf(config: GatewayConfig): OidcSettings | null {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret } = config
  if (issuer === undefined && clientId === undefined && clientSecret === undefined) return null
  if (issuer === undefined || clientId === undefined || clientSecret === undefined)
    throw new TerminalError('OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET belong together: set all three or none', {
      code: 'TOCSIN_CONFIG_INVALID',
    })
  return { issuer, clientId, clientSecret, subjectClaim: config.OIDC_SUBJECT_CLAIM, algorithm: config.OIDC_ALGORITHM }
}
