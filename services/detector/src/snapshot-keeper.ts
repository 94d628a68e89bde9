/** The snapshots of one partition: when they are taken, what is committed, which are thrown away. */
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '@tocsin/errors'
import type { Logger } from '@tocsin/telemetry'
import type { Engine } from './engine-port.ts'
import type { DetectorMetrics } from './metrics.ts'
import { nameOfSet, type PieceName, type SetId } from './snapshot-format.ts'
import { decideSnapshot, type SnapshotPace } from './snapshot-schedule.ts'
import { outdatedSets, type StoredSet } from './snapshot-shelf.ts'
import type { SnapshotStore } from './snapshot-store.ts'
import { writeSnapshot } from './write-snapshot.ts'

/** Metadata of a committed offset: from where in `detector.snapshots` the kept sets are to be read. */
const writeMetadata = (begins: bigint): string => `snapshots from ${begins}`
export const readMetadata = (metadata: string | null): bigint | undefined => {
  const [, begins] = /^snapshots from (\d+)$/.exec(metadata ?? '') ?? []
  return begins === undefined ? undefined : BigInt(begins)
}

export interface KeeperOptions {
  readonly partition: number
  /** Offset of `audit.events` that the engine's state stands before. */
  readonly next: bigint
  /** Log time of that state; null or 0 before the first record. */
  readonly logTime: number | null
  /** What lies in the topic for this partition. */
  readonly stored: readonly StoredSet[]
  /** Names this process in keys. */
  readonly member: string
  readonly engineVersion: string
  readonly pace: SnapshotPace
  /** How many partitions this process has now. */
  readonly partitions: () => number
  readonly store: SnapshotStore
  /** Commits an offset of `audit.events`; false or a rejection: not committed, which the next snapshot mends. */
  readonly commit: (next: bigint, metadata: string) => Promise<boolean>
  /** One snapshot of the process at a time, so that slices of several do not add up. */
  readonly turns: SnapshotTurns
  readonly metrics: DetectorMetrics
  readonly log: Logger
}

/** Who may write a snapshot now. */
export class SnapshotTurns {
  #taken = false
  #queue: (() => void)[] = []

