/** When the next snapshot of a partition may begin (design §5.2). */
export interface SnapshotPace {
  /** Milliseconds since the last one ended. */
  readonly minIntervalMs: number
  readonly minRecords: number
  readonly maxIntervalMs: number
}

/** The snapshots of all partitions of a process together may cost one part in so many of its time. */
const TIMES_ITS_CPU_TIME = 20

export interface SinceLastSnapshot {
  readonly elapsedMs: number
  readonly records: number
  /** CPU time that the last one took. */
  readonly cpuMs: number
  /** Partitions of this process: each has snapshots of its own. */
  readonly partitions: number
}

export type SnapshotDecision = 'begin' | 'nothing new' | 'too soon' | 'too few records' | 'too costly'

export function decideSnapshot(since: SinceLastSnapshot, pace: SnapshotPace): SnapshotDecision {
  if (since.records === 0) return 'nothing new'
  if (since.elapsedMs >= pace.maxIntervalMs) return 'begin'
  if (since.elapsedMs < pace.minIntervalMs) return 'too soon'
  if (since.records < pace.minRecords) return 'too few records'
  return since.elapsedMs < TIMES_ITS_CPU_TIME * since.cpuMs * since.partitions ? 'too costly' : 'begin'
}
