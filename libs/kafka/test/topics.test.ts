import { TOPICS } from '@tocsin/contracts'
import { describe, expect, it } from 'vitest'
import { createProducer, ensureTopics, nameOfFault } from '../src/index.ts'
import { allTopics, contentOf, makeTopics, record, testKafka } from './support.ts'

describe('topics', () => {
  it('are created with the settings of the contract, also when two services do it at the same time', async () => {
    const kafka = testKafka()
    const [first, second] = await Promise.all([
      ensureTopics(kafka, allTopics, { partitions: 2, replication: 1 }),
      ensureTopics(kafka, allTopics, { partitions: 2, replication: 1 }),
    ])
    expect([first, second]).toEqual([[], []])
    expect(await ensureTopics(kafka, allTopics, { partitions: 2, replication: 1 })).toEqual([])
    expect((await kafka.topicOffsets(TOPICS.auditEvents.name)).size).toBe(2)
    expect((await kafka.topicOffsets(TOPICS.rules.name)).size).toBe(1)
    await kafka.close()
  })

  it('report each wrong setting of an existing topic, and its count of partitions', async () => {
    const kafka = testKafka()
    await ensureTopics(kafka, [{ ...TOPICS.alerts, partitions: 1, config: { 'message.timestamp.type': 'CreateTime' } }], {
      partitions: 1,
      replication: 1,
    })
    const faults = await ensureTopics(kafka, [TOPICS.alerts], { partitions: 2, replication: 1 })
    expect(faults).toContainEqual({
      topic: 'alerts',
      setting: 'message.timestamp.type',
      wanted: 'LogAppendTime',
      found: 'CreateTime',
    })
    expect(faults.map(nameOfFault)).toContain('topic:alerts:retention.ms')
    expect(faults.map(nameOfFault)).toContain('topic:alerts:partitions')
    await kafka.close()
  })

  it('stamp records with the append time of the broker', async () => {
    const kafka = testKafka()
    await makeTopics(kafka, ['t'], 1)
    const producer = createProducer(kafka)
    const before = Date.now()
    await producer.send([record('t', 0, 'x')])
    const [found] = await contentOf(kafka, 't')
    expect(found?.appendTime).toBeGreaterThanOrEqual(before - 1_000)
    expect(found?.appendTime).toBeLessThanOrEqual(Date.now() + 1_000)
    await producer.close()
    await kafka.close()
  })
})
