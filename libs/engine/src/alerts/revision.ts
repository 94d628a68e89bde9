import { type DurationMs, type EpochMs, MINUTE_MS, SECOND_MS } from '../time.ts'

/** An alert's figures are never older than this while something changes (detection.md §2, revisions). */
export const STALE_AFTER_MS: DurationMs = MINUTE_MS
/** An alert without news for this long shows its last figure. */
export const QUIET_AFTER_MS: DurationMs = 10 * SECOND_MS
const GROWTH = 1.5
/** A sum of fractions has other last digits in another order of adding: what is short of the growth by those only has grown (docs/detection.md D41). */
const LAST_DIGITS = 1e-12

export type RevisionReason = 'grew' | 'severity rose' | 'a minute passed' | 'went quiet'

export interface RevisionState {
  /** Whether any figure differs from the last published ones. */
  readonly changed: boolean
  /** Count, or total for sums: now and as last published. */
  readonly size: number
  readonly publishedSize: number
  readonly severityRose: boolean
  readonly lastRevisionAt: EpochMs
  /** Log time of the record that counted an event last. */
  readonly countedAt: EpochMs
}

/** Why the alert is to be published anew at this log time, or null. */
export function revisionReason(state: RevisionState, logTime: EpochMs): RevisionReason | null {
  if (!state.changed) return null
  if (state.severityRose) return 'severity rose'
  if (state.size * (1 + LAST_DIGITS) >= state.publishedSize * GROWTH && state.size > state.publishedSize) return 'grew'
  if (logTime - state.lastRevisionAt >= STALE_AFTER_MS) return 'a minute passed'
  if (logTime - state.countedAt >= QUIET_AFTER_MS) return 'went quiet'
  return null
}

/** When time alone makes a changed alert due. */
export const revisionDeadline = (state: Pick<RevisionState, 'lastRevisionAt' | 'countedAt'>): EpochMs =>
  Math.min(state.lastRevisionAt + STALE_AFTER_MS, state.countedAt + QUIET_AFTER_MS)
