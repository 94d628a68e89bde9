import { setTimeout as delay } from 'node:timers/promises'
import { messageOf, RetryableError } from '@tocsin/errors'
import type { Logger } from 'pino'

const BASE_MS = 100
const CAP_MS = 10_000

/** Exponential back-off with full jitter, milliseconds: attempt 1 waits up to 200 ms, each later one up to twice as long, at most 10 s. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  return Math.ceil(random() * Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt, 20)))
}

/**
 * Calls `attempt` until it succeeds, with back-off, or rejects when `signal` aborts. For waiting on a dependency at the
 * start: the first failure and every tenth are logged. Errors that `isFatal` names are thrown at once.
 */
export async function retryUntil<T>(
  attempt: () => Promise<T>,
  options: {
    readonly signal: AbortSignal
    readonly log: Logger
    readonly what: string
    readonly isFatal?: (error: unknown) => boolean
  },
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt()
    } catch (error) {
      if (options.isFatal?.(error) === true) throw error
      if (failures === 1 || failures % 10 === 0)
        options.log.warn({ what: options.what, failures, reason: messageOf(error) }, 'waiting for a dependency')
      const wait = Math.max(backoffMs(failures), error instanceof RetryableError ? error.retryAfterMs : 0)
      await delay(wait, undefined, { signal: options.signal })
    }
  }
}
