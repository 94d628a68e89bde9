import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Chunk, chunksOfLines, elementsOf, isLineByLine, MAX_CHUNK_BYTES, MAX_CHUNK_ITEMS } from './chunks.ts'

const cut = async (lines: readonly string[]): Promise<Chunk[]> => {
  const chunks: Chunk[] = []
  for await (const chunk of chunksOfLines(lines)) chunks.push(chunk)
  return chunks
}

describe('a file cut into chunks', () => {
  it('keeps every line that is not blank, in order, under both limits, and says where each begins', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('', ' ', 'a', 'bb', 'x'.repeat(400_000)), { maxLength: 1500 }), async (lines) => {
        const chunks = await cut(lines)
        const full = lines.filter((line) => line.trim() !== '')
        expect(chunks.flatMap(({ text }) => text.trimEnd().split('\n'))).toEqual(full)
        let first = 1
        for (const chunk of chunks) {
          expect(chunk.first).toBe(first)
          expect(chunk.items).toBeLessThanOrEqual(MAX_CHUNK_ITEMS)
          expect(chunk.items === 1 || Buffer.byteLength(chunk.text) <= MAX_CHUNK_BYTES).toBe(true)
          first += chunk.items
        }
      }),
      { numRuns: 20 },
    )
  })

  it('is told apart from one JSON document by its first line', () => {
    const cases: [string, boolean, boolean][] = [
      ['Dec 10 06:55:46 h sshd[1]: x', false, true],
      ['{"a":1}', false, true],
      ['{"a":1}', true, false],
      ['{', false, false],
      ['[{"a":1},', false, false],
    ]
    for (const [line, only, expected] of cases) expect(isLineByLine(line, only), line).toBe(expected)
  })

  it('takes the elements of an array or of Records', () => {
    expect(elementsOf([{ a: 1 }, 2])).toEqual(['{"a":1}', '2'])
    expect(elementsOf({ Records: [{ a: 1 }] })).toEqual(['{"a":1}'])
    for (const document of [{ a: 1 }, 1, null]) expect(elementsOf(document)).toBeUndefined()
  })
})
