/** Readers that stand outside of any group: compacted topics, snapshots, the gateway's ring. */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { RetryableError } from '@tocsin/errors'
import { backoffMs } from './back-off.ts'
import { internalsOf, type Kafka } from './kafka.ts'
import { readPartitions } from './partition-reader.ts'
import type { KafkaRecord } from './record.ts'
import { deleteGroup } from './topics.ts'

export interface FollowOptions {
  readonly kafka: Kafka
  /** Without prefix. */
  readonly topic: string
  /** In offset order within a partition. Synchronous, should not throw (a throw is logged and the record left out). */
  readonly onRecord: (record: KafkaRecord) => void
  /** Only these partitions; default all. */
  readonly partitions?: readonly number[]
  /** Begin with records appended at or after this time (ms since 1970); default the log's beginning. */
  readonly since?: number
  /** Begin at this offset of each partition (for one partition); at the log's beginning where the log ends before it. */
  readonly from?: bigint
}

/** A reader of all partitions with a throw-away group that never commits. */
export interface Following {
  /** Resolves when everything has been read that lay in the topic at the start. Waits while Kafka is away; rejects when stopped before. */
  readonly caughtUp: Promise<void>
  /** Reads to the present end. RetryableError after `limitMs` (default 2,000). */
  catchUp(limitMs?: number): Promise<void>
  /** Next offset to be read; undefined before the reader knows. */
  position(partition: number): bigint | undefined
  /** Is the broker answering? */
  isUp(): boolean
  /** Present troubles for readiness. */
  degraded(): readonly string[]
  stop(): Promise<void>
}

const CATCH_UP_LIMIT_MS = 2_000
/** Waiting for a position is asked for this often; only while somebody waits. */
const ASK_EVERY_MS = 10
/** Without any progress for so long, reading to the end has failed. */
const STALL_LIMIT_MS = 20_000

export function followTopic(options: FollowOptions): Following {
  const kafka = internalsOf(options.kafka)
  const { topic } = options
  const groupId = `${kafka.clientId}.follow.${randomUUID()}`
  const stopping = new AbortController()
  const reader = readPartitions({
    kafka,
    groupId,
    topics: [topic],
    throwAway: true,
    ...(options.partitions === undefined ? {} : { only: options.partitions }),
    owner: {
      begin: async ({ partition }) => {
        // A partition that is assigned again goes on where it was: `position` below is what was delivered.
        const known = delivered.get(partition)
        if (known !== undefined) return known
        const { since, from } = options
        if (from !== undefined) {
          const bounds = (await kafka.topicOffsets(topic)).get(partition)
          return bounds !== undefined && bounds.start <= from && from <= bounds.end ? from : undefined
        }
        if (since === undefined) return undefined
        const offsets = await kafka.administer(`offsets of ${topic} by time were not read`, (admin) =>
          admin.fetchTopicOffsetsByTimestamp(kafka.name(topic), since),
        )
        return BigInt(offsets.find((each) => each.partition === partition)?.offset ?? '0')
      },
      records: async ({ partition }, records, context) => {
        let next = delivered.get(partition) ?? 0n
        for (const record of records) {
          if (!context.mine()) break
          try {
            options.onRecord(record)
          } catch (error) {
            kafka.log.error(
              { topic, partition, offset: String(record.offset), err: error },
              'a followed record was not understood and is left out',
            )
          }
          next = record.offset + 1n
          delivered.set(partition, next)
        }
        return { kind: 'go', next }
      },
      lost: () => {},
    },
  })
  const delivered = new Map<number, bigint>()

  const positions = () =>
    new Map(
      reader.holding().flatMap(({ partition, state, position }) => (state === 'loading' ? [] : [[partition, position] as const])),
    )

  const ends = async () => {
    const offsets = await kafka.topicOffsets(topic)
    const wanted = options.partitions
    return new Map(
      [...offsets].flatMap(([partition, { end }]) =>
        wanted === undefined || wanted.includes(partition) ? [[partition, end] as const] : [],
      ),
    )
  }
  const reached = (target: ReadonlyMap<number, bigint>) => {
    const now = positions()
    return [...target].every(([partition, end]) => (now.get(partition) ?? -1n) >= end)
  }
  const untilReached = async (target: ReadonlyMap<number, bigint>, until: number) => {
    while (!reached(target)) {
      if (performance.now() > until) throw new RetryableError(`${topic} was not read to its end in time`)
      await delay(ASK_EVERY_MS, undefined, { signal: stopping.signal })
    }
  }

  const caughtUp = (async () => {
    for (let failures = 0; ; ) {
      try {
        const target = await ends()
        await untilReached(target, Number.POSITIVE_INFINITY)
        return
      } catch (error) {
        if (stopping.signal.aborted || !(error instanceof RetryableError)) throw error
        failures += 1
        if (failures === 1) kafka.log.warn({ topic, reason: error.message }, 'waiting for a topic')
        await delay(backoffMs(failures), undefined, { signal: stopping.signal })
      }
    }
  })()
  caughtUp.catch(() => {})

  return {
    caughtUp,
    catchUp: async (limitMs = CATCH_UP_LIMIT_MS) => {
      const until = performance.now() + limitMs
      const target = await Promise.race([ends(), delay(limitMs, undefined, { ref: false })])
      if (target === undefined) throw new RetryableError(`${topic} was not read to its end in time`)
      await untilReached(target, until)
    },
    position: (partition) => positions().get(partition),
    isUp: () => kafka.isUp(),
    degraded: () => reader.degraded(),
    stop: async () => {
      stopping.abort()
      await reader.stop()
      // Empty groups go away by themselves in time; this only tidies up sooner.
      await deleteGroup(kafka, groupId).catch(() => {})
    },
  }
}

/** Reads what lies in a topic now, to its end, and resolves. RetryableError when Kafka is away or stops answering; rejects when `signal` aborts. */
export async function readToEnd(options: FollowOptions & { readonly signal?: AbortSignal }): Promise<void> {
  const { signal } = options
  let moved = performance.now()
  const following = followTopic({
    ...options,
    onRecord: (record) => {
      moved = performance.now()
      options.onRecord(record)
    },
  })
  const watching = new AbortController()
  const stall = (async () => {
    for (;;) {
      await delay(STALL_LIMIT_MS / 20, undefined, { signal: watching.signal, ref: false })
      signal?.throwIfAborted()
      if (performance.now() - moved > STALL_LIMIT_MS)
        throw new RetryableError(`${options.topic} was not read to its end: nothing came for ${STALL_LIMIT_MS} ms`)
    }
  })()
  try {
    await Promise.race([following.caughtUp, stall])
    signal?.throwIfAborted()
  } finally {
    watching.abort()
    stall.catch(() => {})
    await following.stop()
  }
}
