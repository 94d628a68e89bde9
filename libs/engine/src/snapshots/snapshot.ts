import type { OrganizationSettings, RuleRecord, TenantRecord } from '@tocsin/contracts'
import { encodeBaseline } from '../baselines/baseline-codec.ts'
import type { GroupBaseline } from '../baselines/baselines.ts'
import type { Counters } from '../counters.ts'
import type { Group } from '../group.ts'
import type { EventPool } from '../held/event-pool.ts'
import type { RuleInstance } from '../rule-instance.ts'
import type { ExceptionHits } from '../rules/exceptions.ts'
import type { Program } from '../rules/program.ts'
import type { EpochMs } from '../time.ts'
import { ByteWriter } from './bytes.ts'
import { encodeGroup } from './group-codec.ts'

/** Of the chunks' content. A reader of another format refuses. */
export const CONTENT_FORMAT = 5
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
  /** Baselines of groups as bytes (baseline-codec.ts), likewise. */
  | { readonly kind: 'baselines'; readonly content: Uint8Array; readonly bytes: number }

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
  /** Every baseline, and whose it is; likewise. */
  readonly baselines: Iterator<readonly [RuleInstance, GroupBaseline]>
  /** Called once when nothing is left to write. */
  ended(): void
}

/** What is encoded when it is about to change, or else when it is its turn. */
interface Savable {
  savedFor: number
}

/** All things of one kind: a chunk in hand, and those that have been filled. */
class Section<T extends Savable> {
  readonly #serial: number
  readonly #next: () => T | null
  readonly #write: (item: T, to: ByteWriter) => void
  readonly #chunk = new ByteWriter()
  #saved: Uint8Array[] = []

  constructor(serial: number, next: () => T | null, write: (item: T, to: ByteWriter) => void) {
    this.#serial = serial
    this.#next = next
    this.#write = write
  }

  save(item: T): void {
    if (item.savedFor === this.#serial) return
    this.#encode(item)
    if (this.#chunk.length >= SAVED_CHUNK_BYTES) this.#saved.push(this.#chunk.take())
  }

  /** Null when all is written. */
  take(maxBytes: number): Uint8Array | null {
    const saved = this.#saved.pop()
    if (saved !== undefined) return saved
    for (let item = this.#next(); item !== null; item = this.#next()) {
      if (item.savedFor !== this.#serial) this.#encode(item)
      if (this.#chunk.length >= maxBytes) break
    }
    return this.#chunk.length > 0 ? this.#chunk.take() : null
  }

  #encode(item: T): void {
    item.savedFor = this.#serial
    this.#write(item, this.#chunk)
  }
}

/** Copy on write: what is about to change is encoded first (`save…`), so that each is written as it was at the beginning. */
export class SliceWriter implements SnapshotWriter {
  readonly #source: SnapshotSource
  readonly #groups: Section<Group>
  readonly #baselines: Section<GroupBaseline>
  /** Whose the baselines are that are being encoded. */
  #owner: RuleInstance | null = null
  #hasHead = false
  #isOver = false

  /** @param serial distinct for each snapshot of an engine; what is saved carries that of the last one that holds it */
  constructor(serial: number, source: SnapshotSource) {
    this.#source = source
    const pinned = new Map(source.pinned.map((program, index) => [program, index]))
    this.#groups = new Section(
      serial,
      () => nextOf(source.groups),
      (group, to) => encodeGroup(group, source.pool, pinned.get(group.program) ?? null, to),
    )
    this.#baselines = new Section(
      serial,
      () => {
        const [owner, baseline] = nextOf(source.baselines) ?? [null, null]
        this.#owner = owner
        return baseline
      },
      (baseline, to) => encodeBaseline(this.#owner as RuleInstance, baseline, to),
    )
  }

  save(group: Group): void {
    this.#groups.save(group)
  }

  saveBaseline(owner: RuleInstance, baseline: GroupBaseline): void {
    this.#owner = owner
    this.#baselines.save(baseline)
  }

  next(maxBytes: number): SnapshotChunk | null {
    if (this.#isOver) return null
    if (!this.#hasHead) {
      this.#hasHead = true
      const { head } = this.#source
      return { kind: 'head', content: head, bytes: 1000 + 1000 * (head.organizations.length + head.rules.length) }
    }
    const groups = this.#groups.take(maxBytes)
    if (groups !== null) return { kind: 'groups', content: groups, bytes: groups.length }
    const baselines = this.#baselines.take(maxBytes)
    if (baselines !== null) return { kind: 'baselines', content: baselines, bytes: baselines.length }
    this.abandon()
    return null
  }

  abandon(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#source.ended()
  }
}

function nextOf<T>(items: Iterator<T>): T | null {
  const step = items.next()
  return step.done === true ? null : step.value
}
