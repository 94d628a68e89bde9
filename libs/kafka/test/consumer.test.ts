import { DEAD_HEADERS, HEADERS } from '@tocsin/contracts'
import { RetryableError } from '@tocsin/errors'
import { uniquePrefix, waitFor } from '@tocsin/testing'
import { describe, expect, it } from 'vitest'
import {
  type ConsumerOptions,
  createProducer,
  deadLettered,
  done,
  dropped,
  halt,
  headerOf,
  type Kafka,
  type Producer,
  runConsumer,
} from '../src/index.ts'
import { contentOf, makeTopics, record, testKafka } from './support.ts'

const LIMIT_MS = 15_000
const until = (what: string, condition: () => boolean) => waitFor(condition, { limitMs: LIMIT_MS, what })

async function withTopic(partitions: number, run: (kafka: Kafka, producer: Producer) => Promise<void>): Promise<void> {
  const kafka = testKafka()
  await makeTopics(kafka, ['t'], partitions)
  const producer = createProducer(kafka)
  try {
    await run(kafka, producer)
  } finally {
    await producer.close()
    await kafka.close()
  }
}

const text: ConsumerOptions<string>['read'] = ({ value }) => ({ kind: 'take', value: value?.toString() ?? '' })
/** Offsets of the reader's own, kept as a database would: `apply` stores effect and offset together, and refuses a batch of another position. */
function ownStore() {
  const next = new Map<number, bigint>()
  const applied: string[] = []
  return {
    applied,
    next,
    offsets: { load: async ({ partition }: { partition: number }) => next.get(partition) },
    apply: (partition: number, from: bigint, to: bigint, effects: readonly string[]): boolean => {
      if ((next.get(partition) ?? 0n) !== from) return false
      next.set(partition, to)
      applied.push(...effects)
      return true
    },
  }
}

