/** Settled conditions (docs/detection.md, D42 and D43): decided once for each event time, when nothing more can come. */
import type { Group, HeldEvent, Moment } from './model-types.ts'

/** A moment decided true, and the event that opens an alert there. */
export interface TrueMoment extends Moment {
  readonly eventId: string
}

/** Whether `t` lies in the window of `moment`. */
function isIn({ terms }: Group, t: number, moment: number): boolean {
  const { pattern, spanMs } = terms
  return pattern.settled === 'ahead' ? moment <= t && t < moment + spanMs : moment - spanMs < t && t <= moment
}

/** Decides what is due, in order of time, and returns what is true. */
export function decideDue(group: Group, logTime: number): TrueMoment[] {
  const { pattern, spanMs, latenessMs, threshold } = group.terms
  if (pattern.settled === undefined) return []
  const times = [...new Set(group.held.map(({ t }) => t))].filter((t) => !group.decided.has(t)).sort((a, b) => a - b)
  return times.flatMap((t) => {
    const window = group.held.filter((event) => isIn(group, event.t, t))
    const end = pattern.settled === 'ahead' ? t + spanMs : t
    if (logTime <= Math.max(end, ...window.map(({ arrival }) => arrival)) + latenessMs) return []
    group.decided.add(t)
    if (!pattern.holds(window, threshold)) return []
    return [
      { t, value: pattern.value(window), firstSeen: Math.min(...window.map((event) => event.t)), eventId: firstAt(window, t) },
    ]
  })
}

/** Of the events with that time, the one with the smallest id. */
const firstAt = (window: readonly HeldEvent[], t: number): string =>
  window
    .filter((event) => event.t === t)
    .map(({ id }) => id)
    .sort()[0] ?? ''

/** Whether a new event comes too late for a window that has been decided. */
export const isTooLate = (group: Group, t: number): boolean =>
  group.terms.pattern.settled !== undefined && [...group.decided].some((moment) => isIn(group, t, moment))
