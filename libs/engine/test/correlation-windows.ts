/** Values of a window of events, each computed afresh in the plainest way. */
import type { AuditEvent } from '@tocsin/contracts'
import type { HeldEvent } from './model-types.ts'

const MOST = Number.MAX_SAFE_INTEGER

const inOrder = (window: readonly HeldEvent[]): HeldEvent[] =>
  [...window].sort((a, b) => a.t - b.t || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))

/** A text that is not blank; numbers and booleans as their text (D9). */
export function present(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}

/** A finite number, or a text that is one. */
export function numberIn(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && !Number.isNaN(number) ? number : undefined
}

/** In (t, id) order (§1); at most 2^53 - 1 either way. */
export function sumOf(window: readonly HeldEvent[]): number {
  let sum = 0
  for (const { weight } of inOrder(window)) sum += weight
  return Math.max(-MOST, Math.min(MOST, sum))
}

/** D46: different tuples of the events that have all fields. */
export function tuplesIn(window: readonly HeldEvent[], valuesOf: (event: AuditEvent) => readonly unknown[]): number {
  const tuples = new Set<string>()
  for (const { event } of window) {
    const values = valuesOf(event).map(present)
    if (values.every((value) => value !== undefined)) tuples.add(JSON.stringify(values))
  }
  return tuples.size
}

export const ruleNamesIn = (window: readonly HeldEvent[]): Set<string> => new Set(window.flatMap(({ parts }) => parts))

/** Tries every assignment of events to steps: times do not fall, and an event serves one step. */
export function isOrdered(
  window: readonly HeldEvent[],
  [step, ...rest]: readonly string[],
  after = Number.NEGATIVE_INFINITY,
): boolean {
  if (step === undefined) return true
  return window.some(
    (event) =>
      event.parts.includes(step) &&
      event.t >= after &&
      isOrdered(
        window.filter((other) => other !== event),
        rest,
        event.t,
      ),
  )
}
