import type { HeldEvents } from '../held/held-events.ts'
import type { EpochMs } from '../time.ts'
import type { Stretches } from './stretches.ts'

/** The moment at which an event of time `t` is no longer in the window: `t + span`, or the end of the night. */
export type Leaves = (t: EpochMs) => EpochMs

/** The run of events i to j is in the window from event j until event i leaves. */
export function addRun(found: Stretches, held: HeldEvents, leaves: Leaves, i: number, j: number): void {
  const from = held.t(j)
  const to = leaves(held.t(i))
  if (to > from) found.add({ from, to })
}
