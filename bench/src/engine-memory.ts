/**
 * A process of its own, run with --expose-gc: what the engine holds in memory for events, for groups, and at rates of events that match one rule, in
 * log time, after garbage collection. Prints JSON. No Kafka; the heap and its buffers, not the resident set.
 */
import { randomUUID } from 'node:crypto'
import type { ControlRecord } from '@tocsin/contracts'
import { compileRule, PartitionEngine, parsedEvent } from '@tocsin/engine'
import { canonical, type EventSource, readEvents } from './events.ts'
import { builtInRules, organizationOf } from './log.ts'
import { seededRandom } from './random.ts'

const RATE = 5_000
const PRINCIPALS = 10_000
const ORGANIZATIONS = 100
const SEED = 5
/** For the cost of a single event. */
const GROUPS = 250
const LARGE_GROUPS = 5
const MANY_GROUPS = 1_000_000
const FROM = Date.UTC(2026, 0, 5, 8)
const MINUTE_MS = 60_000
/** Span and cooldown of the one rule that reads match (rules/data-velocity.yml). */
const HELD_BESIDES_LATENESS_MS = MINUTE_MS + 5 * MINUTE_MS

export interface EngineMemory {
  readonly bytesAGroup: number
  readonly bytesAnEventInOrder: number
  /** Close to a group's cap of 100,000. */
  readonly bytesAnEventOfLargeGroups: number
  readonly bytesAnEventOutOfOrder: number
  readonly bytesAnEventOfASum: number
  /** At 5,000 events/s with a lateness of 1 minute, half way and when events begin to go: events held, and bytes. */
  readonly half: Fed
  readonly full: Fed
}

export interface Fed {
  readonly bytes: number
  readonly events: number
}

/** Events arrive at the rate, in log time. Measures after each of `counts`. */
function feed(source: EventSource, counts: readonly number[], latenessMs?: number): Fed[] {
  const before = used()
  const engine = new PartitionEngine({ topic: 'audit.events', partition: 0, compile: compileRule })
  let offset = 0n
  const control = (content: ControlRecord) =>
    engine.process({ kind: 'control', appendTime: FROM, offset: offset++, control: content })
  for (const rule of builtInRules()) control({ kind: 'rule', rule })
  if (latenessMs !== undefined)
    for (let index = 0; index < ORGANIZATIONS; index++)
      control({ kind: 'organization', organization: organizationOf(index, { latenessMs }) })
  let fed = 0
  return counts.map((count) => {
    for (; fed < count; fed++) {
      const event = parsedEvent(source().event)
      engine.process({ kind: 'event', appendTime: FROM + Math.floor((fed / RATE) * 1_000), offset: offset++, event })
    }
    const bytes = used() - before
    return { bytes, events: engine.gauges().heldEvents }
  })
}

function used(): number {
  gc?.()
  gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Successes by principals drawn alike, at the rate; `disorderMs` shifts each one's time back by up to so much. */
function drawn(principals: number, { action = 'data.read', disorderMs = 0 } = {}): EventSource {
  const random = seededRandom(SEED)
  let index = 0
  return () => {
    const principal = Math.floor(random() * principals)
    const organization = principal % ORGANIZATIONS
    const at = FROM + Math.floor((index / RATE) * 1_000) - Math.floor(random() * disorderMs)
    const facts = {
      action,
      status: 'success',
      targetResourceId: `p-${index % 50_000}`,
      dataClassification: 'INTERNAL',
      outcomeDescription: 'ok',
      recordCount: 1,
    } as const
    const session = { sessionId: `s-${principal}`, ipAddress: '10.1.3.7' }
    return {
      ...canonical(`e${index++}-${randomUUID().slice(0, 8)}`, at, organization, `user-${principal}`, facts, session),
      organization,
    }
  }
}

/** What the events between these counts cost, where evidence is full and only the events grow. */
function bytesAnEvent(source: EventSource, counts: readonly number[] = [GROUPS * 200, GROUPS * 1_000]): number {
  const [few, many] = feed(source, counts) as [Fed, Fed]
  return (many.bytes - few.bytes) / (many.events - few.events)
}

const place = (index: number) => ({ organization: index % ORGANIZATIONS, principal: Math.floor(index / ORGANIZATIONS) })
const [thin] = feed(readEvents(place), [MANY_GROUPS]) as [Fed]
const held = (RATE * (HELD_BESIDES_LATENESS_MS + MINUTE_MS)) / 1_000
const [half, full] = feed(drawn(PRINCIPALS), [held / 2, held], MINUTE_MS) as [Fed, Fed]
const answer: EngineMemory = {
  bytesAGroup: thin.bytes / thin.events,
  bytesAnEventInOrder: bytesAnEvent(drawn(GROUPS)),
  bytesAnEventOfLargeGroups: bytesAnEvent(drawn(LARGE_GROUPS), [LARGE_GROUPS * 60_000, LARGE_GROUPS * 95_000]),
  bytesAnEventOutOfOrder: bytesAnEvent(drawn(GROUPS, { disorderMs: MINUTE_MS })),
  bytesAnEventOfASum: bytesAnEvent(drawn(GROUPS, { action: 'system.import' })),
  half,
  full,
}
process.stdout.write(JSON.stringify(answer))
