/** A range of offsets of one partition of `audit.events`, as the engine reads it. */
import { ControlRecord, HEADERS, TOPICS } from '@tocsin/contracts'
import {
  type CompiledRule,
  checkSettings,
  compileRule,
  type DurationMs,
  type EngineRecord,
  type EpochMs,
  parsedEvent,
} from '@tocsin/engine'
import { TerminalError } from '@tocsin/errors'
import { type FollowOptions, followTopic, headerOf, type Kafka, type KafkaRecord } from '@tocsin/kafka'
import { Compile } from 'typebox/compile'
import { isCanonical } from './canonical.ts'

export interface TopicRange {
  readonly kafka: Kafka
  readonly partition: number
  /** The first offset told of, and the one after the last; default the log's end. */
  readonly from: bigint
  readonly to: bigint | undefined
}

const TOPIC = TOPICS.auditEvents.name
const DEFAULT_COOLDOWN_MS = 300_000
const DEFAULT_LATENESS_MS = 900_000
const WEEK_MS = 604_800_000
const controlRecord = Compile(ControlRecord)

/**
 * How long before a range a run begins, so that the windows and alerts at its start are there: twice as long as an event is kept (R).
 * Settings of organizations may make that longer; twice is for those, too.
 */
export function leadMs(rules: readonly CompiledRule[]): DurationMs {
  const kept = rules.map(({ calendar, timespanMs, cooldownMs, latenessMs }) => {
    const span = calendar === null ? timespanMs + (cooldownMs ?? DEFAULT_COOLDOWN_MS) : WEEK_MS
    return span + (latenessMs ?? DEFAULT_LATENESS_MS)
  })
  return 2 * Math.max(0, ...kept)
}

/**
 * Hands on every record from `lead` ms of log time before the range to its end; with `lead` undefined from the log's beginning.
 * Resolves with the offset at which the reading began.
 */
export async function readRange(
  range: TopicRange,
  lead: DurationMs | undefined,
  take: (record: KafkaRecord) => void,
): Promise<bigint> {
  const { kafka, partition, from } = range
  const bounds = await boundsOf(range)
  const to = range.to === undefined || range.to > bounds.end ? bounds.end : range.to
  if (from < bounds.start || from >= to)
    throw new TerminalError(`The range ${from} to ${to} is not in the log, which has ${bounds.start} to ${bounds.end}.`)
  const one = { kafka, topic: TOPIC, partitions: [partition] }
  const since = lead === undefined ? undefined : (await appendTimeOf(one, from)) - lead
  return (await readUntil(one, since, to, take)) ?? from
}

/** Hands on every record appended from `since` (ms since 1970) to now, each with the share of them that is read with it. */
export async function readSince(
  place: Pick<TopicRange, 'kafka' | 'partition'> & { readonly since: EpochMs },
  take: (record: KafkaRecord, share: number) => void,
): Promise<void> {
  const { kafka, partition, since } = place
  const { end } = await boundsOf(place)
  let first: bigint | undefined
  await readUntil({ kafka, topic: TOPIC, partitions: [partition] }, since, end, (record) => {
    first ??= record.offset
    take(record, Number(record.offset - first + 1n) / Number(end - first))
  })
}

async function boundsOf({ kafka, partition }: Pick<TopicRange, 'kafka' | 'partition'>) {
  const bounds = (await kafka.topicOffsets(TOPIC)).get(partition)
  if (bounds === undefined) throw new TerminalError(`${TOPIC} has no partition ${partition}.`)
  return bounds
}

type OnePartition = Pick<FollowOptions, 'kafka' | 'topic'> & { readonly partitions: readonly number[] }

/** From `since`, default the log's beginning, to before `to`. Resolves with the first offset; undefined: there was none. */
async function readUntil(
  one: OnePartition,
  since: EpochMs | undefined,
  to: bigint,
  take: (record: KafkaRecord) => void,
): Promise<bigint | undefined> {
  let first: bigint | undefined
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const following = followTopic({
    ...one,
    ...(since === undefined ? {} : { since }),
    onRecord: (record) => {
      try {
        first ??= record.offset
        if (record.offset < to) take(record)
        if (record.offset >= to - 1n) resolve()
      } catch (error) {
        reject(error)
      }
    },
  })
  try {
    // Where the last offsets hold no record (compaction, transactions), the end is reached without them.
    await Promise.race([promise, following.caughtUp])
  } finally {
    await following.stop()
  }
  return first
}

async function appendTimeOf(one: OnePartition, from: bigint) {
  const { promise, resolve } = Promise.withResolvers<number>()
  const following = followTopic({ ...one, from, onRecord: ({ appendTime }) => resolve(appendTime) })
  try {
    return await promise
  } finally {
    await following.stop()
  }
}

/** What a record is to the engine; undefined: it is not for the detector. One that the detector would set aside moves log time only. */
export function engineRecordOf(record: KafkaRecord): EngineRecord | undefined {
  const { appendTime, offset } = record
  if (headerOf(record, HEADERS.replayFor) !== undefined) return undefined
  const type = headerOf(record, HEADERS.type) ?? 'event'
  if (type === 'tick') return { kind: 'tick', appendTime, offset }
  const value = json(record.value)
  if (type === 'event' && isCanonical(value)) return { kind: 'event', appendTime, offset, event: parsedEvent(value) }
  if (type === 'control' && controlRecord.Check(value) && canRun(value))
    return { kind: 'control', appendTime, offset, control: value }
  return { kind: 'other', appendTime, offset }
}

function canRun(control: ControlRecord): boolean {
  try {
    if (control.kind === 'organization') checkSettings(control.organization.settings)
    else if (control.kind === 'rule' && control.rule.state === 'active') compileRule(control.rule)
    return true
  } catch {
    return false
  }
}

function json(value: Buffer | null): unknown {
  try {
    return value === null ? undefined : JSON.parse(value.toString())
  } catch {
    return undefined
  }
}
