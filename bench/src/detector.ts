/** The parts of `npm run bench -- detector`, in the order in which they run. */

import { benchBacktest } from './backtest.ts'
import type { BenchContext, PartResult } from './bench.ts'
import { benchLatency } from './latency.ts'
import { benchReaders } from './readers.ts'
import { benchRecovery } from './recovery.ts'
import { benchScaling } from './scaling.ts'

interface Part {
  /** By these it is asked for. */
  readonly names: readonly string[]
  readonly run: (context: BenchContext) => Promise<PartResult>
}

export const DETECTOR_PARTS: readonly Part[] = [
  { names: ['ratio', 'peers', 'rules'], run: benchReaders },
  { names: ['scaling', 'memory'], run: benchScaling },
  { names: ['latency'], run: benchLatency },
  { names: ['recovery'], run: benchRecovery },
  { names: ['backtest'], run: benchBacktest },
]
