import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '@tocsin/errors'
import type { Consumer, ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs'
import { backoffMs } from './back-off.ts'
import type { KafkaInternals } from './kafka.ts'
import { type Holding, stickyAssigner } from './sticky-assigner.ts'

export interface MemberOptions {
  readonly kafka: KafkaInternals
  /** Without prefix. */
  readonly groupId: string
  /** Without prefix. */
  readonly topics: readonly string[]
  readonly concurrency: number
  /** By real topic names; told to the group's leader. */
  readonly holds: () => Holding
  readonly only: readonly number[] | undefined
  /** Runs before the first fetch of the new generation, and must not wait: what is not paused here is fetched. */
  readonly onJoin: (payload: ConsumerGroupJoinEvent['payload']) => void
  readonly onBatch: (consumer: Consumer, payload: EachBatchPayload) => Promise<void>
}

/** kafkajs has no static membership: the broker's minimum, so that what a killed member held is taken over soon. */
const SESSION_TIMEOUT_MS = 6_000
export const HEARTBEAT_MS = 1_500
const REBALANCE_TIMEOUT_MS = 10_000
/** With all partitions paused the fetch loop sleeps this long before it looks again. */
const MAX_WAIT_MS = 100
/** Of one fetch. */
const MOST_BYTES_A_PARTITION = 1_048_576
const STOP_LIMIT_MS = 8_000
/** Trying to connect costs little, and whoever waits for the broker should not wait much longer than it was away. */
const LONGEST_RECONNECT_PAUSE_MS = 3_000
const RETRY = { retries: 4, initialRetryTime: 200, maxRetryTime: 2_000, restartOnFailure: async () => false }

/** A member of a group for as long as it is wanted: one kafkajs consumer after another, a crashed one is replaced with back-off. */
export class GroupMember {
  /** The present consumer, once it has joined: kafkajs throws at whoever pauses one before. Undefined while there is none. */
  consumer: Consumer | undefined
  readonly #options: MemberOptions
  readonly #stopping = new AbortController()
  readonly #ended: Promise<void>

  constructor(options: MemberOptions) {
    this.#options = options
    this.#ended = this.#run()
  }

  get stopping(): boolean {
    return this.#stopping.signal.aborted
  }

  /** Lets the batches in hand finish and leaves the group. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#ended
  }

  async #run(): Promise<void> {
    const { kafka, groupId, topics, concurrency, holds, only } = this.#options
    const { signal } = this.#stopping
    for (let failures = 0; !signal.aborted; ) {
      const { kafkajs, sockets } = kafka.client(RETRY)
      const consumer = kafkajs.consumer({
        groupId: kafka.name(groupId),
        sessionTimeout: SESSION_TIMEOUT_MS,
        heartbeatInterval: HEARTBEAT_MS,
        rebalanceTimeout: REBALANCE_TIMEOUT_MS,
        maxWaitTimeInMs: MAX_WAIT_MS,
        maxBytesPerPartition: MOST_BYTES_A_PARTITION,
        allowAutoTopicCreation: false,
        retry: RETRY,
        partitionAssigners: [stickyAssigner(holds, only)],
      })
      const ended = Promise.withResolvers<unknown>()
      let replaced = false
      const stop = () => ended.resolve(undefined)
      signal.addEventListener('abort', stop, { once: true })
      consumer.on(consumer.events.CRASH, ({ payload }) => ended.resolve(payload.error))
      consumer.on(consumer.events.FETCH, () => kafka.markUp(true))
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        failures = 0
        if (signal.aborted || replaced) return
        this.consumer = consumer
        this.#options.onJoin(payload)
      })
      let error: unknown
      try {
        await consumer.connect()
        await consumer.subscribe({ topics: topics.map((topic) => kafka.name(topic)), fromBeginning: true })
        await consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          partitionsConsumedConcurrently: concurrency,
          eachBatch: (payload) => this.#options.onBatch(consumer, payload),
        })
        error = await ended.promise
      } catch (thrown) {
        error = thrown
      }
      signal.removeEventListener('abort', stop)
      replaced = true
      await Promise.race([consumer.disconnect().catch(() => {}), delay(STOP_LIMIT_MS, undefined, { ref: false })])
      this.consumer = undefined
      sockets.destroy()
      if (signal.aborted) return
      kafka.markUp(false)
      failures += 1
      if (failures === 1 || failures % 10 === 0)
        kafka.log.warn({ groupId, failures, reason: messageOf(error) }, 'the consumer ended and is made anew')
      await delay(Math.min(backoffMs(failures), LONGEST_RECONNECT_PAUSE_MS), undefined, { signal }).catch(() => {})
    }
  }
}
