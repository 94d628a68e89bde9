/** Adaptive thresholds, worked out afresh from every sample there ever was. */

/** Straight from detection.md §4, over all samples there ever were. */
export function expectedThreshold(samples: ReadonlyMap<number, number>, hour: number, floor: number): number {
  const before = [...samples].filter(([each]) => each < hour).sort(([a], [b]) => a - b)
  const ofWeek = before.filter(([each]) => each % 168 === hour % 168).slice(-8)
  const recent = before.filter(([each]) => each >= hour - 168)
  const chosen = (ofWeek.length >= 3 ? ofWeek : recent.length >= 3 ? recent : []).map(([, value]) => value)
  if (chosen.length === 0) return floor
  const median = (values: readonly number[]): number => {
    const at = (place: number) => [...values].sort((a, b) => a - b)[place] ?? Number.NaN
    return (at(Math.floor((values.length - 1) / 2)) + at(Math.ceil((values.length - 1) / 2))) / 2
  }
  const middle = median(chosen)
  const mad = median(chosen.map((value) => Math.abs(value - middle)))
  return Math.max(floor, Math.ceil(middle + 3 * 1.4826 * mad))
}
