/** How long to wait between two questions: short against what tests wait for, long enough not to load the two cores. */
const ASK_EVERY_MS = 50

export interface WaitLimits {
  readonly limitMs: number
  /** What is waited for, as it reads after "waited 10 s for". */
  readonly what: string
}

/**
 * Resolves with the first value of `condition` that is neither undefined, null nor false. A rejection counts as "not yet" and is
 * the cause of the error that is thrown at the limit.
 */
export async function waitFor<T>(condition: () => Promise<T> | T, limits: WaitLimits): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + limits.limitMs
  let last: unknown
  for (;;) {
    try {
      const value = await condition()
      if (value !== undefined && value !== null && value !== false) return value as NonNullable<Exclude<T, false>>
      last = undefined
    } catch (error) {
      last = error
    }
    if (performance.now() > end) {
      throw new Error(`waited ${limits.limitMs / 1000} s for ${limits.what}`, last === undefined ? {} : { cause: last })
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
  }
}
