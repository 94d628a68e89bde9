import { describe, expect, it } from 'vitest'
import { createYearCounter } from './year-counter.ts'

describe('the year of a chunk', () => {
  const yearsOf = (chunks: readonly (readonly string[])[]) => {
    const yearOf = createYearCounter(2024)
    return chunks.map((stamps) => yearOf(stamps.map((stamp) => `${stamp} 00:00:00 h sshd[1]: x`).join('\n')))
  }

  it('is the next one from the first chunk behind a December', () => {
    expect(yearsOf([['Nov 30'], ['Dec 31'], ['Jan  1'], ['Jun  1'], ['Dec  1'], ['Jan  1']])).toEqual([
      2024, 2024, 2025, 2025, 2025, 2026,
    ])
  })

  it('is left to ingest where the turn lies within the chunk', () => {
    expect(yearsOf([['Dec 31', 'Jan  1'], ['Jan  2'], ['Feb  1']])).toEqual([2024, 2025, 2025])
  })
})
