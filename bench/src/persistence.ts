/** The parts of `npm run bench -- persistence`, in the order in which they run. */

import type { Part } from './bench.ts'
import { benchApply } from './persistence/apply.ts'
import { benchReading } from './persistence/reading.ts'

export const PERSISTENCE_PARTS: readonly Part[] = [
  { names: ['apply'], run: benchApply },
  { names: ['lists', 'statistics', 'search', 'acknowledge', 'export'], run: benchReading },
]
