import { TOPICS } from '@tocsin/contracts'
import { testInfrastructure, waitFor } from '@tocsin/testing'
import { afterEach, expect, it } from 'vitest'
import { type DetectorProcess, startDetectorProcess } from './detector-process.ts'
import { rulePack } from './rule-pack.ts'
import {
  contentOf,
  controlRecord,
  eventRecord,
  failedLogin,
  LIMIT_MS,
  ORGANIZATION,
  type Place,
  publishedChanges,
  tenant,
  withTopics,
} from './support.ts'

const PARTITIONS = 2

const started: DetectorProcess[] = []
const start = (place: Place): DetectorProcess => {
  const detector = startDetectorProcess(testInfrastructure().kafkaBrokers, place.prefix)
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

// What kill -9, sleep and the broker do to it is in e2e/test/chaos.test.ts.
it('a detector stopped with SIGTERM keeps its windows (four failures before, one alert at the fifth after) and tells hits of exceptions', () =>
  withTopics(PARTITIONS, async (place) => {
    await publishRules(place)
    const scanner = { id: 'scanner', match: { principalId: 'scanner' }, reason: 'a scan', owner: 'soc', expiresAt: null }
    const settings = { exceptions: [{ ...scanner, ruleId: 'tocsin.failed-auth' }] }
    await place.producer.send([
      controlRecord({ kind: 'organization', organization: tenant(0, { settings }) }),
      ...Array.from({ length: 6 }, () => eventRecord(failedLogin('scanner'))),
      ...Array.from({ length: 4 }, () => eventRecord(failedLogin('victim'))),
    ])
    const first = start(place)
    await waitFor(() => first.lines.filter((line) => line.includes('partition recovered')).length === PARTITIONS, {
      limitMs: LIMIT_MS,
      what: 'the detector',
    })
    expect(await first.kill('SIGTERM')).toBe(0)
    expect(await publishedChanges(place.kafka)).toEqual([])
    const second = start(place)
    await place.producer.send([eventRecord(failedLogin('victim'))])
    const changes = await waitFor(
      async () => {
        const all = await publishedChanges(place.kafka)
        return all.length > 0 ? all : undefined
      },
      { limitMs: LIMIT_MS, what: 'the alert' },
    )
    expect(changes.map(({ type, alert }) => [type, alert['pattern'], alert.count, alert.group])).toEqual([
      ['alert.created', 'FAILED_AUTH', 5, { principalId: 'victim' }],
    ])
    expect(await second.kill('SIGTERM')).toBe(0)
    const told = (await contentOf(place.kafka, TOPICS.exceptionHits.name)).at(-1)
    expect([told?.key, JSON.parse(String(told?.value))]).toEqual([
      ORGANIZATION,
      { organizationId: ORGANIZATION, hits: [{ id: 'scanner', count: 6 }] },
    ])
  }))