describe('a consumer', () => {
  it('sets a poison record aside with its bytes, key and headers, less the ingest key, and goes on', () =>
    withTopic(1, async (kafka, producer) => {
      const poison = Buffer.from([0xff, 0x00, 0xfe])
      await producer.send([
        record('t', 0, 'a'),
        { topic: 't', partition: 0, key: 'org', value: poison, headers: { [HEADERS.key]: 'tk_secret', traceparent: '00-x' } },
        record('t', 0, 'c'),
      ])
      const seen: string[] = []
      const consumer = runConsumer<string>({
        kafka,
        producer,
        groupId: 'g',
        topics: ['t'],
        read: (each) => (each.value?.[0] === 0xff ? deadLettered('MALFORMED', 'not JSON') : text(each)),
        handleBatch: async ({ items }) => {
          seen.push(...items.map(({ value }) => value))
          return done
        },
      })
      await until('the good records', () => seen.length === 2)
      await consumer.stop()
      const [dead] = await contentOf(kafka, 't.dead')
      if (dead === undefined) throw new Error('no dead letter')
      expect(dead.value).toEqual(poison)
      expect(dead.key?.toString()).toBe('org')
      expect(headerOf(dead, HEADERS.key)).toBeUndefined()
      expect(headerOf(dead, 'traceparent')).toBe('00-x')
      expect(Object.values(DEAD_HEADERS).map((name) => headerOf(dead, name))).toEqual([
        'not JSON',
        'MALFORMED',
        'g',
        '1',
        't',
        '0',
        '1',
      ])
    }))

  it('pauses with back-off while a dependency is away, and goes on exactly where it was', () =>
    withTopic(2, async (kafka, producer) => {
      let away = true
      let refusals = 0
      const seen: string[] = []
      const consumer = runConsumer<string>({
        kafka,
        producer,
        groupId: 'g',
        topics: ['t'],
        read: text,
        maxBatch: 2,
        handleBatch: async ({ partition, items }) => {
          if (partition === 0 && away && items.some(({ value }) => value === '0:4')) {
            refusals += 1
            throw new RetryableError('the database is away')
          }
          seen.push(...items.map(({ value }) => value))
          return done
        },
      })
      await producer.send(
        Array.from({ length: 20 }, (_, index) => record('t', index % 2, `${index % 2}:${Math.floor(index / 2)}`)),
      )
      await until(
        'some refusals, and the other partition read',
        () => refusals >= 3 && seen.filter((each) => each.startsWith('1:')).length === 10,
      )
      expect(seen.filter((each) => each.startsWith('0:'))).toEqual(['0:0', '0:1', '0:2', '0:3'])
      expect(consumer.degraded()).toEqual(['t/0:retrying'])
      away = false
      await until('the rest', () => seen.length === 20)
      expect(seen.filter((each) => each.startsWith('0:'))).toEqual(Array.from({ length: 10 }, (_, index) => `0:${index}`))
      await until('health', () => consumer.degraded().length === 0)
      await consumer.stop()
    }))

  it('dead-letters a record that cannot be handled as UNEXPECTED after three tries, and only that one', () =>
    withTopic(1, async (kafka, producer) => {
      await producer.send(['a', 'b', 'bad', 'd'].map((value) => record('t', 0, value)))
      const store = ownStore()
      let tries = 0
      const consumer = runConsumer<string>({
        kafka,
        producer,
        groupId: 'g',
        topics: ['t'],
        read: text,
        offsets: store.offsets,
        handleBatch: async ({ partition, items, from, to }) => {
          if (items.some(({ value }) => value === 'bad')) {
            if (items.length === 1) tries += 1
            throw new TypeError('no such field')
          }
          const effects = items.map(({ value }) => value)
          return store.apply(partition, from, to, effects) ? done : 'moved'
        },
      })
      await until('the last record', () => store.applied.includes('d'))
      await consumer.stop()
      expect(store.applied).toEqual(['a', 'b', 'd'])
      expect(tries).toBe(3)
      expect(store.next.get(0)).toBe(4n)
      const [dead] = await contentOf(kafka, 't.dead')
      expect([
        dead?.value?.toString(),
        dead && headerOf(dead, DEAD_HEADERS.code),
        dead && headerOf(dead, DEAD_HEADERS.attempts),
      ]).toEqual(['bad', 'UNEXPECTED', '3'])
    }))

  it('takes what was replayed for it and drops what was replayed for another', () =>
    withTopic(1, async (kafka, producer) => {
      await producer.send([
        record('t', 0, 'mine', { [HEADERS.replayFor]: 'me' }),
        record('t', 0, 'other', { [HEADERS.replayFor]: 'you' }),
        record('t', 0, 'all'),
      ])
      const seen: string[] = []
      const consumer = runConsumer<string>({
        kafka,
        producer,
        groupId: 'g',
        name: 'me',
        topics: ['t'],
        read: text,
        handleBatch: async ({ items }) => {
          seen.push(...items.map(({ value }) => value))
          return items.map(({ value }) => (value === 'all' ? dropped('known') : done))
        },
      })
      await until('both', () => seen.length === 2)
      await consumer.stop()
      expect(seen).toEqual(['mine', 'all'])
    }))

  it('halts a partition at a record that it does not know, handles what is before it, and leaves the others alone', () =>
    withTopic(2, async (kafka, producer) => {
      await producer.send([record('t', 0, 'a'), record('t', 0, 'unknown'), record('t', 0, 'c'), record('t', 1, 'x')])
      const seen: string[] = []
      const run = () =>
        runConsumer<string>({
          kafka,
          producer,
          groupId: 'g',
          topics: ['t'],
          read: (each) => (String(each.value) === 'unknown' ? halt('type is not known') : text(each)),
          handleBatch: async ({ items }) => {
            seen.push(...items.map(({ value }) => value))
            return done
          },
        })
      const consumer = run()
      await until('the halt', () => consumer.degraded().includes('t/0:halted') && seen.length === 2)
      expect([...seen].sort()).toEqual(['a', 'x'])
      await consumer.stop()
      const again = run()
      await until('the halt again', () => again.degraded().includes('t/0:halted'))
      expect([...seen].sort()).toEqual(['a', 'x'])
      await again.stop()
    }))

  it('continues after a restart behind what was committed', () =>
    withTopic(1, async (kafka, producer) => {
      const seen: string[] = []
      const run = () =>
        runConsumer<string>({
          kafka,
          producer,
          groupId: 'g',
          topics: ['t'],
          read: text,
          handleBatch: async ({ items }) => {
            seen.push(...items.map(({ value }) => value))
            return done
          },
        })
      await producer.send([record('t', 0, 'a'), record('t', 0, 'b')])
      const first = run()
      await until('two', () => seen.length === 2)
      await first.stop()
      await producer.send([record('t', 0, 'c')])
      const second = run()
      await until('three', () => seen.length === 3)
      await second.stop()
      expect(seen).toEqual(['a', 'b', 'c'])
    }))

  it('commits what it has done when it is stopped in the middle of a fetch, and does nothing twice', () =>
    withTopic(1, async (kafka, producer) => {
      const texts = Array.from({ length: 60 }, (_, index) => String(index))
      await producer.send(texts.map((value) => record('t', 0, value)))
      const seen: string[] = []
      const run = () =>
        runConsumer<string>({
          kafka,
          producer,
          groupId: 'g',
          topics: ['t'],
          read: text,
          maxBatch: 3,
          handleBatch: async ({ items }) => {
            await new Promise((resolve) => setTimeout(resolve, 20))
            seen.push(...items.map(({ value }) => value))
            return done
          },
        })
      const first = run()
      await until('some', () => seen.length >= 9)
      await first.stop()
      expect(seen.length).toBeLessThan(60)
      const second = run()
      await until('all', () => seen.length >= 60)
      await second.stop()
      expect(seen).toEqual(texts)
    }))

  it('gives a batch up and loads its offset again when another instance has gone on', () =>
    withTopic(1, async (kafka, producer) => {
      const store = ownStore()
      await producer.send(['a', 'b', 'c', 'd'].map((value) => record('t', 0, value)))
      let interfered = false
      const consumer = runConsumer<string>({
        kafka,
        producer,
        groupId: 'g',
        topics: ['t'],
        read: text,
        maxBatch: 1,
        offsets: store.offsets,
        handleBatch: async ({ partition, items, from, to }) => {
          if (from === 1n && !interfered) {
            interfered = true
            store.next.set(0, 3n) // what another instance did meanwhile: b and c are applied
          }
          return store.apply(
            partition,
            from,
            to,
            items.map(({ value }) => value),
          )
            ? done
            : 'moved'
        },
      })
      await until('the last', () => store.applied.includes('d'))
      await consumer.stop()
      expect(store.applied).toEqual(['a', 'd'])
    }))

  it('halts, naming the way out, when its offset lies past the end of the log', () =>
    withTopic(1, async (kafka, producer) => {
      const store = ownStore()
      store.next.set(0, 99n)
      await producer.send([record('t', 0, 'a')])
      const consumer = runConsumer<string>({
        kafka,
        producer,
        groupId: 'g',
        topics: ['t'],
        read: text,
        offsets: store.offsets,
        handleBatch: async () => done,
      })
      await until('the halt', () => consumer.degraded().includes('t/0:halted'))
      await consumer.stop()
    }))

  it('with offsets of its own processes nothing twice and skips nothing while a second member comes and goes', () =>
    withTopic(4, async (kafka, producer) => {
      const store = ownStore()
      const refused: string[] = []
      const member = (clientKafka: Kafka) =>
        runConsumer<string>({
          kafka: clientKafka,
          producer,
          groupId: 'g',
          topics: ['t'],
          read: text,
          maxBatch: 7,
          offsets: store.offsets,
          handleBatch: async ({ partition, items, from, to }) => {
            await new Promise((resolve) => setTimeout(resolve, 3))
            if (
              store.apply(
                partition,
                from,
                to,
                items.map(({ value }) => value),
              )
            )
              return done
            refused.push(`${partition}: ${from} to ${to}, store at ${store.next.get(partition)}`)
            return 'moved'
          },
        })
      let written = 0
      const write = async (count: number) => {
        for (let left = count; left > 0; left -= 20) {
          await producer.send(Array.from({ length: 20 }, () => record('t', written % 4, String(written++))))
        }
      }
      const other = testKafka(kafka.prefix, 'kafka-test-2')
      const first = member(kafka)
      await write(200)
      await until('the first 200', () => store.applied.length >= 200)
      const second = member(other)
      const writing = write(1_200)
      await second.joined
      await writing
      await until('1,400', () => store.applied.length >= 1_400)
      const more = write(600)
      await second.stop()
      await more
      await until('2,000', () => store.applied.length >= 2_000)
      await first.stop()
      await other.close()
      expect(store.applied.length).toBe(2_000)
      expect(new Set(store.applied).size).toBe(2_000)
      for (let partition = 0; partition < 4; partition++) {
        const own = store.applied.map(Number).filter((each) => each % 4 === partition)
        expect(own).toEqual([...own].sort((a, b) => a - b))
      }
    }))

  it('leaves its group when it stops, so that another takes over at once', () => {
    const prefix = uniquePrefix('leave')
    return withTopic(1, async (_, producer) => {
      const kafka = testKafka(prefix)
      await makeTopics(kafka, ['t'], 1)
      const seen: string[] = []
      const options = {
        kafka,
        producer,
        groupId: 'g',
        topics: ['t'],
        read: text,
        handleBatch: async ({ items }: { items: readonly { value: string }[] }) => {
          seen.push(...items.map(({ value }) => value))
          return done
        },
      }
      const first = runConsumer<string>(options)
      await first.joined
      await first.stop()
      const begun = performance.now()
      const second = runConsumer<string>(options)
      await second.joined
      expect(performance.now() - begun).toBeLessThan(3_000)
      await second.stop()
      await kafka.close()
    })
  })
})
