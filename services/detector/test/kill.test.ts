import { fileURLToPath } from 'node:url'
import { waitFor } from '@tocsin/testing'
import { describe, expect, it } from 'vitest'
import { CountingEngine } from './counting-engine.ts'
import { startDetectorProcess } from './detector-process.ts'
import { expectedChanges } from './expected.ts'
import { distinctChanges, eventRecord, failedLogin, type Place, publishedChanges, withTopics } from './support.ts'

const PARTITIONS = 2
const KILLS = 3
const EVENTS_A_ROUND = 40
const PRINCIPALS = 30
const MAIN = fileURLToPath(new URL('./fixtures/counting-detector.ts', import.meta.url))
/** Often, so that kills fall before, into and after snapshots. */
const OFTEN = { SNAPSHOT_MIN_INTERVAL_MS: '100', SNAPSHOT_MIN_RECORDS: '150' }
/** Session timeout of a killed member, and some more. */
const TAKE_OVER_LIMIT_MS = 20_000

/** Writes at a steady pace until `signal` aborts; resolves with the count. */
async function load(place: Place, signal: AbortSignal): Promise<number> {
  let written = 0
  while (!signal.aborted) {
    await place.producer.send(
      Array.from({ length: EVENTS_A_ROUND }, () => eventRecord(failedLogin(`u${written++ % PRINCIPALS}`), written % PARTITIONS)),
    )
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return written
}

describe('a detector that is killed', () => {
  it('with -9 at random moments under load publishes, once restarted, the ids, revisions and bytes of an undisturbed run', () =>
    withTopics(PARTITIONS, async (place) => {
      const loading = new AbortController()
      const loaded = load(place, loading.signal)
      let running = startDetectorProcess(place.prefix, OFTEN, MAIN)
      for (let kill = 0; kill < KILLS; kill++) {
        const killed = running
        await waitFor(() => killed.lines.some((line) => line.includes('partition recovered')), {
          limitMs: TAKE_OVER_LIMIT_MS,
          what: 'the detector',
        })
        await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 1_000))
        expect(await killed.kill('SIGKILL')).toBe('SIGKILL')
        running = startDetectorProcess(place.prefix, OFTEN, MAIN)
      }
      loading.abort()
      expect(await loaded).toBeGreaterThan(500)
      const expected = await expectedChanges(place.kafka, () => new CountingEngine())
      const published = await waitFor(
        async () => {
          const changes = distinctChanges(await publishedChanges(place.kafka))
          return changes.size >= expected.size ? changes : undefined
        },
        { limitMs: TAKE_OVER_LIMIT_MS, what: `all ${expected.size} changes` },
      )
      expect(published).toEqual(expected)
      const begun = performance.now()
      expect(await running.kill('SIGTERM')).toBe(0)
      expect(performance.now() - begun).toBeLessThan(10_000)
    }))
})
