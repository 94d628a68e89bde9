import { describe, expect, it } from 'vitest'
import { dealPartitions } from './sticky-assigner.ts'

const dealt = (members: Parameters<typeof dealPartitions>[0], partitions: number) =>
  Object.fromEntries(
    [...dealPartitions(members, { t: Array.from({ length: partitions }, (_, index) => index) })].map(([id, own]) => [
      id,
      own['t'] ?? [],
    ]),
  )

describe('dealing partitions', () => {
  it('gives all to a single member', () => {
    expect(dealt([{ memberId: 'a', holds: {} }], 3)).toEqual({ a: [0, 1, 2] })
  })

  it('leaves a member what it holds and moves only what evenness asks for', () => {
    const result = dealt(
      [
        { memberId: 'b', holds: { t: [0, 1, 2, 3] } },
        { memberId: 'a', holds: {} },
      ],
      4,
    )
    expect(result).toEqual({ b: [0, 1], a: [2, 3] })
  })

  it('leaves the odd partition with the one who holds more', () => {
    expect(
      dealt(
        [
          { memberId: 'a', holds: { t: [0] } },
          { memberId: 'b', holds: { t: [1, 2] } },
        ],
        3,
      ),
    ).toEqual({ a: [0], b: [1, 2] })
  })

  it('gives a partition claimed twice to one, and nothing twice', () => {
    const result = dealt(
      [
        { memberId: 'a', holds: { t: [0, 1] } },
        { memberId: 'b', holds: { t: [0, 1] } },
        { memberId: 'c', holds: { other: [7] } },
      ],
      8,
    )
    expect(Object.values(result).flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(
      Object.values(result)
        .map((each) => each.length)
        .sort(),
    ).toEqual([2, 3, 3])
  })
})
