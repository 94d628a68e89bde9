import { TOPICS } from '@tocsin/contracts'
import { waitFor } from '@tocsin/testing'
import { describe, expect, it } from 'vitest'
import { createProducer, ensureTopics, followTopic, readToEnd } from '../src/index.ts'
import { contentOf, makeTopics, record, testKafka, textsOf } from './support.ts'

describe('following a topic', () => {
  it('reads all partitions from the beginning, is caught up at what lay there at the start, and goes on', async () => {
    const kafka = testKafka()
    await makeTopics(kafka, ['t'], 3)
    const producer = createProducer(kafka)
    await producer.send(Array.from({ length: 30 }, (_, index) => record('t', index % 3, String(index))))
    const seen: string[] = []
    const following = followTopic({ kafka, topic: 't', onRecord: (each) => seen.push(each.value?.toString() ?? '') })
    await following.caughtUp
    expect(seen.length).toBe(30)
    await producer.send([record('t', 1, 'later')])
    await following.catchUp()
    expect(seen.at(-1)).toBe('later')
    expect(following.position(1)).toBe(11n)
    await following.stop()
    await producer.close()
    await kafka.close()
  })

  it('is caught up at once on an empty topic, and waits for a topic that is not there yet', async () => {
    const kafka = testKafka()
    const seen: string[] = []
    const following = followTopic({ kafka, topic: 't', onRecord: (each) => seen.push(String(each.value)) })
    let caughtUp = false
    void following.caughtUp.then(() => {
      caughtUp = true
    })
    await expect(following.catchUp(300)).rejects.toThrow()
    expect(caughtUp).toBe(false)
    await makeTopics(kafka, ['t'], 1)
    await following.caughtUp
    const producer = createProducer(kafka)
    await producer.send([record('t', 0, 'a')])
    await waitFor(() => seen.length === 1, { limitMs: 5_000, what: 'the record' })
    await following.stop()
    await producer.close()
    await kafka.close()
  })

  it('begins at a time where one is given', async () => {
    const kafka = testKafka()
    await makeTopics(kafka, ['t'], 1)
    const producer = createProducer(kafka)
    await producer.send([record('t', 0, 'old')])
    const [old] = await contentOf(kafka, 't')
    const between = (old?.appendTime ?? 0) + 1
    await waitFor(() => Date.now() > between + 5, { limitMs: 2_000, what: 'time to pass' })
    await producer.send([record('t', 0, 'new')])
    const seen: string[] = []
    const following = followTopic({ kafka, topic: 't', since: between, onRecord: (each) => seen.push(String(each.value)) })
    await following.caughtUp
    expect(seen).toEqual(['new'])
    await following.stop()
    await producer.close()
    await kafka.close()
  })

  it('reads only the partitions asked for, over the gaps of a compacted topic', async () => {
    const kafka = testKafka()
    const spec = {
      ...TOPICS.tenants,
      partitions: 2,
      config: { ...TOPICS.tenants.config, 'segment.ms': '1', 'min.cleanable.dirty.ratio': '0.01' },
    }
    await ensureTopics(kafka, [spec], { partitions: 2, replication: 1 })
    const producer = createProducer(kafka)
    for (let round = 0; round < 5; round++) await producer.send([record('tenants', 0, `${round}`), record('tenants', 1, 'other')])
    const records: string[] = []
    await readToEnd({
      kafka,
      topic: 'tenants',
      partitions: [0],
      onRecord: (each) => records.push(`${each.partition}:${String(each.value)}`),
    })
    expect(records.at(-1)).toBe('0:4')
    expect(records.every((each) => each.startsWith('0:'))).toBe(true)
    await producer.close()
    await kafka.close()
  })

  it('leaves out a record whose handling throws, and no group behind', async () => {
    const kafka = testKafka()
    await makeTopics(kafka, ['t'], 1)
    const producer = createProducer(kafka)
    await producer.send([record('t', 0, 'a'), record('t', 0, 'bad'), record('t', 0, 'c')])
    const seen: string[] = []
    await readToEnd({
      kafka,
      topic: 't',
      onRecord: (each) => {
        if (String(each.value) === 'bad') throw new Error('not understood')
        seen.push(String(each.value))
      },
    })
    expect(seen).toEqual(['a', 'c'])
    expect(textsOf(await contentOf(kafka, 't'))).toEqual(['a', 'bad', 'c'])
    await producer.close()
    await kafka.close()
  })
})
