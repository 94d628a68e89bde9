import { createHash } from 'node:crypto'
import type { HistoryExportEntry } from '@tocsin/contracts'
import { canonicalJson } from './canonical-json.ts'

/** What an entry says of itself; the details lie in its payload, to which it is committed. */
export type ChainedEntry = NonNullable<HistoryExportEntry['entry']>

/** `previous` of the first entry of an organization. */
export const GENESIS = '0'.repeat(64)

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex')

/** The hash of an entry at its place in the chain of its organization: SHA-256 of RFC 8785 JSON, hex (docs/history.md). */
export const hashOf = (
  place: { readonly organizationId: string; readonly sequence: number; readonly previous: string },
  entry: ChainedEntry,
): string =>
  sha256(
    canonicalJson({
      organizationId: place.organizationId,
      sequence: place.sequence,
      previous: place.previous,
      id: entry.id,
      at: entry.at,
      actor: entry.actor,
      channel: entry.channel,
      action: entry.action,
      aboutKind: entry.aboutKind,
      aboutId: entry.aboutId,
      version: entry.version,
      commitment: entry.commitment,
    }),
  )

/** SHA-256 of the payload, hex. Its salt of 32 random bytes keeps short details from being guessed. */
export const commitmentOf = (payload: string): string => sha256(payload)
