/**
 * The form of a snapshot in `detector.snapshots`: the engine's chunks as one stream of frames (length, msgpack), cut into pieces of one record
 * each, and a manifest as the last record. Only a set whose manifest is there and whose every piece agrees with it is used.
 */
import { createHash } from 'node:crypto'
import type { SnapshotChunk } from '@tocsin/engine'
import { Packr, Unpackr } from 'msgpackr'

/** Raised when a reader of the previous form could not read the new one; both releases then read both (design §5.7). */
export const SNAPSHOT_FORMAT = 1
export const PIECE_BYTES = 900_000
const LENGTH_BYTES = 4
const packr = new Packr({ useRecords: false, moreTypes: true })
const unpackr = new Unpackr({ useRecords: false, moreTypes: true })

export interface Manifest {
  readonly format: number
  /** Version of the engine that wrote it, for people. */
  readonly engine: string
  readonly topic: string
  readonly partition: number
  /** The state is that before this offset of `audit.events`. */
  readonly offset: string
  readonly member: string
  readonly pieces: number
  readonly bytes: number
  /** SHA-256 of each piece, base64, in order. */
  readonly checksums: readonly string[]
}

/** Which set a record of `detector.snapshots` belongs to. */
export interface SetId {
  readonly partition: number
  readonly offset: bigint
  readonly member: string
}
export type PieceName = number | 'manifest'

export const nameOfSet = ({ partition, offset, member }: SetId): string => `${partition}/${offset}/${member}`
export const keyOfPiece = (set: SetId, piece: PieceName): string => `${nameOfSet(set)}/${piece}`

const KEY = /^(\d+)\/(\d+)\/([\w-]+)\/(\d+|manifest)$/
/** Undefined for a key that is not ours. */
export function parseKey(key: string): { readonly set: SetId; readonly piece: PieceName } | undefined {
  const [, partition, offset, member, piece] = KEY.exec(key) ?? []
  if (partition === undefined || offset === undefined || member === undefined || piece === undefined) return undefined
  return {
    set: { partition: Number(partition), offset: BigInt(offset), member },
    piece: piece === 'manifest' ? piece : Number(piece),
  }
}

export const checksumOf = (piece: Uint8Array): string => createHash('sha256').update(piece).digest('base64')

/** Gathers chunks and gives out full pieces. */
export class PieceWriter {
  #waiting: Buffer[] = []
  #bytes = 0

  add(chunk: SnapshotChunk): void {
    const frame = packr.pack(chunk)
    const length = Buffer.allocUnsafe(LENGTH_BYTES)
    length.writeUInt32BE(frame.length)
    // A copy: msgpackr gives out a view of a buffer that it goes on using.
    this.#waiting.push(length, Buffer.from(frame))
    this.#bytes += LENGTH_BYTES + frame.length
  }

  /** The next full piece, or with `last` also a shorter one; undefined when there is none. */
  take(last = false): Buffer | undefined {
    if (this.#bytes === 0 || (this.#bytes < PIECE_BYTES && !last)) return undefined
    const parts: Buffer[] = []
    let bytes = 0
    let consumed = 0
    for (const part of this.#waiting) {
      const room = PIECE_BYTES - bytes
      if (part.length > room) {
        if (room > 0) parts.push(part.subarray(0, room))
        this.#waiting[consumed] = part.subarray(room)
        bytes += room
        break
      }
      parts.push(part)
      bytes += part.length
      consumed += 1
    }
    this.#waiting.splice(0, consumed)
    this.#bytes -= bytes
    return Buffer.concat(parts, bytes)
  }
}

/** The chunks of a whole set. Throws where the stream does not end with a frame. */
export function* chunksOf(pieces: readonly Buffer[]): Generator<SnapshotChunk> {
  let rest: Buffer = Buffer.alloc(0)
  for (const piece of pieces) {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    while (rest.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + rest.readUInt32BE()
      if (rest.length < end) break
      yield unpackr.unpack(rest.subarray(LENGTH_BYTES, end)) as SnapshotChunk
      rest = rest.subarray(end)
    }
  }
  if (rest.length > 0) throw new Error(`the snapshot ends in the middle of a chunk, ${rest.length} bytes are left`)
}

/** Undefined, or why a set may not be used; `checksums` are those of the pieces that are there. */
export function faultOf(
  id: SetId,
  manifest: Manifest | 'unreadable',
  checksums: ReadonlyMap<number, string>,
): string | undefined {
  if (manifest === 'unreadable') return 'its manifest cannot be read'
  if (manifest.partition !== id.partition || manifest.offset !== String(id.offset)) return 'its manifest is that of another set'
  if (manifest.format !== SNAPSHOT_FORMAT) return `its format is ${manifest.format}, this release reads ${SNAPSHOT_FORMAT}`
  if (manifest.checksums.length !== manifest.pieces) return 'its manifest contradicts itself'
  for (let index = 0; index < manifest.pieces; index++) {
    const checksum = checksums.get(index)
    if (checksum === undefined) return `piece ${index} of ${manifest.pieces} is missing`
    if (checksum !== manifest.checksums[index]) return `piece ${index} is damaged`
  }
  return undefined
}
