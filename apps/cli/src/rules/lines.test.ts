import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readLines } from './lines.ts'

const folder = mkdtempSync(join(tmpdir(), 'tocsin-lines-'))
afterAll(() => rmSync(folder, { recursive: true }))

function linesOf(content: string | Buffer) {
  const file = join(folder, 'events.ndjson')
  writeFileSync(file, content)
  const got: [number, string | undefined][] = []
  let bytes = 0
  const count = readLines(
    file,
    (text, line) => got.push([line, text]),
    (read) => {
      bytes = read
    },
  )
  return { got, bytes, count }
}

describe('reading a file line by line', () => {
  it('counts every line from 1, empty ones and a last one without an end', () => {
    expect(linesOf('a\n\nb').got).toEqual([
      [1, 'a'],
      [2, ''],
      [3, 'b'],
    ])
    expect(linesOf('a\n')).toEqual({ got: [[1, 'a']], bytes: 2, count: 1 })
    expect(linesOf('').got).toEqual([])
  })

  it('leaves out a byte order mark', () => {
    expect(linesOf('\uFEFFa\n\uFEFFb\n').got).toEqual([
      [1, 'a'],
      [2, '\uFEFFb'],
    ])
  })

  it('joins what the pieces of reading cut, letters of several bytes too', () => {
    const lines = Array.from({ length: 40 }, (_, n) => 'ä😀'.repeat(20_000 + n * 777))
    expect(linesOf(`${lines.join('\n')}\n`).got).toEqual(lines.map((line, n) => [n + 1, line]))
  })

  it('holds lines larger than a piece, and passes over one that no source writes', () => {
    const long = 'x'.repeat(3_000_000)
    const { got } = linesOf(Buffer.concat([Buffer.from(`${long}\n`), Buffer.alloc(70_000_000, 120), Buffer.from('\nend\n')]))
    expect(got).toEqual([
      [1, long],
      [2, undefined],
      [3, 'end'],
    ])
  })
})
