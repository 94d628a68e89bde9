import { waitFor } from '@tocsin/testing'
import { describe, expect, it } from 'vitest'
import { countingEngines } from './counting-engine.ts'
import {
  distinctChanges,
  eventRecord,
  failedLogin,
  LIMIT_MS,
  NEVER,
  type Place,
  publishedChanges,
  untilProcessed,
  withTopics,
} from './support.ts'

const PARTITIONS = 4
const PRINCIPALS = 12
const write = async (place: Place, count: number, partitions = PARTITIONS) => {
  for (let left = count; left > 0; left -= 40)
    await place.producer.send(
      Array.from({ length: 40 }, (_, index) => eventRecord(failedLogin(`u${index % PRINCIPALS}`), index % partitions)),
    )
}
const pace = { ...NEVER, minIntervalMs: 50, minRecords: 30 }

describe('several detectors', () => {
  it('share the partitions, come and go under load, and publish the alerts of an undisturbed run', () =>
    withTopics(PARTITIONS, async (place) => {
      const first = place.detector(countingEngines(), pace)
      await write(place, 800)
      const second = place.detector(countingEngines(), pace)
      const writing = write(place, 2_000)
      await waitFor(() => first.holding().length === 2 && second.holding().length === 2, {
        limitMs: LIMIT_MS,
        what: 'two partitions each',
      })
      await writing
      const more = write(place, 1_200)
      await first.stop()
      await more
      await untilProcessed(place.kafka, [second])
      expect(second.holding().length).toBe(PARTITIONS)
      const disturbed = distinctChanges(await publishedChanges(place.kafka))
      await second.stop()

      const undisturbed = new Map<string, string>()
      await withTopics(PARTITIONS, async (other) => {
        await write(other, 4_000)
        const alone = other.detector(countingEngines())
        await untilProcessed(other.kafka, [alone])
        for (const [name, bytes] of distinctChanges(await publishedChanges(other.kafka))) undisturbed.set(name, bytes)
      })
      expect(disturbed.size).toBe(undisturbed.size)
      expect(disturbed).toEqual(undisturbed)
    }))

  it('let go of a partition at once when it is given to another: nothing more is processed or published for it', () =>
    withTopics(2, async (place) => {
      const engines = countingEngines()
      const first = place.detector(engines, pace)
      await write(place, 400, 2)
      await untilProcessed(place.kafka, [first])
      const second = place.detector(countingEngines(), pace)
      const [kept, lost] = await waitFor(
        () => {
          const [mine, theirs] = [first, second].map((each) => each.holding().filter(({ state }) => state === 'reading'))
          return mine?.length === 1 && theirs?.length === 1 ? [mine[0]?.partition ?? -1, theirs[0]?.partition ?? -1] : undefined
        },
        { limitMs: LIMIT_MS, what: 'a partition each' },
      )
      expect(first.engines()).toEqual([engines.made.get(kept ?? -1)])
      const [before, publishedBefore] = [
        structuredClone(engines.made.get(lost ?? -1)?.state),
        await publishedChanges(place.kafka),
      ]
      await write(place, 400, 2)
      await untilProcessed(place.kafka, [first, second])
      expect(engines.made.get(lost ?? -1)?.state).toEqual(before)
      expect(engines.made.get(kept ?? -1)?.state.records).toBe(400)
      // Each change of both partitions once: nobody was killed, so nothing had to be said again.
      const after = (await publishedChanges(place.kafka)).slice(publishedBefore.length)
      expect(after.length).toBeGreaterThan(0)
      expect(distinctChanges(after).size).toBe(after.length)
    }))
})
