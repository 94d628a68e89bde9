import { setImmediate as nextTurn } from 'node:timers/promises'
import { type PreparedItem, type PrepareOptions, prepare } from '@tocsin/formats'

/** A body of 32 MiB takes seconds; heartbeats, health and other requests must not wait for it (style.md: 200 ms). */
const SLICE_MS = 20

/** `prepare` in slices. Rejects with UnreadableBody. */
export async function prepareInSlices(options: PrepareOptions): Promise<PreparedItem[]> {
  const steps = prepare(options)
  for (;;) {
    const end = performance.now() + SLICE_MS
    do {
      const step = steps.next()
      if (step.done === true) return step.value
    } while (performance.now() < end)
    await nextTurn()
  }
}
