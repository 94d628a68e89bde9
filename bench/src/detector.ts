/** The parts of `npm run bench -- detector`, in the order in which they run. */

import { benchBacktest } from './backtest.ts'
import type { Part } from './bench.ts'
import { benchLatency } from './latency.ts'
import { benchReaders } from './readers.ts'
import { benchRecovery } from './recovery.ts'
import { benchScaling } from './scaling.ts'

export const DETECTOR_PARTS: readonly Part[] = [
  { names: ['ratio', 'peers', 'rules'], run: benchReaders },
  { names: ['scaling', 'memory'], run: benchScaling },
  { names: ['latency'], run: benchLatency },
  { names: ['recovery'], run: benchRecovery },
  { names: ['backtest'], run: benchBacktest },
]
