/** Writes a small record to every partition of `audit.events` at intervals, so that log time moves on in idle ones. */
import { HEADERS, SCHEMA_VERSIONS, TOPICS } from '@tocsin/contracts'
import { messageOf } from '@tocsin/errors'
import type { Kafka, Producer } from '@tocsin/kafka'
import type { Logger } from '@tocsin/telemetry'
import type { IngestMetrics } from './metrics.ts'

export interface Ticks {
  stop(): Promise<void>
}

export function startTicks(options: {
  readonly kafka: Kafka
  readonly producer: Producer
  readonly intervalMs: number
  readonly metrics: IngestMetrics
  readonly log: Logger
}): Ticks {
  const { kafka, producer, metrics, log } = options
  let under: Promise<void> | undefined
  let failing = false
  const tick = async () => {
    try {
      // Asked each time: partitions may have been added.
      const partitions = [...(await kafka.topicOffsets(TOPICS.auditEvents.name)).keys()]
      const value = JSON.stringify({ at: new Date().toISOString() })
      const headers = {
        [HEADERS.type]: 'tick',
        [HEADERS.schema]: `Tick/${SCHEMA_VERSIONS.Tick}`,
        [HEADERS.contentType]: 'application/json',
      }
      await producer.send(
        partitions.map((partition) => ({ topic: TOPICS.auditEvents.name, partition, key: null, value, headers })),
      )
      metrics.ticks.inc(partitions.length)
      failing = false
    } catch (error) {
      if (!failing) log.warn({ reason: messageOf(error) }, 'ticks cannot be written; the next ones are tried')
      failing = true
    }
  }
  const timer = setInterval(() => {
    // One that is late is not made up for: log time moves with the next.
    under ??= tick().finally(() => {
      under = undefined
    })
  }, options.intervalMs)
  return {
    stop: async () => {
      clearInterval(timer)
      await under
    },
  }
}
