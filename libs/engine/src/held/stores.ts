import type { EventPool } from './event-pool.ts'
import type { EvidencePool } from './evidence-pool.ts'

/** Where the groups of a partition keep what they hold. */
export interface Stores {
  readonly events: EventPool
  readonly evidence: EvidencePool
}
