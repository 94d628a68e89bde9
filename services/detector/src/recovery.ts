/**
 * Brings the engine of a partition back to where its newest usable snapshot stands.
 *
 * Also ahead of time: the group gives nothing to the process that takes the place of a killed one until that one's session has ended, 6 s at worst. Where
 * one other member is all that the group knows, its partitions are recovered meanwhile. What the group then gives to nobody here, or where a
 * newer snapshot was taken since, is thrown away.
 */
import { TOPICS } from '@tocsin/contracts'
import { messageOf } from '@tocsin/errors'
import { committedOffset, groupSize, type Kafka } from '@tocsin/kafka'
import type { Logger } from '@tocsin/telemetry'
import type { Engine, EngineMaker } from './engine-port.ts'
import type { DetectorMetrics } from './metrics.ts'
import { chunksOf } from './snapshot-format.ts'
import { readMetadata } from './snapshot-keeper.ts'
import type { SnapshotShelf, StoredSet } from './snapshot-shelf.ts'
import type { SnapshotStore } from './snapshot-store.ts'

export interface Recovered {
  /** What lies in `detector.snapshots` for the partition. */
  readonly stored: readonly StoredSet[]
  /** Undefined where there is no snapshot. */
  readonly restored: { readonly engine: Engine; readonly next: bigint } | undefined
  /** Done before the group had given the partition. */
  readonly isAhead: boolean
}

export interface RecoveryOptions {
  readonly kafka: Kafka
  readonly group: string
  readonly store: SnapshotStore
  readonly engines: EngineMaker
  readonly metrics: DetectorMetrics
  readonly log: Logger
}

type Committed = Awaited<ReturnType<typeof committedOffset>>

interface Ahead {
  readonly abort: AbortController
  /** Undefined when it failed: then it is done in the ordinary way. */
  readonly done: Promise<{ readonly committed: Committed; readonly recovered: Recovered } | undefined>
}

const TOPIC = TOPICS.auditEvents.name
/** This one, which may be known by now, and the one before it. With more, most of what is recovered would be for others. */
const MOST_MEMBERS = 2
/** Longest stretch of restoring in one go, milliseconds. */
const SLICE_MS = 20

export class Recovery {
  readonly #options: RecoveryOptions
  readonly #ahead = new Map<number, Ahead>()
  #isOver = false

  constructor(options: RecoveryOptions) {
    this.#options = options
  }

  /** Never rejects. */
  async beginAhead(): Promise<void> {
    const { kafka, group, log } = this.#options
    try {
      if ((await groupSize(kafka, group)) > MOST_MEMBERS) return
      for (const partition of (await kafka.topicOffsets(TOPIC)).keys()) {
        if (this.#isOver) return
        const abort = new AbortController()
        const done = this.#recoverNow(partition, abort.signal).catch((error: unknown) => {
          if (!abort.signal.aborted)
            log.debug({ partition, reason: messageOf(error) }, 'a partition was not recovered ahead of time')
          return undefined
        })
        this.#ahead.set(partition, { abort, done })
      }
    } catch (error) {
      log.debug({ reason: messageOf(error) }, 'nothing is recovered ahead of time')
    }
  }

  /** Call it when the group has said what this process has, and `recover` was called for all of that. */
  endAhead(): void {
    this.#isOver = true
    for (const { abort } of this.#ahead.values()) abort.abort()
    this.#ahead.clear()
  }

  async recover(partition: number, signal: AbortSignal): Promise<Recovered> {
    const ahead = this.#ahead.get(partition)
    this.#ahead.delete(partition)
    if (ahead !== undefined) {
      const abort = () => ahead.abort.abort()
      signal.addEventListener('abort', abort, { once: true })
      const found = await ahead.done
      signal.removeEventListener('abort', abort)
      signal.throwIfAborted()
      if (found !== undefined && isSame(found.committed, await this.#committed(partition)))
        return { ...found.recovered, isAhead: true }
    }
    return (await this.#recoverNow(partition, signal)).recovered
  }

  async #recoverNow(partition: number, signal: AbortSignal) {
    const committed = await this.#committed(partition)
    return { committed, recovered: await this.#load(partition, committed, signal) }
  }

  #committed(partition: number): Promise<Committed> {
    const { kafka, group } = this.#options
    return committedOffset(kafka, group, { topic: TOPIC, partition })
  }

  async #load(partition: number, committed: Committed, signal: AbortSignal): Promise<Recovered> {
    const { store, log } = this.#options
    const from = readMetadata(committed?.metadata ?? null)
    if (from !== undefined) {
      const shelf = await store.load(partition, from, signal)
      const restored = await this.#restore(partition, shelf, signal)
      if (restored !== undefined) return { stored: shelf.stored(), restored, isAhead: false }
      log.error({ partition, from: String(from) }, 'no snapshot is where the group says, all of the topic is read')
    }
    const shelf = await store.load(partition, 0n, signal)
    return { stored: shelf.stored(), restored: await this.#restore(partition, shelf, signal), isAhead: false }
  }

  /** The engine of the newest set that is whole and readable. */
  async #restore(partition: number, shelf: SnapshotShelf, signal: AbortSignal): Promise<Recovered['restored']> {
    const { log, metrics, engines } = this.#options
    const refuse = (offset: bigint, why: string) => {
      metrics.refusedSnapshots.inc()
      log.error({ partition, offset: String(offset), reason: why }, 'a snapshot is refused, the one before it is used')
    }
    for (const { id, pieces } of shelf.usable((refused, why) => refuse(refused.offset, why))) {
      try {
        return { engine: await inSlices(engines.restoring(partition, chunksOf(pieces)), signal), next: id.offset }
      } catch (error) {
        signal.throwIfAborted()
        refuse(id.offset, messageOf(error))
      }
    }
    return undefined
  }
}

const isSame = (one: Committed, other: Committed): boolean => one?.next === other?.next && one?.metadata === other?.metadata

/** Runs steps to their end, with the event loop in between: the group must hear of a member that restores for longer than a session lasts. */
async function inSlices<T>(steps: Generator<void, T>, signal: AbortSignal): Promise<T> {
  let begun = performance.now()
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (performance.now() - begun < SLICE_MS) continue
    await new Promise(setImmediate)
    signal.throwIfAborted()
    begun = performance.now()
  }
}
