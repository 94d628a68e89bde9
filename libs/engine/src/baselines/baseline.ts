import type { HourlySamples } from './hourly-samples.ts'

/**
 * What a group's threshold was worked out from (detection.md §4, adaptive thresholds). Samples are the largest window values of
 * hours of log time.
 */
export interface Baseline {
  readonly source: 'hour of week' | 'last 168 hours' | 'floor'
  /** How many samples there were; of the floor: how many there were too few. */
  readonly samples: number
  readonly median: number | null
  readonly mad: number | null
  /** The rule's own threshold, below which none falls. */
  readonly floor: number
}

/** Fewer say nothing, of an hour of the week as of the last 168 hours. */
const LEAST_SAMPLES = 3
/** Makes the median absolute deviation of normal values their standard deviation. */
const MAD_TO_DEVIATION = 1.4826
const DEVIATIONS = 3

/** Of the hour that begins: samples of earlier hours only. */
export function baselineOf(samples: HourlySamples, hour: number, floor: number): Baseline {
  const weekly = samples.ofHourOfWeek(hour)
  if (weekly.length >= LEAST_SAMPLES) return measured('hour of week', weekly, floor)
  const recent = samples.ofLastWeek(hour)
  if (recent.length >= LEAST_SAMPLES) return measured('last 168 hours', recent, floor)
  return { source: 'floor', samples: recent.length, median: null, mad: null, floor }
}

export function thresholdOf({ median, mad, floor }: Baseline): number {
  if (median === null || mad === null) return floor
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(floor, Math.ceil(median + DEVIATIONS * MAD_TO_DEVIATION * mad)))
}

function measured(source: Baseline['source'], values: readonly number[], floor: number): Baseline {
  const median = medianOf(values)
  const mad = medianOf(values.map((value) => Math.abs(value - median)))
  return { source, samples: values.length, median, mad, floor }
}

/** Of an even number of values, the mean of the two in the middle. */
function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}
