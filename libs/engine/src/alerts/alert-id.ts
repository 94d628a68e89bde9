import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { EpochMs } from '../time.ts'

/** Namespace of alert ids. Fixed for ever: another one would give every alert of a replay another id. */
export const ALERT_NAMESPACE = '6f1c2a9e-4b7d-5e38-9c05-d1a7b3e84f60'

/** What identifies an alert (detection.md §2, opening). */
export interface AlertIdentity {
  readonly organizationId: string
  readonly ruleId: string
  readonly group: Readonly<Record<string, string>>
  readonly openingEventId: string
  /** Event time of the opening event, as taken (after the clock-skew clamp). */
  readonly t: EpochMs
}

/**
 * UUIDv5 over the RFC 8785 JSON of `[organizationId, ruleId, group, opening event id, its t in epoch milliseconds]`. That JSON
 * has no lone surrogates, so they are replaced; ingest refuses them anyway.
 */
export function alertId({ organizationId, ruleId, group, openingEventId, t }: AlertIdentity): string {
  const wellFormed = Object.fromEntries(Object.entries(group).map(([field, value]) => [field, value.toWellFormed()]))
  return uuid5(ALERT_NAMESPACE, canonicalize([organizationId, ruleId, wellFormed, openingEventId.toWellFormed(), t]) ?? '')
}

/** RFC 9562, section 5.5. */
export function uuid5(namespace: string, name: string): string {
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest()
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const hex = bytes.toString('hex', 0, 16)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
