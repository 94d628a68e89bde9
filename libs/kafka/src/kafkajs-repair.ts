import { createRequire } from 'node:module'

interface RequestQueue {
  readonly pending: readonly unknown[]
  readonly throttledUntil: number
  scheduleCheckPendingRequests(): void
}

/**
 * kafkajs 2.2.4 sets a timer for minus the time since 1970 after each request, also when nothing waits. Node makes that 1 ms, so every
 * connection polls an empty queue a thousand times a second, and Node 24 prints TimeoutNegativeWarning. A timer is needed only for what waits.
 */
export function repairKafkajs(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
    prototype: RequestQueue & { repaired?: true }
  }
  if (prototype.repaired === true) return
  prototype.repaired = true
  const schedule = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this)
  }
}
