import { setTimeout as delay } from 'node:timers/promises'
import { isRetryable, messageOf } from '@tocsin/errors'
import { backoffMs } from '@tocsin/lifecycle'
import type { Logger } from '@tocsin/telemetry'

export interface Periodic {
  /** True while it fails again and again. */
  failing(): boolean
  /** Resolves when the present round has ended. */
  stop(): Promise<void>
}

/**
 * Rounds of `work`, the next one `everyMs` milliseconds after the last, at once while `work` says that more is left. A round that
 * fails is tried again with back-off: `failing` reports it, and the first failure and every tenth are logged.
 */
export function startPeriodic(options: {
  /** Names it in the log. */
  readonly what: string
  readonly everyMs: number
  readonly log: Logger
  readonly work: () => Promise<'more' | 'done'>
}): Periodic {
  const { what, everyMs, log, work } = options
  const stopping = new AbortController()
  let failures = 0
  const round = async (): Promise<number> => {
    try {
      const left = await work()
      failures = 0
      return left === 'more' ? 0 : everyMs
    } catch (error) {
      failures += 1
      const fields = { what, failures, reason: messageOf(error) }
      if (failures === 1 || failures % 10 === 0)
        log[isRetryable(error) ? 'warn' : 'error'](
          { ...fields, ...(isRetryable(error) ? {} : { err: error }) },
          'periodic work failed',
        )
      return Math.max(everyMs, backoffMs(failures))
    }
  }
  const run = async () => {
    while (!stopping.signal.aborted) {
      const pauseMs = await round()
      await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  const running = run()
  return {
    failing: () => failures > 1,
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}
