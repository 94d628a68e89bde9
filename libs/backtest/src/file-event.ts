import type { EpochMs, EventView } from '@tocsin/engine'

/** One event of a file. */
export interface FileEvent {
  readonly event: EventView
  /** Its record's append time: `receivedAt`, else the highest `timestamp` so far (detection.md §1). */
  readonly appendTime: EpochMs
  /** Position in the file, from 1. */
  readonly line: number
}

/** A line that is no event. */
export interface BadLine {
  readonly line: number
  readonly reason: string
}

/** Reads the lines of one file, in their order. */
export interface LineReader {
  take(text: string, line: number): void
  /** Hands on what still waits. */
  end(): void
}

export interface EventSink {
  event(event: FileEvent): void
  bad(line: BadLine): void
}

/** Organization of events that name none. */
export const NO_ORGANIZATION = '00000000-0000-4000-8000-000000000000'

/** Log time of a file as its lines go by. */
export class FileClock {
  #highest = Number.NEGATIVE_INFINITY

  /** @param receivedAt and `timestamp` as found in the event; text that is no time counts as absent */
  appendTime(receivedAt: unknown, timestamp: unknown): EpochMs {
    const own = timeOf(timestamp)
    if (own !== undefined && own > this.#highest) this.#highest = own
    return timeOf(receivedAt) ?? Math.max(this.#highest, 0)
  }
}

/** Milliseconds since 1970 of a text, or of a number of seconds or milliseconds. */
export function timeOf(value: unknown): EpochMs | undefined {
  if (typeof value === 'number')
    return Number.isFinite(value) && value >= 0 ? Math.floor(value < 1e11 ? value * 1000 : value) : undefined
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}
