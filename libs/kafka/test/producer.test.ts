import { RetryableError, TerminalError } from '@tocsin/errors'
import { describe, expect, it } from 'vitest'
import { createKafka, createProducer } from '../src/index.ts'
import { contentOf, log, makeTopics, record, testKafka, textsOf } from './support.ts'

describe('the producer', () => {
  it('says where each record lies, in the order given, over partitions and requests', async () => {
    const kafka = testKafka()
    await makeTopics(kafka, ['t'], 3)
    const producer = createProducer(kafka)
    const big = 'x'.repeat(100_000)
    const records = Array.from({ length: 40 }, (_, index) => record('t', index % 3, `${index}:${index % 2 === 0 ? big : ''}`))
    const places = await producer.send(records)
    const found = new Map(
      (await contentOf(kafka, 't')).map((each) => [`${each.partition}/${each.offset}`, each.value?.toString().split(':')[0]]),
    )
    expect(places.map(({ partition, offset }) => found.get(`${partition}/${offset}`))).toEqual(
      records.map((_, index) => String(index)),
    )
    await producer.close()
    await kafka.close()
  })

  it('keeps the order of calls that nobody waited for', async () => {
    const kafka = testKafka()
    await makeTopics(kafka, ['t'], 1)
    const producer = createProducer(kafka)
    const texts = Array.from({ length: 200 }, (_, index) => String(index))
    const sends: Promise<unknown>[] = []
    for (const text of texts) {
      sends.push(producer.send([record('t', 0, text)]))
      if (Number(text) % 17 === 0) await new Promise(setImmediate)
    }
    await Promise.all(sends)
    expect(textsOf(await contentOf(kafka, 't'))).toEqual(texts)
    await producer.close()
    await kafka.close()
  })

  it('refuses a record that the topic cannot hold with TerminalError, writes the others, and goes on', async () => {
    const kafka = testKafka()
    await makeTopics(kafka, ['t'], 1)
    const producer = createProducer(kafka)
    const tooLarge = producer.send([record('t', 0, 'x'.repeat(6_000_000))])
    const fine = producer.send([record('t', 0, 'a'), record('t', 0, 'b')])
    await expect(tooLarge).rejects.toBeInstanceOf(TerminalError)
    await fine
    await producer.send([record('t', 0, 'c')])
    expect(textsOf(await contentOf(kafka, 't'))).toEqual(['a', 'b', 'c'])
    await producer.close()
    await kafka.close()
  })

  it('says RetryableError when no broker answers, within its limit, for every waiting call', async () => {
    const kafka = createKafka({ brokers: '127.0.0.1:1', clientId: 'nobody', log })
    const producer = createProducer(kafka)
    const begun = performance.now()
    const results = await Promise.allSettled([producer.send([record('t', 0, 'a')]), producer.send([record('t', 0, 'b')])])
    for (const result of results) expect((result as PromiseRejectedResult).reason).toBeInstanceOf(RetryableError)
    expect(performance.now() - begun).toBeLessThan(11_000)
    expect([producer.isUp(), kafka.isUp()]).toEqual([false, false])
    await producer.close()
    await kafka.close()
  })
})
