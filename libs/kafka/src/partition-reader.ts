/**
 * Reads the partitions that the group gives this member, each exactly from where its owner says and on from there.
 *
 * 1. A partition is read only after `begin` gave its offset, and only by the member that has it: state of a lost partition is dropped in the
 *    rebalance itself (`lost`), before anything is fetched again.
 * 2. Records below the position are skipped. A first record above it is fetched again from the position; where the log itself begins above, or
 *    ends below it, the partition halts and says so: kafkajs would silently go on elsewhere.
 * 3. `records` gets a partition's records in order, never two calls at a time for one partition.
 * 4. A partition that must wait is paused with back-off; the others go on.
 * 5. Nothing is committed but by `commit`.
 * 6. With `readAhead`, what comes next is fetched while a turn is in hand: of each partition at most what one fetch brings. It waits for the turn
 *    to end, and is thrown away when that did not end behind its last record, or the partition was taken away.
 */
import { messageOf, RetryableError, TerminalError } from '@tocsin/errors'
import type { Consumer, ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs'
import { backoffMs } from './back-off.ts'
import { GroupMember, HEARTBEAT_MS } from './group-member.ts'
import { internalsOf, type KafkaInternals } from './kafka.ts'
import { keyOf, type TopicPartition, type Turn } from './partition-owner.ts'
import { hole, measureSlots, newSlot, pastTheEnd, type Slot } from './partition-slot.ts'
import type { PartitionReader, ReaderOptions } from './reader-options.ts'
import { fetchedRecords } from './record.ts'
import type { Holding } from './sticky-assigner.ts'

export function readPartitions(options: ReaderOptions): PartitionReader {
  return new Reader(options)
}

class Reader implements PartitionReader {
  readonly joined: Promise<void>
  readonly #kafka: KafkaInternals
  readonly #options: ReaderOptions
  readonly #slots = new Map<string, Slot>()
  readonly #member: GroupMember
  #markJoined: () => void = () => {}
  #memberId: string | undefined

  constructor(options: ReaderOptions) {
    this.#kafka = internalsOf(options.kafka)
    this.#options = options
    this.joined = new Promise((resolve) => {
      this.#markJoined = resolve
    })
    this.#member = new GroupMember({
      kafka: this.#kafka,
      groupId: options.groupId,
      topics: options.topics,
      concurrency: options.concurrency ?? 1,
      holds: () => this.#held(),
      only: options.only,
      onJoin: (payload) => this.#onJoin(payload),
      onBatch: (consumer, payload) => this.#onBatch(consumer, payload),
    })
  }

  degraded(): readonly string[] {
    return [...this.#slots.values()].flatMap((slot) =>
      slot.state === 'halted' || (slot.state === 'retrying' && slot.failures > 1) ? [`${keyOf(slot)}:${slot.state}`] : [],
    )
  }

  holding() {
    return [...this.#slots.values()].map(({ topic, partition, state, position, reason }) => ({
      topic,
      partition,
      state,
      position,
      reason,
    }))
  }

  async commit(place: TopicPartition, next: bigint, metadata?: string): Promise<boolean> {
    const { consumer } = this.#member
    if (consumer === undefined || !this.#slots.has(keyOf(place))) return false
    const offset = { topic: this.#kafka.name(place.topic), partition: place.partition, offset: String(next) }
    try {
      await consumer.commitOffsets([{ ...offset, ...(metadata === undefined ? {} : { metadata }) }])
    } catch (error) {
      throw new RetryableError(`the offset of ${keyOf(place)} was not committed: ${messageOf(error)}`, { cause: error })
    }
    return true
  }

  async stop(): Promise<void> {
    const stopped = this.#member.stop()
    for (const slot of this.#slots.values()) {
      clearTimeout(slot.timer)
      // Only what is being prepared is given up; a turn in hand ends in its own way.
      if (slot.state === 'loading') slot.lost.abort()
    }
    await stopped
  }

  /** Such a group is not worth a line in the log at each join, nor a series each. */
  get #isThrowAway(): boolean {
    return this.#options.throwAway === true
  }

  #held(): Holding {
    const held: Record<string, number[]> = {}
    for (const { topic, partition } of this.#slots.values()) {
      const name = this.#kafka.name(topic)
      held[name] = [...(held[name] ?? []), partition]
    }
    return held
  }

  #onJoin(payload: ConsumerGroupJoinEvent['payload']): void {
    const mine = new Map<string, TopicPartition>()
    for (const [name, partitions] of Object.entries(payload.memberAssignment))
      for (const partition of partitions) {
        const place = { topic: this.#kafka.plainName(name), partition }
        mine.set(keyOf(place), place)
      }
    // Another member id: the group had given this member up, and others may have had its partitions meanwhile.
    const known = this.#memberId === payload.memberId
    this.#memberId = payload.memberId
    for (const [key, slot] of this.#slots) {
      if (known && mine.has(key)) continue
      this.#slots.delete(key)
      this.#drop(slot) // (1)
    }
    for (const [key, place] of mine) {
      const kept = this.#slots.get(key)
      if (kept === undefined) {
        const slot = newSlot(place)
        this.#slots.set(key, slot)
        this.#pause(slot)
        void this.#begin(slot)
        continue
      }
      // It may say that the group is to be joined again, as has just been done.
      kept.turn = kept.turn.catch(() => {})
      if (kept.state === 'reading') this.#seek(kept)
      else this.#pause(kept)
    }
    this.#kafka.log[this.#isThrowAway ? 'debug' : 'info'](
      { groupId: this.#options.groupId, partitions: [...mine.keys()] },
      'partitions assigned',
    )
    this.#measure()
    this.#markJoined()
  }

  async #begin(slot: Slot): Promise<void> {
    slot.state = 'loading'
    const { signal } = slot.lost
    try {
      const wanted = await this.#options.owner.begin(slot, signal)
      if (signal.aborted) return
      const log = (await this.#kafka.topicOffsets(slot.topic)).get(slot.partition)
      if (signal.aborted) return
      if (log === undefined) throw new RetryableError(`${keyOf(slot)} is not there (yet)`)
      const start = wanted ?? log.start
      if (start > log.end) throw pastTheEnd(slot, start, log.end)
      if (start < log.start) throw hole(slot, start, log.start)
      slot.position = start
      slot.lag = log.end - start
      this.#resume(slot)
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof TerminalError) this.#halt(slot, error.message)
      else this.#wait(slot, error, () => void this.#begin(slot))
    }
  }

  async #onBatch(consumer: Consumer, payload: EachBatchPayload): Promise<void> {
    const { batch } = payload
    const slot = this.#slots.get(keyOf({ topic: this.#kafka.plainName(batch.topic), partition: batch.partition }))
    if (slot === undefined || this.#member.consumer !== consumer) return
    await slot.turn // (3), and in its rejection what kafkajs has to know
    if (slot.state !== 'reading' || slot.lost.signal.aborted || payload.isStale()) return
    // From where kafkajs fetches next, unless there is a seek before.
    payload.resolveOffset(batch.lastOffset())
    const turn = this.#turn(slot, payload)
    slot.turn = turn
    turn.catch(() => {})
    if (this.#options.readAhead !== true) await turn
  }

  async #turn(slot: Slot, payload: EachBatchPayload): Promise<void> {
    const { batch } = payload
    // The next request goes out first.
    if (this.#options.readAhead === true) await new Promise(setImmediate)
    if (slot.lost.signal.aborted) return
    const end = BigInt(batch.highWatermark)
    if (end < slot.position) return this.#halt(slot, pastTheEnd(slot, slot.position, end).message) // (2)
    const first = batch.messages[0]
    if (first !== undefined && BigInt(first.offset) > slot.position && !(await this.#isGap(slot, BigInt(first.offset)))) return
    const records = fetchedRecords(slot.topic, slot.partition, batch.messages, slot.position)
    if (records.length === 0) {
      const afterBatch = BigInt(batch.lastOffset()) + 1n
      this.#advance(slot, afterBatch > slot.position ? afterBatch : slot.position, end)
      return
    }
    // A turn may wait for a database or a broker: the group must hear of this member meanwhile.
    let rebalance: unknown
    const beat = () => payload.heartbeat().catch((error: unknown) => (rebalance = error))
    const beating = setInterval(() => void beat(), HEARTBEAT_MS)
    let turn: Turn
    try {
      turn = await this.#options.owner.records(slot, records, {
        mine: () => !slot.lost.signal.aborted,
        stopping: () => this.#member.stopping,
        from: slot.position,
        end,
        commit: (next) =>
          payload
            .commitOffsetsIfNecessary({
              topics: [{ topic: batch.topic, partitions: [{ partition: batch.partition, offset: String(next) }] }],
            })
            .catch((error: unknown) => {
              rebalance = error
            }),
      })
    } catch (error) {
      turn = { kind: 'retry', next: slot.position, error }
    } finally {
      clearInterval(beating)
    }
    if (slot.lost.signal.aborted) return
    const last = records.at(-1)
    if (turn.kind === 'reload') {
      this.#drop(slot)
      const fresh = newSlot(slot)
      this.#slots.set(keyOf(slot), fresh)
      this.#pause(fresh)
      void this.#begin(fresh)
      return
    }
    if (turn.next > slot.position) slot.failures = 0
    const complete = last !== undefined && turn.next === last.offset + 1n
    this.#advance(slot, turn.next, end)
    if (turn.kind === 'retry') this.#wait(slot, turn.error, () => this.#resume(slot))
    else if (turn.kind === 'halt') this.#halt(slot, turn.reason)
    else if (!complete) this.#seek(slot)
    else {
      slot.reason = undefined
      slot.failures = 0
    }
    // kafkajs knows what to do with it: join again, or try again.
    if (rebalance !== undefined) throw rebalance
  }

  #advance(slot: Slot, next: bigint, end: bigint): void {
    slot.position = next
    slot.lag = end > next ? end - next : 0n
    this.#measure()
  }

  /** True when the log really has nothing between the position and `first` (compaction): false when it was dealt with here (2). */
  async #isGap(slot: Slot, first: bigint): Promise<boolean> {
    if (slot.soughtTo !== slot.position) {
      this.#seek(slot)
      return false
    }
    const log = (await this.#kafka.topicOffsets(slot.topic)).get(slot.partition)
    if (log !== undefined && log.start <= slot.position) return true
    this.#halt(slot, hole(slot, slot.position, first).message)
    return false
  }

  #resume(slot: Slot): void {
    if (slot.lost.signal.aborted || this.#member.stopping) return
    slot.state = 'reading'
    this.#seek(slot)
    this.#member.consumer?.resume([this.#realPlace(slot)])
    this.#measure()
  }

  #seek(slot: Slot): void {
    slot.soughtTo = slot.position
    this.#member.consumer?.seek({
      topic: this.#kafka.name(slot.topic),
      partition: slot.partition,
      offset: String(slot.position),
    })
  }

  #pause(slot: Slot): void {
    this.#member.consumer?.pause([this.#realPlace(slot)])
  }

  #wait(slot: Slot, error: unknown, then: () => void): void {
    slot.state = 'retrying'
    slot.failures += 1
    slot.reason = messageOf(error)
    this.#pause(slot)
    if (slot.failures === 1 || slot.failures % 10 === 0)
      this.#kafka.log.warn({ place: keyOf(slot), failures: slot.failures, reason: slot.reason }, 'a partition waits')
    const wait = Math.max(backoffMs(slot.failures), error instanceof RetryableError ? error.retryAfterMs : 0)
    slot.timer = setTimeout(then, wait)
    this.#measure()
  }

  #halt(slot: Slot, reason: string): void {
    slot.state = 'halted'
    slot.reason = reason
    this.#pause(slot)
    this.#kafka.log.error(
      { place: keyOf(slot), position: String(slot.position), reason },
      'a partition is halted until an operator acts',
    )
    this.#measure()
  }

  #end(slot: Slot): void {
    clearTimeout(slot.timer)
    slot.lost.abort()
  }

  #drop(slot: Slot): void {
    this.#end(slot)
    this.#options.owner.lost(slot)
  }

  #realPlace = ({ topic, partition }: TopicPartition) => ({ topic: this.#kafka.name(topic), partitions: [partition] })

  #measure(): void {
    if (this.#isThrowAway) return
    measureSlots(this.#kafka.metrics, this.#options.groupId, this.#options.topics, [...this.#slots.values()])
  }
}
