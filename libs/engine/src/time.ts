/** Milliseconds since 1970-01-01T00:00:00Z, an integer. */
export type EpochMs = number
/** A length of time in milliseconds, an integer. */
export type DurationMs = number

export const SECOND_MS: DurationMs = 1000
export const MINUTE_MS: DurationMs = 60_000
export const HOUR_MS: DurationMs = 3_600_000
export const DAY_MS: DurationMs = 86_400_000

export const isoTime = (time: EpochMs): string => new Date(time).toISOString()