  tryTake(): boolean {
    if (this.#taken) return false
    this.#taken = true
    return true
  }
  async take(): Promise<void> {
    while (!this.tryTake()) await new Promise<void>((resolve) => this.#queue.push(resolve))
  }
  giveBack(): void {
    this.#taken = false
    this.#queue.shift()?.()
  }
}

export class SnapshotKeeper {
  readonly #options: KeeperOptions
  readonly #lost = new AbortController()
  #stored: StoredSet[]
  #next: bigint
  /** Offset of the last complete snapshot; undefined when there is none. */
  #complete: bigint | undefined
  #endedAt = performance.now()
  #records = 0
  #cpuMs = 0
  #coveredUntil: number
  #writing: Promise<void> | undefined
  /** Set when nothing else is to be done any more. */
  #isLast = false

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#stored = [...options.stored]
    this.#next = options.next
    this.#coveredUntil = options.logTime || Date.now()
    if (this.#stored.some(({ id, complete }) => complete && id.offset === options.next)) this.#complete = options.next
  }

  /** Log time of the newest complete snapshot, milliseconds since 1970; of one before the first record, when it was taken. */
  get coveredUntil(): number {
    return this.#coveredUntil
  }

  /** So many records were processed; the state now stands before `next`. */
  advance(next: bigint, records: number): void {
    this.#next = next
    this.#records += records
  }

  /** Begins one in the background when it is time. Call it between turns, with everything published. */
  beginIfDue(engine: Engine): void {
    if (this.#writing !== undefined) return
    const { partitions } = this.#options
    const elapsedMs = performance.now() - this.#endedAt
    const since = { elapsedMs, records: this.#records, cpuMs: this.#cpuMs, partitions: partitions() }
    if (decideSnapshot(since, this.#options.pace) !== 'begin' || !this.#options.turns.tryTake()) return
    this.#writing = this.#write(engine)
      .catch((error: unknown) => {
        if (!this.#lost.signal.aborted)
          this.#options.log.warn(
            { partition: this.#options.partition, reason: messageOf(error) },
            'a snapshot was given up and is tried again',
          )
      })
      .finally(() => {
        this.#writing = undefined
        this.#options.turns.giveBack()
      })
  }

  /** The first snapshot of a partition. Rejects with RetryableError when it could not be written. */
  async writeFirst(engine: Engine): Promise<void> {
    await this.#options.turns.take()
    try {
      await this.#write(engine)
    } finally {
      this.#options.turns.giveBack()
    }
  }

  /** The snapshot of a clean stop; no records may be processed any more. Nothing to do when the last one is of this offset. */
  async writeLast(engine: Engine): Promise<void> {
    this.#isLast = true
    await this.#writing
    if (this.#complete === this.#next || this.#lost.signal.aborted) return
    await this.writeFirst(engine)
  }

  /** The partition is lost. */
  abandon(): void {
    this.#lost.abort(new Error('the partition was taken away'))
  }

  /** Call only while holding the turn. */
  async #write(engine: Engine): Promise<void> {
    const { partition, member, store, metrics, log } = this.#options
    const set: SetId = { partition, offset: this.#next, member }
    const pieces = new Set<PieceName>()
    let begins: bigint | undefined
    const recordsBefore = this.#records
    const logTime = engine.logTime()
    const writer = engine.beginSnapshot()
    try {
      const written = await writeSnapshot({
        writer,
        set,
        engineVersion: this.#options.engineVersion,
        store,
        signal: this.#lost.signal,
        onPiece: (index, offset) => {
          pieces.add(index)
          begins ??= offset
          // Known from now on: what is not finished is thrown away with the next one that is.
          this.#remember({ id: set, pieces, complete: false, begins })
        },
        // As long as the slice was: records get at least half of the time, and an alert waits for few slices.
        rest: (sliceMs) => (this.#isLast ? new Promise(setImmediate) : delay(sliceMs)),
      })
      this.#remember({ id: set, pieces: pieces.add('manifest'), complete: true, begins: begins ?? 0n })
      this.#complete = set.offset
      this.#coveredUntil = logTime || Date.now()
      this.#records -= recordsBefore
      this.#cpuMs = written.cpuMs
      metrics.snapshots.inc({ outcome: 'complete' })
      metrics.snapshotBytes.set(written.bytes)
      metrics.snapshotCpu.set(written.cpuMs / 1_000)
      metrics.snapshotSlice.set(written.longestSliceMs / 1_000)
      metrics.snapshotDuration.set(written.tookMs / 1_000)
      log.debug({ partition, offset: String(set.offset), ...written }, 'snapshot complete')
      const outdated = outdatedSets(this.#stored, set)
      await this.#commit(set, outdated)
      await store.remove(outdated)
      const names = new Set(outdated.map(({ id }) => nameOfSet(id)))
      this.#stored = this.#stored.filter(({ id }) => !names.has(nameOfSet(id)))
    } catch (error) {
      writer.abandon()
      metrics.snapshots.inc({ outcome: 'given up' })
      throw error
    } finally {
      this.#endedAt = performance.now()
    }
  }

  async #commit(set: SetId, outdated: readonly StoredSet[]): Promise<void> {
    const kept = this.#stored.filter((each) => !outdated.includes(each)).map(({ begins }) => begins)
    const metadata = writeMetadata(kept.reduce((least, each) => (each < least ? each : least)))
    try {
      await this.#options.commit(set.offset, metadata)
    } catch (error) {
      this.#options.log.warn(
        { partition: set.partition, reason: messageOf(error) },
        'an offset was not committed, the next snapshot does it',
      )
    }
  }

  #remember(set: StoredSet): void {
    this.#stored = [...this.#stored.filter(({ id }) => nameOfSet(id) !== nameOfSet(set.id)), set]
  }
}
