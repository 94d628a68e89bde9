import { ALL_TOPICS, TOPICS } from '@tocsin/contracts'
import { committedOffset, deleteRecords, deleteTopic, ensureTopics } from '@tocsin/kafka'
import { waitFor } from '@tocsin/testing'
import { describe, expect, it } from 'vitest'
import { parseKey } from '../src/snapshot-format.ts'
import { readMetadata } from '../src/snapshot-keeper.ts'
import { SnapshotShelf } from '../src/snapshot-shelf.ts'
import { countingEngines } from './counting-engine.ts'
import {
  AT_EVERY_TURN,
  contentOf,
  controlRecord,
  distinctChanges,
  eventRecord,
  failedLogin,
  LIMIT_MS,
  NEVER,
  type Place,
  publishedChanges,
  rule,
  tenant,
  tickRecord,
  untilProcessed,
  withTopics,
} from './support.ts'

const SNAPSHOTS = TOPICS.detectorSnapshots.name
const send = (place: Place, principal: string, count: number) =>
  place.producer.send(Array.from({ length: count }, () => eventRecord(failedLogin(principal))))
async function completeOffsets(place: Place): Promise<number[]> {
  const shelf = new SnapshotShelf()
  for (const { key, value } of await contentOf(place.kafka, SNAPSHOTS)) shelf.add({ key: Buffer.from(key), value, offset: 0n })
  return shelf
    .stored()
    .filter(({ complete }) => complete)
    .map(({ id }) => Number(id.offset))
    .sort((a, b) => a - b)
}

