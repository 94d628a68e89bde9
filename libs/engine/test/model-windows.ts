import type { Interval } from './model-nights.ts'

/** An event as the windows see it. */
export interface Point {
  readonly t: number
  readonly weight: number
  readonly principal: string | undefined
}

/** A condition that is true at a moment when it holds of the events in its window. */
export interface Condition<P extends Point> {
  readonly spanMs: number
  holds(window: readonly P[]): boolean
}

const MAX_TOTAL = Number.MAX_SAFE_INTEGER

/** Saturates at 2^53 - 1, whatever the order. */
export const total = (points: readonly { readonly weight: number }[]): number => {
  let sum = 0n
  for (const { weight } of points) sum += BigInt(weight)
  return sum > BigInt(MAX_TOTAL) ? MAX_TOTAL : Number(sum)
}

/** The events in `(t - span, t]`. */
export const windowAt = <P extends Point>(points: readonly P[], t: number, spanMs: number): P[] =>
  points.filter((point) => t - spanMs < point.t && point.t <= t)

/** At least that much weight, of at least that many principals. */
export const atLeast =
  (threshold: number, principals: number) =>
  (window: readonly Point[]): boolean => {
    const names = new Set(window.flatMap(({ principal }) => (principal === undefined ? [] : [principal])))
    return total(window) >= threshold && names.size >= principals
  }

/** Where the condition is true: it can change only where an event comes in or leaves. */
export function stretches<P extends Point>(points: readonly P[], { spanMs, holds }: Condition<P>): Interval[] {
  const moments = [...new Set(points.flatMap(({ t }) => [t, t + spanMs]))].sort((a, b) => a - b)
  const found: Interval[] = []
  for (const [i, begin] of moments.entries()) {
    const end = moments[i + 1]
    if (end !== undefined && holds(windowAt(points, begin, spanMs))) found.push({ begin, end })
  }
  return union(found)
}

/** Maximal intervals: those that touch become one. */
export function union(intervals: readonly Interval[]): Interval[] {
  return clusters(intervals, 0).map((cluster) => ({
    begin: cluster[0]?.begin ?? 0,
    end: Math.max(...cluster.map(({ end }) => end)),
  }))
}

/** Groups of intervals in which each begins at most `gap` (inclusive) after the end of those before. */
export function clusters<I extends Interval>(intervals: readonly I[], gap: number): I[][] {
  const sorted = [...intervals].sort((a, b) => a.begin - b.begin || a.end - b.end)
  const found: I[][] = []
  let end = Number.NEGATIVE_INFINITY
  for (const interval of sorted) {
    const last = found.at(-1)
    if (last !== undefined && interval.begin - end <= gap) {
      last.push(interval)
      end = Math.max(end, interval.end)
    } else {
      found.push([interval])
      end = interval.end
    }
  }
  return found
}

export const covers = (intervals: readonly Interval[], t: number): boolean =>
  intervals.some(({ begin, end }) => begin <= t && t < end)

/** The largest window value at the moments of `truth`. */
export function peakOf<P extends Point>(
  points: readonly P[],
  spanMs: number,
  truth: readonly Interval[],
  value: (window: readonly P[]) => number = total,
): number {
  const moments = points.map(({ t }) => t).filter((t) => covers(truth, t))
  return Math.max(0, ...moments.map((t) => value(windowAt(points, t, spanMs))))
}
