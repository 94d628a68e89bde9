import type { AlertChange, Counters, EngineRecord, ExceptionHits, Gauges, SnapshotChunk, SnapshotWriter } from '@tocsin/engine'

/** What the shell needs of an engine of one partition (libs/engine's PartitionEngine). */
export interface Engine {
  process(record: EngineRecord): AlertChange[]
  beginSnapshot(): SnapshotWriter
  counters(): Readonly<Counters>
  gauges(): Gauges
  exceptionHits(): readonly ExceptionHits[]
  /** Milliseconds since 1970; null before the first record. */
  logTime(): number | null
}

export interface EngineMaker {
  /** Version in the manifest of snapshots, for people. */
  readonly version: string
  fresh(partition: number): Engine
  /** Yields after each chunk. Throws when the chunks are not what this release can continue from. */
  restoring(partition: number, chunks: Iterable<SnapshotChunk>): Generator<void, Engine>
}