describe('snapshots of a partition', () => {
  it('keep a half-full window over a clean stop: four events before, the fifth after', () =>
    withTopics(1, async (place) => {
      await send(place, 'u1', 4)
      const first = place.detector(countingEngines())
      await untilProcessed(place.kafka, [first])
      await first.stop()
      expect(await publishedChanges(place.kafka)).toEqual([])
      expect(await completeOffsets(place)).toEqual([0, 4])
      await send(place, 'u1', 1)
      const engines = countingEngines()
      const second = place.detector(engines)
      await untilProcessed(place.kafka, [second])
      expect((await publishedChanges(place.kafka)).map(({ alert }) => [alert.revision, alert.count, alert['records']])).toEqual([
        [1, 5, 5],
      ])
      expect(engines.made.get(0)?.state.records).toBe(5)
    }))

  it('begin with one of rules and organizations as the compacted topics have them, before the first record', () =>
    withTopics(2, async (place) => {
      const other = '9a3f0c1e-0000-4000-8000-000000000001'
      const compacted = (topic: string, key: string, value: unknown) => ({
        topic,
        partition: 0,
        key,
        value: value === null ? null : JSON.stringify(value),
      })
      await place.producer.send([
        compacted('rules', 'tocsin.failed-auth', rule()),
        compacted('rules', 'b', rule({ ruleId: 'gone' })),
        compacted('rules', 'b', null),
        compacted('rules', 'c', rule({ ruleId: 'of-the-other', organizationId: other })),
        compacted('tenants', tenant(0).organizationId, tenant(0)),
        compacted('tenants', other, tenant(1, { organizationId: other, slug: 'other' })),
      ])
      await place.producer.send([controlRecord({ kind: 'rule', rule: rule({ ruleId: 'later' }) })])
      const engines = countingEngines()
      const detector = place.detector(engines)
      await untilProcessed(place.kafka, [detector])
      expect(engines.made.get(0)?.state.controls).toEqual(['acme', 'tocsin.failed-auth', 'later'])
      expect(engines.made.get(1)?.state.controls).toEqual(['other', 'of-the-other', 'tocsin.failed-auth'])
      // Of a log without records: as old as itself, not as 1970.
      expect(detector.watch.oldestMs()).toBeLessThan(LIMIT_MS)
      expect((await contentOf(place.kafka, SNAPSHOTS)).map(({ key }) => key.replace(/[\w-]{36}/, 'm')).sort()).toEqual([
        '0/0/m/0',
        '0/0/m/manifest',
        '1/0/m/0',
        '1/0/m/manifest',
      ])
    }))

  it('are refused when damaged, and the one before is used: the same alerts come out', () =>
    withTopics(1, async (place) => {
      for (const count of [3, 5]) {
        await send(place, 'u1', count)
        const detector = place.detector(countingEngines())
        await untilProcessed(place.kafka, [detector])
        await detector.stop()
      }
      expect(await completeOffsets(place)).toEqual([3, 8])
      const newest = (await contentOf(place.kafka, SNAPSHOTS)).find(
        ({ key }) => parseKey(key)?.set.offset === 8n && parseKey(key)?.piece === 0,
      )
      const damaged = Buffer.from(newest?.value ?? '')
      damaged[damaged.length - 3] = (damaged[damaged.length - 3] ?? 0) ^ 1
      await place.producer.send([{ topic: SNAPSHOTS, partition: 0, key: newest?.key ?? '', value: damaged }])
      await send(place, 'u1', 2)
      const engines = countingEngines()
      const detector = place.detector(engines)
      await untilProcessed(place.kafka, [detector])
      expect(engines.made.get(0)?.state).toMatchObject({ records: 10 })
      const changes = await publishedChanges(place.kafka)
      expect(changes.map(({ alert }) => alert.revision)).toEqual([1, 1, 2])
      expect([...distinctChanges(changes).keys()].length).toBe(2)
    }))

  it('are not used without their manifest', () =>
    withTopics(1, async (place) => {
      await send(place, 'u1', 3)
      const first = place.detector(countingEngines())
      await untilProcessed(place.kafka, [first])
      await first.stop()
      const manifest = (await contentOf(place.kafka, SNAPSHOTS)).find(
        ({ key }) => key.startsWith('0/3/') && key.endsWith('manifest'),
      )
      await place.producer.send([{ topic: SNAPSHOTS, partition: 0, key: manifest?.key ?? '', value: null }])
      const engines = countingEngines()
      const second = place.detector(engines)
      await untilProcessed(place.kafka, [second])
      expect(engines.made.get(0)?.state.records).toBe(3)
    }))

  it('leave the two newest sets, and their offset is what the group has committed, with the place where the set begins', () =>
    withTopics(1, async (place) => {
      const detector = place.detector(countingEngines(), AT_EVERY_TURN)
      for (let round = 0; round < 6; round++) {
        await send(place, `u${round}`, 7)
        await untilProcessed(place.kafka, [detector])
        await waitFor(async () => (await completeOffsets(place)).includes((round + 1) * 7), {
          limitMs: LIMIT_MS,
          what: 'its snapshot',
        })
      }
      await detector.stop()
      expect(await completeOffsets(place)).toEqual([35, 42])
      const committed = await committedOffset(place.kafka, 'detector', { topic: TOPICS.auditEvents.name, partition: 0 })
      expect(committed?.next).toBe(42n)
      const begins = readMetadata(committed?.metadata ?? null)
      const kept = (await contentOf(place.kafka, SNAPSHOTS)).filter(({ key }) => key.startsWith('0/35/'))
      expect(begins).toBe(kept[0]?.offset)
      const engines = countingEngines()
      const again = place.detector(engines, NEVER)
      await untilProcessed(place.kafka, [again])
      expect(engines.made.get(0)?.state.records).toBe(42)
    }))

  it('older than half of what the log is kept for are an alarm, until the next one is taken', () => {
    const retentionMs = 4_000
    const short = ALL_TOPICS.map((topic) =>
      topic.name === TOPICS.auditEvents.name
        ? { ...topic, config: { ...topic.config, 'retention.ms': String(retentionMs) } }
        : topic,
    )
    return withTopics(
      1,
      async (place) => {
        await send(place, 'u1', 3)
        const first = place.detector(countingEngines())
        await untilProcessed(place.kafka, [first])
        expect(first.degraded()).toEqual([])
        await waitFor(() => first.degraded().includes('audit.events/0:snapshot overdue'), {
          limitMs: LIMIT_MS,
          what: 'the alarm',
        })
        expect(first.watch.overdue()).toEqual([0])
        expect(first.watch.oldestMs()).toBeGreaterThan(retentionMs / 2)
        await first.stop()
        // Its last snapshot is of the log's last record, which has its age too.
        const second = place.detector(countingEngines(), AT_EVERY_TURN)
        await waitFor(() => second.degraded().includes('audit.events/0:snapshot overdue'), {
          limitMs: LIMIT_MS,
          what: 'the alarm',
        })
        await place.producer.send([tickRecord()])
        await waitFor(() => second.degraded().length === 0, { limitMs: retentionMs / 2, what: 'a newer snapshot' })
      },
      undefined,
      short,
    )
  })

  it('halt the partition, and process nothing, when the log begins behind the snapshot', () =>
    withTopics(1, async (place) => {
      await send(place, 'u1', 3)
      const first = place.detector(countingEngines())
      await untilProcessed(place.kafka, [first])
      await first.stop()
      await send(place, 'u1', 20)
      await deleteRecords(place.kafka, TOPICS.auditEvents.name, 0, 10n)
      const engines = countingEngines()
      const second = place.detector(engines)
      await waitFor(() => second.degraded().includes('audit.events/0:halted'), { limitMs: LIMIT_MS, what: 'the halt' })
      await place.producer.send([tickRecord()])
      expect(second.holding()[0]?.reason).toMatch(/begins at 10, after the offset to be read, 3/)
      expect(engines.made.get(0)?.state.records).toBe(3)
    }))

  it('halt the partition, and process nothing, when the log ends before the snapshot: the topic was made anew', () =>
    withTopics(1, async (place) => {
      await send(place, 'u1', 3)
      const first = place.detector(countingEngines())
      await untilProcessed(place.kafka, [first])
      await first.stop()
      await deleteTopic(place.kafka, TOPICS.auditEvents.name)
      await ensureTopics(place.kafka, ALL_TOPICS, { partitions: 1, replication: 1 })
      await send(place, 'u1', 1)
      const engines = countingEngines()
      const second = place.detector(engines)
      await waitFor(() => second.degraded().includes('audit.events/0:halted'), { limitMs: LIMIT_MS, what: 'the halt' })
      expect(second.holding()[0]?.reason).toMatch(/ends at 1, before the offset to be read, 3.*tocsin offsets reset/)
      expect(engines.made.get(0)?.state.records).toBe(3)
    }))
})
