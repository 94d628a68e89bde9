import type { SnapshotChunk } from '@tocsin/engine'
import { describe, expect, it } from 'vitest'
import {
  checksumOf,
  chunksOf,
  keyOfPiece,
  type Manifest,
  PIECE_BYTES,
  PieceWriter,
  parseKey,
  type SetId,
} from './snapshot-format.ts'
import { outdatedSets, SnapshotShelf } from './snapshot-shelf.ts'

const setId = (offset: number, member = 'm1'): SetId => ({ partition: 3, offset: BigInt(offset), member })
const chunk = (content: unknown) => ({ kind: 'groups', content, bytes: 0 }) as SnapshotChunk

function written(id: SetId, contents: readonly unknown[]) {
  const writer = new PieceWriter()
  const pieces: Buffer[] = []
  for (const content of contents) {
    writer.add(chunk(content))
    for (let piece = writer.take(); piece !== undefined; piece = writer.take()) pieces.push(piece)
  }
  for (let piece = writer.take(true); piece !== undefined; piece = writer.take(true)) pieces.push(piece)
  const manifest: Manifest = {
    format: 1,
    engine: 'test',
    topic: 'audit.events',
    partition: id.partition,
    offset: String(id.offset),
    member: id.member,
    pieces: pieces.length,
    bytes: 0,
    checksums: pieces.map(checksumOf),
  }
  const records = pieces.map((value, index) => ({ key: Buffer.from(keyOfPiece(id, index)), value }))
  return {
    pieces,
    manifest: { key: Buffer.from(keyOfPiece(id, 'manifest')), value: Buffer.from(JSON.stringify(manifest)) },
    records,
  }
}
const shelfOf = (...records: readonly { key: Buffer; value: Buffer | null }[]) => {
  const shelf = new SnapshotShelf()
  for (const [index, record] of records.entries()) shelf.add({ ...record, offset: BigInt(index) })
  return shelf
}
const usableOffsets = (shelf: SnapshotShelf, refusals: string[] = []) =>
  [...shelf.usable((id, why) => refusals.push(`${id.offset}: ${why}`))].map(({ id }) => Number(id.offset))

describe('the form of snapshots', () => {
  it('gives back what was written, cut into pieces of at most 900 KB, also a chunk larger than a piece', () => {
    const contents = [
      { a: 1 },
      { large: new Uint8Array(2_500_000).fill(7), text: 'x' },
      { floats: new Float64Array([1.5, Number.NaN]) },
      ...Array.from({ length: 50 }, (_, index) => 'y'.repeat(index * 1_000)),
    ]
    const { pieces } = written(setId(1), contents)
    expect(pieces.every((piece) => piece.length <= PIECE_BYTES)).toBe(true)
    expect(pieces.slice(0, -1).every((piece) => piece.length === PIECE_BYTES)).toBe(true)
    const back = [...chunksOf(pieces)].map(({ content }) => content) as unknown[]
    expect(back.length).toBe(contents.length)
    expect(back[0]).toEqual({ a: 1 })
    expect(Buffer.compare(Buffer.from((back[1] as { large: Uint8Array }).large), Buffer.alloc(2_500_000, 7))).toBe(0)
    expect(back[2]).toEqual(contents[2])
    expect(back.at(-1)).toBe(contents.at(-1))
  })

  it('refuses a stream that ends within a chunk', () => {
    const [piece] = written(setId(1), ['abcdef']).pieces
    expect(() => [...chunksOf([(piece as Buffer).subarray(0, -1)])]).toThrow(/middle of a chunk/)
  })

  it('knows its own keys only', () => {
    expect(parseKey(keyOfPiece(setId(12, 'a-b'), 4))).toEqual({ set: setId(12, 'a-b'), piece: 4 })
    expect(parseKey('3/12/m')).toBeUndefined()
    expect(parseKey('3/12/m/x')).toBeUndefined()
  })
})

describe('the shelf of snapshots', () => {
  const old = written(setId(10), ['old'])
  const young = written(setId(20), ['young'])

  it('offers complete sets, newest first', () => {
    expect(usableOffsets(shelfOf(...old.records, old.manifest, ...young.records, young.manifest))).toEqual([20, 10])
  })

  it('does not offer a set without its manifest', () => {
    expect(usableOffsets(shelfOf(...old.records, old.manifest, ...young.records))).toEqual([10])
  })

  it('refuses a damaged set and one with a piece missing, with the reason, and offers the one before', () => {
    const refusals: string[] = []
    const damaged = young.records.map(({ key, value }) => ({ key, value: Buffer.from(value).fill(1, value.length - 1) }))
    expect(usableOffsets(shelfOf(...old.records, old.manifest, ...damaged, young.manifest), refusals)).toEqual([10])
    expect(usableOffsets(shelfOf(...old.records, old.manifest, young.manifest), refusals)).toEqual([10])
    expect(refusals).toEqual(['20: piece 0 is damaged', '20: piece 0 of 1 is missing'])
  })

  it('refuses a set of another format', () => {
    const foreign = {
      key: young.manifest.key,
      value: Buffer.from(young.manifest.value.toString().replace('"format":1', '"format":9')),
    }
    const refusals: string[] = []
    expect(usableOffsets(shelfOf(...young.records, foreign), refusals)).toEqual([])
    expect(refusals[0]).toMatch(/format is 9/)
  })

  it('refuses a set whose manifest is cut short or is that of another set', () => {
    const { records, manifest } = written(setId(5), [{ a: 1 }])
    for (const length of [0, 10, manifest.value.length - 1]) {
      const refusals: string[] = []
      const cut = { key: manifest.key, value: manifest.value.subarray(0, length) }
      expect(usableOffsets(shelfOf(...records, cut), refusals)).toEqual([])
      expect(refusals).toEqual(['5: its manifest cannot be read'])
    }
    const refusals: string[] = []
    const other = { key: manifest.key, value: written(setId(6), [{ a: 1 }]).manifest.value }
    expect(usableOffsets(shelfOf(...records, other), refusals)).toEqual([])
    expect(refusals).toEqual(['5: its manifest is that of another set'])
  })

  it('forgets what was tombstoned', () => {
    const tombstones = [...old.records, old.manifest].map(({ key }) => ({ key, value: null }))
    const shelf = shelfOf(...old.records, old.manifest, ...tombstones)
    expect(shelf.stored()).toEqual([])
  })

  it('counts as outdated all but the two newest complete sets, and those never finished', () => {
    const stored = [
      { id: setId(10), pieces: new Set([0, 'manifest'] as const), complete: true, begins: 0n },
      { id: setId(15, 'm2'), pieces: new Set([0] as const), complete: false, begins: 0n },
      { id: setId(20), pieces: new Set([0, 'manifest'] as const), complete: true, begins: 0n },
      { id: setId(30), pieces: new Set([0, 'manifest'] as const), complete: true, begins: 0n },
      { id: setId(40, 'm3'), pieces: new Set([0] as const), complete: false, begins: 0n },
    ]
    expect(outdatedSets(stored, setId(30)).map(({ id }) => Number(id.offset))).toEqual([10, 15])
  })
})
