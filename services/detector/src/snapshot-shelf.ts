/** What lies in one partition of `detector.snapshots`, gathered record by record: which sets, which of them are complete. */
import type { KafkaRecord } from '@tocsin/kafka'
import { checksumOf, faultOf, type Manifest, nameOfSet, type PieceName, parseKey, type SetId } from './snapshot-format.ts'

/** The newest complete set, and the one before it in case the newest turns out to be unreadable. */
export const KEPT_SETS = 2

/** A set as it lies there; `pieces` names what is known to exist of it, manifest included. */
export interface StoredSet {
  readonly id: SetId
  readonly pieces: ReadonlySet<PieceName>
  readonly complete: boolean
  /** Offset in `detector.snapshots` of its first record that is still there. */
  readonly begins: bigint
}
export interface UsableSet {
  readonly id: SetId
  readonly manifest: Manifest
  readonly pieces: readonly Buffer[]
}

interface GatheredSet {
  readonly id: SetId
  readonly content: Map<number, Buffer>
  /** Worked out as the pieces come in, one at a time: all at once would take too long. */
  readonly checksums: Map<number, string>
  readonly begins: bigint
  manifest: Manifest | 'unreadable' | undefined
}

export class SnapshotShelf {
  readonly #sets = new Map<string, GatheredSet>()

  add(record: Pick<KafkaRecord, 'key' | 'value' | 'offset'>): void {
    const parsed = parseKey(record.key?.toString() ?? '')
    if (parsed === undefined) return
    const name = nameOfSet(parsed.set)
    const set = this.#sets.get(name) ?? {
      id: parsed.set,
      content: new Map<number, Buffer>(),
      checksums: new Map<number, string>(),
      manifest: undefined,
      begins: record.offset,
    }
    this.#sets.set(name, set)
    if (record.value === null) {
      if (parsed.piece === 'manifest') set.manifest = undefined
      else {
        set.content.delete(parsed.piece)
        set.checksums.delete(parsed.piece)
      }
      if (set.manifest === undefined && set.content.size === 0) this.#sets.delete(name)
    } else if (parsed.piece === 'manifest') set.manifest = parseManifest(record.value)
    else {
      set.content.set(parsed.piece, record.value)
      set.checksums.set(parsed.piece, checksumOf(record.value))
    }
  }

  /** Sets from the newest on that are whole and undamaged. `refused` hears of those that are not, though a manifest promised it. */
  *usable(refused: (id: SetId, why: string) => void): Generator<UsableSet> {
    const newestFirst = [...this.#sets.values()].sort((a, b) =>
      a.id.offset > b.id.offset ? -1 : a.id.offset < b.id.offset ? 1 : 0,
    )
    for (const { id, manifest, content, checksums } of newestFirst) {
      if (manifest === undefined) continue
      const fault = faultOf(id, manifest, checksums)
      if (fault !== undefined) refused(id, fault)
      else if (manifest !== 'unreadable')
        yield { id, manifest, pieces: Array.from({ length: manifest.pieces }, (_, index) => content.get(index) as Buffer) }
    }
  }

  stored(): StoredSet[] {
    return [...this.#sets.values()].map(({ id, manifest, content, checksums, begins }) => ({
      id,
      begins,
      complete: manifest !== undefined && faultOf(id, manifest, checksums) === undefined,
      pieces: new Set<PieceName>([...content.keys(), ...(manifest === undefined ? [] : (['manifest'] as const))]),
    }))
  }
}

/** Sets that `newest`, now complete, makes needless: all but the KEPT_SETS newest complete ones, also those that were never finished. */
export function outdatedSets(stored: readonly StoredSet[], newest: SetId): StoredSet[] {
  const upToNewest = stored.filter(({ id }) => id.offset <= newest.offset)
  const complete = upToNewest.filter((set) => set.complete).sort((a, b) => (a.id.offset > b.id.offset ? -1 : 1))
  const kept = new Set(complete.slice(0, KEPT_SETS).map(({ id }) => nameOfSet(id)))
  return upToNewest.filter(({ id }) => !kept.has(nameOfSet(id)))
}

function parseManifest(value: Buffer): Manifest | 'unreadable' {
  try {
    const manifest = JSON.parse(value.toString()) as Partial<Manifest>
    return typeof manifest.pieces === 'number' && Array.isArray(manifest.checksums) ? (manifest as Manifest) : 'unreadable'
  } catch {
    return 'unreadable'
  }
}
