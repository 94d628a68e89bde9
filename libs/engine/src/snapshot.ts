import type { OrganizationSettings, RuleRecord, TenantRecord } from '@tocsin/contracts'
import { ByteWriter } from './bytes.ts'
import type { Counters } from './counters.ts'
import type { EventPool } from './event-pool.ts'
import type { ExceptionHits } from './exceptions.ts'
import type { Group } from './group.ts'
import { encodeGroup } from './group-codec.ts'
import type { Program } from './program.ts'
import type { EpochMs } from './time.ts'

/** Of the chunks' content. A reader of another format refuses. */
export const CONTENT_FORMAT = 3
/** Bytes of groups that had to be saved are cut into chunks of about so many. */
const SAVED_CHUNK_BYTES = 262_144

/** What holds for the whole partition. */
export interface SnapshotHead {
  readonly format: typeof CONTENT_FORMAT
  /** Null before the first record. */
  readonly logTime: EpochMs | null
  readonly counters: Counters
  readonly rules: readonly RuleRecord[]
  readonly organizations: readonly TenantRecord[]
  /** Absent in snapshots of earlier builds. */
  readonly exceptionHits?: readonly ExceptionHits[]
  /** Earlier versions that open alerts still hold to, and the settings they were bound to. */
  readonly pinned: readonly { readonly rule: RuleRecord; readonly settings: OrganizationSettings }[]
}

/**
 * A piece of a snapshot: plain data of objects, arrays, strings, numbers, booleans, null and Uint8Array, to be encoded and
 * stored by the shell in the order given. The first chunk is the head.
 */
export type SnapshotChunk =
  | { readonly kind: 'head'; readonly content: SnapshotHead; readonly bytes: number }
  /** Groups as bytes (group-codec.ts), each chunk by itself. */
  | { readonly kind: 'groups'; readonly content: Uint8Array; readonly bytes: number }

/** Writes the state as of the moment of `beginSnapshot()`, however many records are processed meanwhile. */
export interface SnapshotWriter {
  /**
   * The next chunk of about `maxBytes` (at least one group, so a full group exceeds it), or null when all is written.
   * Call it between records only.
   */
  next(maxBytes: number): SnapshotChunk | null
  /** Gives the snapshot up; the engine stops copying for it. */
  abandon(): void
}

/** What a slice writer reads of the engine. */
export interface SnapshotSource {
  readonly head: SnapshotHead
  /** Of `head.pinned`, in its order. */
  readonly pinned: readonly Program[]
  readonly pool: EventPool
  /** Every group; groups may come and go while it is walked. */
  readonly groups: Iterator<Group>
  /** Called once when nothing is left to write. */
  ended(): void
}

/** Copy on write: a group about to change is encoded first (`save`), so that each is written as it was at the beginning. */
export class SliceWriter implements SnapshotWriter {
  /** Distinct for each snapshot of an engine; groups carry that of the last one that holds them. */
  readonly serial: number
  readonly #source: SnapshotSource
  readonly #pinned: ReadonlyMap<Program, number>
  /** The chunk in hand, and those that `save` has filled. */
  readonly #chunk = new ByteWriter()
  #saved: Uint8Array[] = []
  #hasHead = false
  #isOver = false

  constructor(serial: number, source: SnapshotSource) {
    this.serial = serial
    this.#source = source
    this.#pinned = new Map(source.pinned.map((program, index) => [program, index]))
  }

  save(group: Group): void {
    if (group.savedFor === this.serial) return
    this.#encode(group)
    if (this.#chunk.length >= SAVED_CHUNK_BYTES) this.#saved.push(this.#chunk.take())
  }

  next(maxBytes: number): SnapshotChunk | null {
    if (this.#isOver) return null
    if (!this.#hasHead) {
      this.#hasHead = true
      const { head } = this.#source
      return { kind: 'head', content: head, bytes: 1000 + 1000 * (head.organizations.length + head.rules.length) }
    }
    const saved = this.#saved.pop()
    if (saved !== undefined) return { kind: 'groups', content: saved, bytes: saved.length }
    while (this.#chunk.length < maxBytes && this.#walk()) {}
    const bytes = this.#chunk.length
    if (bytes > 0) return { kind: 'groups', content: this.#chunk.take(), bytes }
    this.abandon()
    return null
  }

  abandon(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#saved = []
    this.#source.ended()
  }

  /** Encodes the next group that was not saved before; false when there is none. */
  #walk(): boolean {
    for (;;) {
      const step = this.#source.groups.next()
      if (step.done === true) return false
      if (step.value.savedFor === this.serial) continue
      this.#encode(step.value)
      return true
    }
  }

  #encode(group: Group): void {
    group.savedFor = this.serial
    encodeGroup(group, this.#source.pool, this.#pinned.get(group.program) ?? null, this.#chunk)
  }
}
