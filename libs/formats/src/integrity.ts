import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { Json, JsonObject } from './json-reader.ts'

/** These carry the proof and are not covered by it. */
const PROOF_FIELDS: ReadonlySet<string> = new Set(['hash', 'hashAlgorithm', 'signature', 'algorithm'])

/** SHA-256 over RFC 8785 canonical JSON, hex. */
export const canonicalHash = (value: Json): string =>
  createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('hex')

/**
 * Holds `hash` against the object as sent. Signatures are not checked yet: no verification keys can be configured, so an event
 * with a signature and no hash counts as having no proof. The signature is kept in `raw`.
 */
export function integrityOf(sent: JsonObject): 'verified' | 'violated' | 'absent' {
  const given = sent['hash']
  if (typeof given !== 'string') return 'absent'
  const covered = Object.fromEntries(Object.entries(sent).filter(([key]) => !PROOF_FIELDS.has(key)))
  try {
    return canonicalHash(covered) === given.toLowerCase() ? 'verified' : 'violated'
  } catch {
    // A number beyond every double (1e400) has no canonical form, so no producer can have hashed it.
    return 'violated'
  }
}

/** What the event says, for telling a repetition from another event under the same id; and its id where it has none. */
export function contentHash(sent: Json): string {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return canonicalHash(sent)
  const { receivedAt: _, ...rest } = sent
  return canonicalHash(rest)
}
