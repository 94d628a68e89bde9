/**
 * A piece of a snapshot: plain data of objects, arrays, strings, numbers, booleans, null and Uint8Array, to be encoded and
 * stored by the shell in the order given. The first chunk is the head.
 */
export interface SnapshotChunk {
  readonly kind: 'head' | 'groups'
  readonly content: unknown
  /** About how large the encoded chunk is. */
  readonly bytes: number
}

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
