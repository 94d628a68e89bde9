import { hash } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { EpochMs } from '../time.ts'

/** Namespace of alert ids. Fixed for ever: another one would give every alert of a replay another id. */
const NAMESPACE = bytesOfUuid('6f1c2a9e-4b7d-5e38-9c05-d1a7b3e84f60')

/** First digits of an id's fourth group: 10xx in bits. */
const VARIANTS = '89ab'

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
  const fields = Object.entries(group).map(([field, value]) => [field, value.toWellFormed()] as const)
  const identity = [organizationId, ruleId, Object.fromEntries(fields), openingEventId.toWellFormed(), t]
  // Of texts and whole numbers JSON.stringify makes what RFC 8785 asks for, but for the order of names.
  return uuid5(NAMESPACE, fields.length === 1 ? JSON.stringify(identity) : (canonicalize(identity) ?? ''))
}

/** RFC 9562, section 5.5. */
export function uuid5(namespace: Uint8Array, name: string): string {
  // In one call: a Hash object costs several times as much as so short a text.
  const hex = hash('sha1', Buffer.concat([namespace, Buffer.from(name)]), 'hex')
  const variant = VARIANTS[Number.parseInt(hex.charAt(16), 16) & 3]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

export function bytesOfUuid(uuid: string): Uint8Array {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex')
}
