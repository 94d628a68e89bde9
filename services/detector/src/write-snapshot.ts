import { TOPICS } from '@tocsin/contracts'
import type { SnapshotWriter } from '@tocsin/engine'
import { checksumOf, type Manifest, PieceWriter, type SetId, SNAPSHOT_FORMAT } from './snapshot-format.ts'
import type { SnapshotStore } from './snapshot-store.ts'

/**
 * Encoding in one go, milliseconds: between two slices records are processed and the group hears of this member. Less than the 20 ms that a slice
 * may take (design §5.2), because the last chunk may turn out larger than expected.
 */
const AIM_MS = 8
const FIRST_CHUNK_BYTES = 32_768
const LEAST_CHUNK_BYTES = 4_096
const MOST_CHUNK_BYTES = 262_144

export interface WrittenSnapshot {
  readonly pieces: number
  readonly bytes: number
  readonly cpuMs: number
  readonly longestSliceMs: number
  /** From the first slice to the acknowledged manifest, rests included. */
  readonly tookMs: number
}

/**
 * Writes a snapshot piece by piece and then its manifest; resolves when the manifest is acknowledged. Rejects with RetryableError while the broker
 * is away, and when `signal` aborts: the set is then not complete and nobody uses it.
 */
export async function writeSnapshot(options: {
  readonly writer: SnapshotWriter
  readonly set: SetId
  readonly engineVersion: string
  readonly store: SnapshotStore
  readonly signal: AbortSignal
  /** Told of each piece that is acknowledged, also of a set that is not finished, with its offset in `detector.snapshots`. */
  readonly onPiece: (index: number, offset: bigint) => void
  /** Waits after a slice of so many milliseconds, at least until the event loop has gone round. */
  readonly rest: (sliceMs: number) => Promise<unknown>
}): Promise<WrittenSnapshot> {
  const { writer, set, store, signal } = options
  const started = performance.now()
  const stream = new PieceWriter()
  const checksums: string[] = []
  let bytes = 0
  let cpuMs = 0
  let longestSliceMs = 0
  let chunkBytes = FIRST_CHUNK_BYTES
  const write = async (piece: Buffer) => {
    signal.throwIfAborted()
    const index = checksums.push(checksumOf(piece)) - 1
    bytes += piece.length
    const { offset } = await store.writePiece(set, index, piece)
    options.onPiece(index, offset)
  }
  for (let ended = false; !ended; ) {
    signal.throwIfAborted()
    const begun = performance.now()
    let piece: Buffer | undefined
    while (piece === undefined && !ended && performance.now() - begun < AIM_MS) {
      const chunkBegun = performance.now()
      const chunk = writer.next(chunkBytes)
      if (chunk === null) ended = true
      else stream.add(chunk)
      const took = performance.now() - chunkBegun
      if (took > AIM_MS) chunkBytes = Math.max(LEAST_CHUNK_BYTES, chunkBytes / 2)
      else if (took < AIM_MS / 8) chunkBytes = Math.min(MOST_CHUNK_BYTES, chunkBytes * 2)
      piece = stream.take(ended)
    }
    const slice = performance.now() - begun
    cpuMs += slice
    longestSliceMs = Math.max(longestSliceMs, slice)
    for (; piece !== undefined; piece = stream.take(ended)) await write(piece)
    await options.rest(slice)
  }
  const manifest: Manifest = {
    format: SNAPSHOT_FORMAT,
    engine: options.engineVersion,
    topic: TOPICS.auditEvents.name,
    partition: set.partition,
    offset: String(set.offset),
    member: set.member,
    pieces: checksums.length,
    bytes,
    checksums,
  }
  signal.throwIfAborted()
  await store.writeManifest(set, manifest)
  return { pieces: checksums.length, bytes, cpuMs, longestSliceMs, tookMs: performance.now() - started }
}
