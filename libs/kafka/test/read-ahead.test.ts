import { RetryableError } from '@tocsin/errors'
import { waitFor } from '@tocsin/testing'
import { describe, expect, it } from 'vitest'
import { createProducer, type Kafka, type PartitionOwner, type Producer, readPartitions } from '../src/index.ts'
import { makeTopics, record, testKafka } from './support.ts'

const LIMIT_MS = 20_000
const PARTITIONS = 2
/** Some fetches for each partition. */
const RECORDS = 1_000
const FILLING = 'x'.repeat(4_000)
const numberOf = (value: Buffer | null): number => Number(value?.toString().split(' ', 1)[0])
const counting = (length: number): number[] => Array.from({ length }, (_, index) => index)

async function reading(owner: PartitionOwner, run: (write: Producer) => Promise<void>): Promise<void> {
  const kafka: Kafka = testKafka()
  await makeTopics(kafka, ['t'], PARTITIONS)
  const producer = createProducer(kafka)
  const reader = readPartitions({ kafka, groupId: 'g', topics: ['t'], owner, concurrency: PARTITIONS, readAhead: true })
  try {
    await run(producer)
  } finally {
    await reader.stop()
    await producer.close()
    await kafka.close()
  }
}

describe('a reader that reads ahead', () => {
  it('gives each record once, in order, one turn of a partition at a time, also where turns end before their last record', async () => {
    const seen: number[][] = [[], []]
    const inHand = [0, 0]
    let turns = 0
    let most = 0
    const owner: PartitionOwner = {
      begin: async () => undefined,
      lost: () => {},
      records: async ({ partition }, records, { from }) => {
        turns += 1
        const kind = turns % 4
        inHand[partition] = (inHand[partition] ?? 0) + 1
        most = Math.max(most, inHand[partition] ?? 0)
        const taken = kind < 2 ? records : records.slice(0, records.length >> 1)
        for (const { value } of taken) {
          seen[partition]?.push(numberOf(value))
          await new Promise(setImmediate)
        }
        inHand[partition] = (inHand[partition] ?? 0) - 1
        const next = (taken.at(-1)?.offset ?? from - 1n) + 1n
        return kind === 3 ? { kind: 'retry', next, error: new RetryableError('not now') } : { kind: 'go', next }
      },
    }
    await reading(owner, async (producer) => {
      const all = counting(RECORDS).map((index) => `${index} ${FILLING}`)
      await producer.send([0, 1].flatMap((partition) => all.map((text) => record('t', partition, text))))
      await waitFor(() => seen.every((each) => each.length >= RECORDS), { limitMs: LIMIT_MS, what: 'all records' })
    })
    expect(seen).toEqual([counting(RECORDS), counting(RECORDS)])
    expect(most).toBe(1)
    expect(turns).toBeGreaterThan(PARTITIONS * 2)
  })

  it('goes on fetching while a turn waits', async () => {
    const seen: number[][] = [[], []]
    const held = Promise.withResolvers<void>()
    const owner: PartitionOwner = {
      begin: async () => undefined,
      lost: () => {},
      records: async ({ partition }, records) => {
        seen[partition]?.push(...records.map(({ value }) => numberOf(value)))
        if (partition === 0) await held.promise
        return { kind: 'go', next: (records.at(-1)?.offset ?? -1n) + 1n }
      },
    }
    await reading(owner, async (producer) => {
      await producer.send([record('t', 0, '0')])
      await waitFor(() => seen[0]?.length === 1, { limitMs: LIMIT_MS, what: 'the turn that waits' })
      await producer.send([record('t', 1, '0')])
      await waitFor(() => seen[1]?.length === 1, { limitMs: LIMIT_MS, what: 'a record of the other partition' })
      held.resolve()
    })
    expect(seen).toEqual([[0], [0]])
  })
})
