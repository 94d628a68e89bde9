import { TOPICS } from '@tocsin/contracts'
import { RetryableError } from '@tocsin/errors'
import type { OutgoingRecord, Producer } from '@tocsin/kafka'
import { waitFor } from '@tocsin/testing'
import { expect, it } from 'vitest'
import { parseKey } from '../src/snapshot-format.ts'
import { CountingEngine, countingEngines } from './counting-engine.ts'
import { expectedChanges } from './expected.ts'
import {
  AT_EVERY_TURN,
  distinctChanges,
  eventRecord,
  failedLogin,
  LIMIT_MS,
  publishedChanges,
  untilProcessed,
  withTopics,
} from './support.ts'

interface CrashPoint {
  readonly what: 'alerts' | 'piece' | 'manifest'
  /** Before or after the broker has the records, of which the detector never hears; `refused`: the broker takes everything but these, and the detector tries again. */
  readonly when: 'before' | 'after' | 'refused'
  readonly occurrence: number
}

const REFUSALS = 5

const kindOf = ({ topic, key, value }: OutgoingRecord): CrashPoint['what'] | 'other' => {
  if (topic === TOPICS.alerts.name) return 'alerts'
  if (topic !== TOPICS.detectorSnapshots.name || value === null) return 'other'
  return parseKey(String(key))?.piece === 'manifest' ? 'manifest' : 'piece'
}

/** Writes through the real one up to the crash point, and nothing any more from there on. */
function mortal(real: Producer, { what, when, occurrence }: CrashPoint): Producer & { isDead(): boolean } {
  let seen = 0
  let refused = 0
  let dead = false
  return {
    isDead: () => dead,
    isUp: () => !dead && real.isUp(),
    close: () => real.close(),
    send: async (records) => {
      if (!dead) {
        const isMeant = records.some((record) => kindOf(record) === what)
        if (isMeant) seen += 1
        if (seen < occurrence || (when === 'refused' && !isMeant)) return real.send(records)
        refused += 1
        dead = when !== 'refused' || refused === REFUSALS
        if (when === 'after') await real.send(records)
      }
      throw new RetryableError('the process is gone')
    },
  }
}

const POINTS: readonly CrashPoint[] = [
  { what: 'alerts', when: 'refused', occurrence: 1 },
  { what: 'alerts', when: 'before', occurrence: 2 },
  { what: 'alerts', when: 'after', occurrence: 1 },
  { what: 'manifest', when: 'after', occurrence: 2 },
  { what: 'piece', when: 'after', occurrence: 3 },
  { what: 'alerts', when: 'before', occurrence: 1 },
  { what: 'manifest', when: 'before', occurrence: 2 },
  { what: 'alerts', when: 'refused', occurrence: 1 },
  { what: 'manifest', when: 'after', occurrence: 1 },
]

it('a detector that ends between publishing, snapshot and commit leaves the alerts of one undisturbed run', () =>
  withTopics(1, async (place) => {
    const send = (count: number) =>
      place.producer.send(Array.from({ length: count }, (_, i) => eventRecord(failedLogin(`u${i % 3}`))))
    for (const [round, point] of POINTS.entries()) {
      await send(30) // alerts in the first turn, before any other snapshot is under way
      let writing: ReturnType<typeof mortal> | undefined
      const detector = place.detector(countingEngines(), AT_EVERY_TURN, (real) => {
        writing = mortal(real, point)
        return writing
      })
      await waitFor(
        async () => {
          if (writing?.isDead() !== true) await send([1, 7, 30][round % 3] ?? 1)
          return writing?.isDead()
        },
        { limitMs: LIMIT_MS, what: `the crash ${point.when} ${point.what}` },
      )
      await detector.stop()
    }
    const last = place.detector(countingEngines(), AT_EVERY_TURN)
    await untilProcessed(place.kafka, [last])
    const expected = await expectedChanges(place.kafka, () => new CountingEngine())
    expect(expected.size).toBeGreaterThan(POINTS.length)
    expect(Object.fromEntries(distinctChanges(await publishedChanges(place.kafka)))).toEqual(Object.fromEntries(expected))
  }))
