/** Waits for conditions: asked for again and again, never slept for. */

import { LocalFault } from './local-fault.ts'

/** How long to wait between two questions. Short enough that a start loses nothing, long enough that asking costs nothing. */
const ASK_EVERY_MS = 60

export interface Patience {
  /** What is waited for, as it reads after "waited 10 s for". */
  readonly what: string
  readonly limitMs: number
  /** Ends the waiting early with the error that it returns, for example when the process that should answer has died. */
  readonly givenUp?: () => Error | undefined
}

/** Resolves with the first value of `condition` that is neither undefined nor false; a rejection counts as "not yet". */
export async function waitUntil<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  patience: Patience,
): Promise<T> {
  const end = performance.now() + patience.limitMs
  let last: unknown
  for (;;) {
    try {
      const value = await condition()
      if (value !== undefined && value !== false) return value
    } catch (error) {
      last = error
    }
    const failure = patience.givenUp?.()
    if (failure) throw failure
    if (performance.now() > end) {
      throw new LocalFault(
        `waited ${Math.round(patience.limitMs / 1000)} s for ${patience.what}`,
        last === undefined ? {} : { cause: last },
      )
    }
    await pause(ASK_EVERY_MS)
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
