import type { RuleRecord } from '@tocsin/contracts'
import { type Counters, type Gauges, newCounters } from './counters.ts'
import type { EngineLimits } from './limits.ts'
import type { AlertChange, EngineRecord } from './records.ts'
import type { CompiledRule } from './rule.ts'
import type { SnapshotChunk, SnapshotWriter } from './snapshot.ts'
import type { EpochMs } from './time.ts'

export interface EngineOptions {
  /** Topic and partition the records come from, for the evidence's places. */
  readonly topic: string
  readonly partition: number
  readonly compile: (record: RuleRecord) => CompiledRule
  readonly limits?: EngineLimits
}

export class PartitionEngine {
  readonly #options: EngineOptions
  readonly #counters: Counters = newCounters()

  constructor(options: EngineOptions) {
    this.#options = options
  }

  process(_record: EngineRecord): AlertChange[] {
    throw new Error(`not built yet: ${this.#options.topic}`)
  }

  counters(): Readonly<Counters> {
    return { ...this.#counters }
  }

  gauges(): Gauges {
    return { organizations: 0, groups: 0, heldEvents: 0, openAlerts: 0 }
  }

  logTime(): EpochMs | null {
    return null
  }

  beginSnapshot(): SnapshotWriter {
    throw new Error('not built yet')
  }

  static restore(_chunks: Iterable<SnapshotChunk>, _options: EngineOptions): PartitionEngine {
    throw new Error('not built yet')
  }
}
