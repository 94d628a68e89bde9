import type { DurationMs } from './vocabulary.ts'

/** First pause; each further one may be twice as long. */
const FIRST_PAUSE_MS = 2_000
/** Longest pause: after an outage of the provider a page waits at most this long. */
const LONGEST_PAUSE_MS = 60_000
/** Full jitter may choose almost nothing; a destination is not asked more often than this. */
const SHORTEST_PAUSE_MS = 200

/**
 * Pause before the next attempt: exponential with full jitter.
 * @param attempts tries so far, from 1
 * @param random in [0, 1)
 */
export function pauseAfter(attempts: number, random: number): DurationMs {
  const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 16))
  return Math.max(SHORTEST_PAUSE_MS, Math.floor(random * ceiling))
}
