import { DEAD_HEADERS, HEADERS } from '@tocsin/contracts'
import { waitFor } from '@tocsin/testing'
import { describe, expect, it } from 'vitest'
import { countingEngines } from './counting-engine.ts'
import {
  contentOf,
  eventRecord,
  failedLogin,
  LIMIT_MS,
  ORGANIZATION,
  publishedChanges,
  rawRecord,
  tickRecord,
  untilProcessed,
  withTopics,
} from './support.ts'

const settingsThatCannotBeRun = {
  kind: 'organization',
  organization: {
    organizationId: ORGANIZATION,
    version: 1,
    slug: 'acme',
    name: 'Acme',
    partition: 0,
    settings: { exceptions: [{ id: 'a', ruleId: null, match: { 'ip|near': 'x' }, reason: 'why', owner: 'me', expiresAt: null }] },
    recipients: { emails: [], slackChannels: [], phoneNumbers: [] },
    keys: [],
  },
}
const DEAD = 'audit.events.dead'

describe('records of audit.events', () => {
  it('that are poison go to the dead letters with their bytes and reason, move log time all the same, and stop nothing', () =>
    withTopics(1, async (place) => {
      const poison = [
        rawRecord('{"half":', { [HEADERS.type]: 'event' }),
        rawRecord(Buffer.from([0xff, 0xfe, 0x00])),
        rawRecord(null),
        rawRecord('['.repeat(100_000)),
        rawRecord(JSON.stringify({ ...failedLogin('u1'), timestamp: 'yesterday' })),
        rawRecord(JSON.stringify({ ...failedLogin('u1'), organizationId: 'acme' })),
        rawRecord(`{"__proto__":{"polluted":1},${JSON.stringify(failedLogin('u1')).slice(1)}`),
        rawRecord('{"kind":"rule"}', { [HEADERS.type]: 'control' }),
        rawRecord(JSON.stringify(settingsThatCannotBeRun), { [HEADERS.type]: 'control' }),
      ]
      await place.producer.send([
        ...Array.from({ length: 4 }, () => eventRecord(failedLogin('u1'))),
        ...poison,
        eventRecord(failedLogin('u1')),
      ])
      const engines = countingEngines()
      const detector = place.detector(engines)
      await untilProcessed(place.kafka, [detector])
      expect((await publishedChanges(place.kafka)).map(({ alert }) => alert.count)).toEqual([5])
      const dead = await contentOf(place.kafka, DEAD)
      expect(dead.map(({ headers }) => headers(DEAD_HEADERS.code))).toEqual([
        'MALFORMED',
        'MALFORMED',
        'MALFORMED',
        'MALFORMED',
        'INVALID',
        'INVALID',
        'INVALID',
        'INVALID',
        'INVALID',
      ])
      expect(dead.map(({ value }) => value)).toEqual(poison.map(({ value }) => (value === null ? null : Buffer.from(value))))
      expect(dead.map(({ headers }) => headers(DEAD_HEADERS.offset))).toEqual(['4', '5', '6', '7', '8', '9', '10', '11', '12'])
      expect(dead.at(-1)?.headers(DEAD_HEADERS.reason)).toContain('/settings/exceptions/0/match/ip|near')
      expect(engines.made.get(0)?.state.records).toBe(14)
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    }))

  it('at which the engine throws leave its state as before them, and are dead-lettered as UNEXPECTED after three tries', () =>
    withTopics(1, async (place) => {
      await place.producer.send([
        ...Array.from({ length: 7 }, () => eventRecord(failedLogin('u1'))),
        eventRecord(failedLogin('u1', { action: 'explode' })),
        ...Array.from({ length: 3 }, () => eventRecord(failedLogin('u1'))),
      ])
      const engines = countingEngines()
      const detector = place.detector(engines)
      await untilProcessed(place.kafka, [detector])
      expect((await publishedChanges(place.kafka)).map(({ alert }) => [alert.revision, alert.count])).toEqual([
        [1, 5],
        [2, 10],
      ])
      const dead = await contentOf(place.kafka, DEAD)
      expect(
        dead.map(({ headers }) => [headers(DEAD_HEADERS.code), headers(DEAD_HEADERS.attempts), headers(DEAD_HEADERS.offset)]),
      ).toEqual([['UNEXPECTED', '3', '7']])
      expect(engines.made.get(0)?.state.records).toBe(11)
    }))

  it('of a type that this release does not know halt their partition, after what is before them, and say so', () =>
    withTopics(2, async (place) => {
      await place.producer.send([
        ...Array.from({ length: 5 }, () => eventRecord(failedLogin('u1'))),
        rawRecord('{}', { [HEADERS.type]: 'novelty' }),
        eventRecord(failedLogin('u1')),
        ...Array.from({ length: 5 }, () => eventRecord(failedLogin('u2'), 1)),
      ])
      const engines = countingEngines()
      const detector = place.detector(engines)
      await waitFor(() => detector.degraded().includes('audit.events/0:halted') && engines.made.get(1)?.state.records === 5, {
        limitMs: LIMIT_MS,
        what: 'the halt',
      })
      expect(engines.made.get(0)?.state.records).toBe(5)
      await waitFor(async () => (await publishedChanges(place.kafka)).length === 2, { limitMs: LIMIT_MS, what: 'both alerts' })
    }))

  it('without a type are events, and those replayed for another consumer only move log time', () =>
    withTopics(1, async (place) => {
      const event = () => JSON.stringify(failedLogin('u1'))
      await place.producer.send([
        rawRecord(event()),
        rawRecord(event(), { [HEADERS.replayFor]: 'somebody' }),
        rawRecord(event(), { [HEADERS.replayFor]: 'detector' }),
        tickRecord(),
      ])
      const engines = countingEngines()
      const detector = place.detector(engines)
      await untilProcessed(place.kafka, [detector])
      expect(Object.values(engines.made.get(0)?.state.counts ?? {})).toEqual([2])
      expect(engines.made.get(0)?.state.records).toBe(4)
    }))
})
