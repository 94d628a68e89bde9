import { describe, expect, it } from 'vitest'
import { decideSnapshot } from './snapshot-schedule.ts'

const pace = { minIntervalMs: 10_000, minRecords: 200_000, maxIntervalMs: 120_000 }

describe('the snapshot schedule', () => {
  it.each([
    ['nothing has happened since', { elapsedMs: 500_000, records: 0, cpuMs: 0, partitions: 1 }, 'nothing new'],
    ['many records came within 10 s', { elapsedMs: 9_999, records: 1_000_000, cpuMs: 0, partitions: 1 }, 'too soon'],
    ['10 s passed with few records', { elapsedMs: 10_000, records: 199_999, cpuMs: 0, partitions: 1 }, 'too few records'],
    ['10 s and 200,000 records have passed', { elapsedMs: 10_000, records: 200_000, cpuMs: 500, partitions: 1 }, 'begin'],
    [
      'the last one cost 2 s and 39 s have passed',
      { elapsedMs: 39_000, records: 900_000, cpuMs: 2_000, partitions: 1 },
      'too costly',
    ],
    ['the last one cost 2 s and 40 s have passed', { elapsedMs: 40_000, records: 900_000, cpuMs: 2_000, partitions: 1 }, 'begin'],
    [
      'and the process has four such partitions',
      { elapsedMs: 40_000, records: 900_000, cpuMs: 2_000, partitions: 4 },
      'too costly',
    ],
    ['2 min have passed, whatever the last one cost', { elapsedMs: 120_000, records: 1, cpuMs: 60_000, partitions: 1 }, 'begin'],
  ] as const)('when %s', (_, since, decision) => {
    expect(decideSnapshot(since, pace)).toBe(decision)
  })
})
