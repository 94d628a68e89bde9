import { type LogEntry, logLevel } from 'kafkajs'
import type { Logger } from 'pino'

/** A failure that repeats is logged once, then counted for this long. */
const REPEAT_WINDOW_MS = 30_000
/** Texts remembered at once; past that all are forgotten, so that texts with ids in them cannot grow without bound. */
const MOST_TEXTS = 200
/**
 * Said by kafkajs at each start although we rely on the opposite (a producer is thrown away after its first failure, producer.ts), and of
 * connections that we cut ourselves (sockets.ts).
 */
const NEEDLESS = /^Limiting retries for the idempotent producer|the client was given up/

/**
 * kafkajs' log as pino lines at one level less: what it calls an error is retried by it or by us, and what cannot be mended is
 * logged where it is decided. `onConnectionFault` is told of each failed connection.
 */
export function kafkajsLogs(log: Logger, onConnectionFault: () => void): () => (entry: LogEntry) => void {
  const seen = new Map<string, { since: number; repeated: number }>()
  return () => (entry) => {
    const { message, logger: _logger, timestamp: _timestamp, stack: _stack, ...fields } = entry.log
    if (NEEDLESS.test(message)) return
    if (entry.level > logLevel.WARN) {
      log.debug({ ...fields, namespace: entry.namespace }, message)
      return
    }
    if (entry.namespace === 'Connection' || entry.namespace === 'BrokerPool') onConnectionFault()
    const text = `${entry.namespace} ${message}`
    const now = Date.now()
    const before = seen.get(text)
    if (before !== undefined && now - before.since < REPEAT_WINDOW_MS) {
      before.repeated += 1
      return
    }
    if (seen.size >= MOST_TEXTS) seen.clear()
    seen.set(text, { since: now, repeated: 0 })
    log.warn({ ...fields, namespace: entry.namespace, repeated: before?.repeated ?? 0 }, message)
  }
}
