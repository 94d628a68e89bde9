import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { describeMachine } from './machine.ts'
import { holds, medianOf, quantileOf, tableOf, writeInto } from './report.ts'

describe('the report of a bench', () => {
  const rows = [
    { figure: 'ratio', unit: '', got: 0.4567, reach: { op: '>=', value: 0.4 } },
    { figure: 'time', unit: 's', got: 12, reach: { op: '<=', value: 10 } },
    { figure: 'rate', unit: 'events/s', got: 123_456.7, reach: null },
  ] as const

  it('says of each figure whether it holds, and nothing where nothing was asked', () => {
    expect(rows.map(holds)).toEqual([true, false, null])
  })

  it('is a table with aligned columns', () => {
    expect(tableOf(rows)).toBe(
      [
        'figure | reach  | got              | holds',
        '-------|--------|------------------|------',
        'ratio  | >= 0.4 | 0.457            | yes',
        'time   | <= 10  | 12 s             | no',
        'rate   |        | 123,457 events/s |',
      ].join('\n'),
    )
  })

  it('tells why there is no figure, and then that nothing holds or fails', () => {
    const missing = { figure: 'peer', unit: '×', got: 'not run: no Java', reach: { op: '>=', value: 5 } } as const
    expect(holds(missing)).toBeNull()
    expect(tableOf([missing]).split('\n').at(-1)).toBe('peer   | >= 5  | not run: no Java |')
  })

  it('gives the smallest value that a share of the values does not exceed', () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index)
    expect([0.5, 0.99, 1].map((share) => quantileOf(values, share))).toEqual([100, 198, 200])
  })

  it('takes the middle value as median', () => {
    expect(medianOf([5, 1, 9])).toBe(5)
  })
})

describe('a page with results', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tocsin-bench-'))
  const page = join(dir, 'page.md')
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it('has the last result in its place, however often it is written, and the rest as it was', () => {
    writeFileSync(page, 'before\n\n<!-- detector -->\nearlier\n<!-- /detector -->\n\nafter\n')
    const result = { bench: 'detector', machine: describeMachine('Kafka'), what: ['two lines'] }
    writeInto(page, { ...result, rows: [{ figure: 'first', unit: 's', got: 1, reach: null }] })
    writeInto(page, { ...result, rows: [{ figure: 'ratio', unit: '', got: 0.5, reach: { op: '>=', value: 0.4 } }] })
    const text = readFileSync(page, 'utf8')
    expect(text).toMatch(/^before\n\n<!-- detector -->\n/)
    expect(text).toMatch(/<!-- \/detector -->\n\nafter\n$/)
    expect(text).toContain('| ratio  | >= 0.4 | 0.5 | yes |')
    expect(text).toContain('- two lines')
    expect(text).not.toMatch(/earlier|first/)
  })
})
