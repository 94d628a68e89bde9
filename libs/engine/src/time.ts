/** Milliseconds since 1970-01-01T00:00:00Z, an integer. */
export type EpochMs = number
/** A length of time in milliseconds, an integer. */
export type DurationMs = number

export const SECOND_MS: DurationMs = 1000
export const MINUTE_MS: DurationMs = 60_000
export const HOUR_MS: DurationMs = 3_600_000
export const DAY_MS: DurationMs = 86_400_000

/** By the letters in which rules write lengths of time. */
export const UNIT_MS: Readonly<Record<string, DurationMs>> = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS }

export const isoTime = (time: EpochMs): string => new Date(time).toISOString()
