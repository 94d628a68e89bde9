import { describe, expect, it } from 'vitest'
import { holds, medianOf, tableOf } from './report.ts'

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

  it('takes the middle value as median', () => {
    expect(medianOf([5, 1, 9])).toBe(5)
  })
})
