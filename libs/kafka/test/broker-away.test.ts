import { RetryableError } from '@tocsin/errors'
import { startOwnServer, waitFor } from '@tocsin/testing'
import { expect, it } from 'vitest'
import { createKafka, createProducer, done, followTopic, runConsumer } from '../src/index.ts'
import { contentOf, log, makeTopics, record, textsOf } from './support.ts'

const LIMIT_MS = 30_000

/** A broker of its own is started twice: some seconds each, on a busy machine many. */
const JVM_LIMIT_MS = 240_000

it('a broker that goes and comes back stops nobody for good: writes are refused meanwhile, and readers go on where they were', {
  timeout: JVM_LIMIT_MS,
}, async () => {
  const broker = await startOwnServer('kafka')
  const kafka = createKafka({ brokers: broker.address, clientId: 'away', log })
  const producer = createProducer(kafka)
  const seen: string[] = []
  const followed: string[] = []
  try {
    await makeTopics(kafka, ['t'], 1)
    const following = followTopic({ kafka, topic: 't', onRecord: (each) => followed.push(String(each.value)) })
    const consumer = runConsumer<string>({
      kafka,
      producer,
      groupId: 'g',
      topics: ['t'],
      read: ({ value }) => ({ kind: 'take', value: String(value) }),
      handleBatch: async ({ items }) => {
        seen.push(...items.map(({ value }) => value))
        return done
      },
    })
    await producer.send([record('t', 0, 'before')])
    await waitFor(() => seen.length === 1 && followed.length === 1, { limitMs: LIMIT_MS, what: 'the first record' })

    await broker.stop()
    const begun = performance.now()
    await expect(producer.send([record('t', 0, 'refused')])).rejects.toBeInstanceOf(RetryableError)
    expect(performance.now() - begun).toBeLessThan(11_000)
    expect([producer.isUp(), kafka.isUp()]).toEqual([false, false])
    await expect(following.catchUp(1_000)).rejects.toBeInstanceOf(RetryableError)

    await broker.start()
    await waitFor(() => producer.send([record('t', 0, 'after')]), { limitMs: LIMIT_MS, what: 'a write to be taken again' })
    await waitFor(() => seen.includes('after') && followed.includes('after'), { limitMs: LIMIT_MS, what: 'the record after' })
    expect([producer.isUp(), kafka.isUp()]).toEqual([true, true])
    // What was refused was never written, and what was written was read once, in order.
    const written = textsOf(await contentOf(kafka, 't'))
    expect(written[0]).toBe('before')
    expect(followed).toEqual(written)
    expect(seen.filter((each) => each === 'before').length).toBe(1)
    await consumer.stop()
    await following.stop()
  } finally {
    await producer.close()
    await kafka.close()
    await broker.close()
  }
})
