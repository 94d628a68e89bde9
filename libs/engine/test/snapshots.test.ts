import { PartitionEngine, type SnapshotChunk } from '@tocsin/engine'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changingStreams } from './changing-streams.ts'
import { drain, ENGINE_OPTIONS, engineRecords, newEngine } from './harness.ts'
import { runs } from './runs.ts'
import { streams } from './streams.ts'

const restore = (chunks: readonly SnapshotChunk[]): PartitionEngine =>
  PartitionEngine.restore(structuredClone(chunks), ENGINE_OPTIONS)

/** Paths of what an encoding could lose: classes, undefined, holes. */
function notPlain(value: unknown, path = ''): string[] {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return []
  if (value instanceof Uint8Array) return []
  if (Array.isArray(value)) return Array.from(value).flatMap((item, i) => notPlain(item, `${path}/${i}`))
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return [`${path}: ${typeof value}`]
  return Object.entries(value).flatMap(([key, item]) => notPlain(item, `${path}/${key}`))
}

describe('a restored engine', () => {
  const cut = fc.double({ min: 0, max: 1, noNaN: true })

  it('goes on exactly as the undisturbed one, wherever it was cut', () => {
    fc.assert(
      fc.property(
        fc.oneof(streams(50), changingStreams(50)),
        cut,
        fc.integer({ min: 1, max: 3000 }),
        (stream, where, maxBytes) => {
          const records = engineRecords(stream)
          const at = Math.floor(where * records.length)
          const undisturbed = newEngine()
          for (const record of records.slice(0, at)) undisturbed.process(record)
          const chunks = drain(undisturbed.beginSnapshot(), maxBytes)
          expect(notPlain(chunks)).toEqual([])
          const restored = restore(chunks)
          for (const record of records.slice(at)) {
            expect(JSON.stringify(restored.process(record))).toBe(JSON.stringify(undisturbed.process(record)))
          }
          expect(restored.counters()).toEqual(undisturbed.counters())
          expect(restored.gauges()).toEqual(undisturbed.gauges())
        },
      ),
      runs(150),
    )
  })

  it('has the state of the cut, though the snapshot was written in slices while records went on', () => {
    fc.assert(
      fc.property(
        fc.oneof(streams(50), changingStreams(50)),
        cut,
        fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 10 }),
        (stream, where, slices) => {
          const records = engineRecords(stream)
          const at = Math.floor(where * records.length)
          const [engine, undisturbed] = [newEngine(), newEngine()]
          for (const record of records.slice(0, at)) {
            engine.process(record)
            undisturbed.process(record)
          }
          const writer = engine.beginSnapshot()
          const chunks: SnapshotChunk[] = []
          for (const [i, record] of records.slice(at).entries()) {
            for (let n = slices[i % slices.length] ?? 0; n > 0; n -= 1) {
              const chunk = writer.next(1)
              if (chunk !== null) chunks.push(structuredClone(chunk))
            }
            engine.process(record)
          }
          chunks.push(...drain(writer, 1000))
          const restored = restore(chunks)
          for (const record of records.slice(at)) {
            expect(JSON.stringify(restored.process(record))).toBe(JSON.stringify(undisturbed.process(record)))
          }
        },
      ),
      runs(150),
    )
  })

  it('writes the snapshot that it was restored from', () => {
    fc.assert(
      fc.property(streams(30), (stream) => {
        const engine = newEngine()
        for (const record of engineRecords(stream)) engine.process(record)
        const chunks = drain(engine.beginSnapshot(), 1_000_000)
        expect(drain(restore(chunks).beginSnapshot(), 1_000_000)).toEqual(chunks)
      }),
      runs(50),
    )
  })
})
