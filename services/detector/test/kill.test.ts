import type { AuditEvent } from '@tocsin/contracts'
import { waitFor } from '@tocsin/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { createEngines } from '../src/engines.ts'
import { type DetectorProcess, startDetectorProcess } from './detector-process.ts'
import { expectedChanges } from './expected.ts'
import { rulePack } from './rule-pack.ts'
import {
  controlRecord,
  distinctChanges,
  eventRecord,
  failedLogin,
  type Place,
  publishedChanges,
  tickRecord,
  withTopics,
} from './support.ts'

const PARTITIONS = 2
const KILLS = 3
const EVENTS_A_ROUND = 40
const PRINCIPALS = 60
/** Often, so that kills fall before, into and after snapshots. */
const OFTEN = { SNAPSHOT_MIN_INTERVAL_MS: '100', SNAPSHOT_MIN_RECORDS: '150' }
/** Session timeout of a killed member, and some more. */
const TAKE_OVER_LIMIT_MS = 20_000

const started: DetectorProcess[] = []
const start = (place: Place): DetectorProcess => {
  const detector = startDetectorProcess(place.prefix, OFTEN)
  started.push(detector)
  return detector
}
afterEach(() => Promise.all(started.splice(0).map((detector) => detector.kill('SIGKILL'))))

const publishRules = (place: Place) =>
  place.producer.send(
    Array.from({ length: PARTITIONS }, (_, partition) =>
      rulePack().map((rule) => controlRecord({ kind: 'rule', rule }, partition)),
    ).flat(),
  )

/** Some of all: failures, denials, exports and reads of a few principals, in a fixed pattern. */
function mixed(index: number): AuditEvent {
  const principal = `u${index % PRINCIPALS}`
  const kinds: readonly Partial<AuditEvent>[] = [
    {},
    { outcome: 'denied', category: 'data', operation: 'read', action: 'read' },
    { outcome: 'success', category: 'data', operation: 'export', action: 'export', recordCount: 20 },
    { outcome: 'success', category: 'data', operation: 'read', action: 'read' },
    { sessionContext: { ipAddress: `198.51.100.${index % 7}` } },
    { outcome: 'success', status: 'success' },
  ]
  return failedLogin(principal, kinds[Math.floor(index / PRINCIPALS) % kinds.length])
}

/** Writes at a steady pace until `signal` aborts; resolves with the count. */
async function load(place: Place, signal: AbortSignal): Promise<number> {
  let written = 0
  while (!signal.aborted) {
    await place.producer.send(Array.from({ length: EVENTS_A_ROUND }, () => eventRecord(mixed(written++), written % PARTITIONS)))
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await place.producer.send(Array.from({ length: PARTITIONS }, (_, partition) => tickRecord(partition)))
  return written
}

const untilRecovered = ({ lines }: DetectorProcess) =>
  waitFor(() => lines.some((line) => line.includes('partition recovered')), {
    limitMs: TAKE_OVER_LIMIT_MS,
    what: 'the detector',
  })

/** One beyond the log's beginning, so that there is something to come back to. */
const untilSnapshot = ({ lines }: DetectorProcess) =>
  waitFor(() => lines.some((line) => line.includes('snapshot complete') && !line.includes('"offset":"0"')), {
    limitMs: TAKE_OVER_LIMIT_MS,
    what: 'a snapshot',
  })

/** Topic `alerts` holds, by id, revision and bytes, what one engine a partition makes of the whole log. */
async function expectUndisturbed(place: Place): Promise<void> {
  const { engines } = createEngines()
  const expected = await expectedChanges(place.kafka, (partition) => engines.fresh(partition))
  expect(expected.size).toBeGreaterThan(2 * PRINCIPALS)
  const published = await waitFor(
    async () => {
      const changes = distinctChanges(await publishedChanges(place.kafka))
      return changes.size >= expected.size ? changes : undefined
    },
    { limitMs: TAKE_OVER_LIMIT_MS, what: `all ${expected.size} changes` },
  )
  expect(published).toEqual(expected)
}

/** Each takes over after a session timeout, several times, with a load beside it. */
const LIMIT = { timeout: 180_000 }

describe('a detector that is killed', LIMIT, () => {
  it('with -9 at random moments under load publishes, once restarted, the ids, revisions and bytes of an undisturbed run', () =>
    withTopics(PARTITIONS, async (place) => {
      await publishRules(place)
      const loading = new AbortController()
      const loaded = load(place, loading.signal)
      let running = start(place)
      await untilSnapshot(running)
      for (let kill = 0; kill < KILLS; kill++) {
        await untilRecovered(running)
        await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 1_000))
        expect(await running.kill('SIGKILL')).toBe('SIGKILL')
        running = start(place)
      }
      await untilRecovered(running)
      loading.abort()
      expect(await loaded).toBeGreaterThan(500)
      await expectUndisturbed(place)
      // Not from the log's beginning: the test is about what snapshots hold.
      expect(running.lines.some((line) => line.includes('"restored":true') && !line.includes('"offset":"0"'))).toBe(true)
      const begun = performance.now()
      expect(await running.kill('SIGTERM')).toBe(0)
      expect(performance.now() - begun).toBeLessThan(10_000)
    }))

  it('or paused for longer than its session, and wakes up after another has its partitions, does no harm', () =>
    withTopics(PARTITIONS, async (place) => {
      await publishRules(place)
      const loading = new AbortController()
      const loaded = load(place, loading.signal)
      const sleeper = start(place)
      await untilRecovered(sleeper)
      process.kill(sleeper.pid, 'SIGSTOP')
      const other = start(place)
      await untilRecovered(other)
      process.kill(sleeper.pid, 'SIGCONT')
      const rejoined = sleeper.lines.length
      await waitFor(() => sleeper.lines.slice(rejoined).some((line) => line.includes('partitions assigned')), {
        limitMs: TAKE_OVER_LIMIT_MS,
        what: 'the sleeper to join again',
      })
      loading.abort()
      await loaded
      await expectUndisturbed(place)
      expect(await sleeper.kill('SIGTERM')).toBe(0)
      expect(await other.kill('SIGTERM')).toBe(0)
    }))

  it('cleanly, with SIGTERM, keeps its windows: four failures before, one alert at the fifth after', () =>
    withTopics(PARTITIONS, async (place) => {
      await publishRules(place)
      await place.producer.send(Array.from({ length: 4 }, () => eventRecord(failedLogin('victim'))))
      const first = start(place)
      await waitFor(() => first.lines.filter((line) => line.includes('partition recovered')).length === PARTITIONS, {
        limitMs: TAKE_OVER_LIMIT_MS,
        what: 'the detector',
      })
      expect(await first.kill('SIGTERM')).toBe(0)
      expect(await publishedChanges(place.kafka)).toEqual([])
      start(place)
      await place.producer.send([eventRecord(failedLogin('victim'))])
      const changes = await waitFor(
        async () => {
          const all = await publishedChanges(place.kafka)
          return all.length > 0 ? all : undefined
        },
        { limitMs: TAKE_OVER_LIMIT_MS, what: 'the alert' },
      )
      expect(changes.map(({ type, alert }) => [type, alert['pattern'], alert.count, alert.group])).toEqual([
        ['alert.created', 'FAILED_AUTH', 5, { principalId: 'victim' }],
      ])
    }))
})
