/**
 * Publishes the outbox (design §5.4).
 *
 * 1. One relay at a time: a session lock on a connection of its own, and the rows are read and deleted on that same connection, so
 *    that an instance which lost the lock cannot go on.
 * 2. Rows go out in the order of their ids, and records of one topic are acknowledged before the next topic's begin: a control
 *    record always lies in `audit.events` before `tenants`, `rules` or `access` tell of it.
 * 3. A row goes after the broker's acknowledgement. What is published twice (a crash between both) is the same bytes, and readers
 *    drop a version that is not newer; so order holds for each alert also while one instance takes over from another.
 * 4. A clean stop publishes what was written up to it, the last heads of the history among it.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isRetryable, messageOf, RetryableError } from '@tocsin/errors'
import type { OutgoingRecord, Producer } from '@tocsin/kafka'
import { backoffMs } from '@tocsin/lifecycle'
import { listenOn, type Query } from '@tocsin/postgres'
import type { Logger } from '@tocsin/telemetry'
import type { PersistenceMetrics } from './metrics.ts'
import { DELETE_OUTBOX, NEXT_OUTBOX, OUTBOX_STATE } from './sql/stream-sql.ts'

const MAX_ROWS = 200
/** Without a notification (lost with a connection) the outbox is looked at this often. */
const LOOK_EVERY_MS = 1_000
/** How often an instance without the lock asks for it. */
const ASK_EVERY_MS = 1_000
const CHANNEL = 'tocsin_outbox'
const TRY_LOCK = `SELECT pg_try_advisory_lock(hashtext('tocsin outbox relay')) AS held`

interface OutboxRow {
  readonly id: bigint
  readonly topic: string
  readonly partition: number
  readonly key: string
  readonly value: string | null
  readonly headers: Readonly<Record<string, string>>
}

export interface Relay {
  /** True while rows wait that could not be published. */
  failing(): boolean
  stop(): Promise<void>
}

export interface RelayOptions {
  /** Of role tocsin_worker. */
  readonly databaseUrl: string
  readonly producer: Producer
  readonly log: Logger
  readonly metrics: PersistenceMetrics
}

export function startRelay(options: RelayOptions): Relay {
  const { log } = options
  const stopping = new AbortController()
  let failures = 0
  const run = async () => {
    while (!stopping.signal.aborted) {
      try {
        await relayWhileLocked(options, stopping.signal, () => {
          failures = 0
        })
      } catch (error) {
        if (stopping.signal.aborted) return
        failures += 1
        const fields = { failures, reason: messageOf(error) }
        if (!isRetryable(error)) log.error({ ...fields, err: error }, 'outbox relay failed')
        else if (failures === 1 || failures % 10 === 0) log.warn(fields, 'outbox relay waits for a dependency')
        await delay(backoffMs(failures), undefined, { signal: stopping.signal }).catch(() => {})
      }
    }
  }
  const running = run()
  return {
    failing: () => failures > 1,
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

/** Returns when `signal` aborts; rejects when the connection or the broker is lost. */
async function relayWhileLocked(options: RelayOptions, signal: AbortSignal, onProgress: () => void): Promise<void> {
  const listener = await listenOn(options.databaseUrl, { name: 'persistence relay', channel: CHANNEL, log: options.log })
  const pause = async (limitMs: number) => {
    await listener.notified(limitMs, signal)
    // What broke the connection also ended the lock (1).
    if (listener.lost() !== null)
      throw new RetryableError('the connection of the outbox relay is lost', { cause: listener.lost() })
  }
  try {
    let locked = false
    while (!signal.aborted && !locked) {
      locked = await holdsLock(listener.query)
      if (!locked) await pause(ASK_EVERY_MS)
    }
    while (!signal.aborted) {
      const published = await publishNext(listener.query, options)
      onProgress()
      if (published < MAX_ROWS) await pause(LOOK_EVERY_MS)
    }
    if (locked) await publishNext(listener.query, options) // (4)
  } finally {
    await listener.close()
  }
}

async function holdsLock(query: Query): Promise<boolean> {
  const [row] = await query<{ held: boolean }>(TRY_LOCK)
  return row?.held === true
}

/** Publishes the oldest rows and removes them; resolves with their number. */
export async function publishNext(
  query: Query,
  { producer, metrics }: Pick<RelayOptions, 'producer' | 'metrics'>,
): Promise<number> {
  const rows = await query<OutboxRow>(NEXT_OUTBOX, [MAX_ROWS])
  for (const run of runsOfTopic(rows)) {
    await producer.send(run.map(toRecord)) // (2)
    await query(DELETE_OUTBOX, [run.map((row) => row.id)]) // (3)
    for (const row of run) metrics.published.inc({ topic: row.topic })
  }
  const [state] = await query<{ rows: bigint; oldest_seconds: number }>(OUTBOX_STATE)
  metrics.outboxRows.set(Number(state?.rows ?? 0n))
  metrics.outboxOldestSeconds.set(state?.oldest_seconds ?? 0)
  return rows.length
}

/** Consecutive rows of one topic; a topic that comes again later is a run of its own. */
function runsOfTopic(rows: readonly OutboxRow[]): OutboxRow[][] {
  const runs: OutboxRow[][] = []
  for (const row of rows) {
    const last = runs.at(-1)
    if (last?.[0]?.topic === row.topic) last.push(row)
    else runs.push([row])
  }
  return runs
}

const toRecord = ({ topic, partition, key, value, headers }: OutboxRow): OutgoingRecord => ({
  topic,
  partition,
  key,
  value,
  headers,
})
