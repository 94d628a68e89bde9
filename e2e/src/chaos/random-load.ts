/** A steady load on `audit.events` as ingest and persistence write it: out of order, more than once, with ticks, changes of settings and records that are none. */
import { setTimeout as delay } from 'node:timers/promises'
import { type AuditEvent, HEADERS, type OrganizationSettings, type TenantRecord, TOPICS } from '@tocsin/contracts'
import type { OutgoingRecord, Producer } from '@tocsin/kafka'
import { rulePack } from '../../../services/detector/test/rule-pack.ts'
import { seededRandom } from '../random-streams.ts'

const TOPIC = TOPICS.auditEvents.name
const SECOND = 1_000
const EVERY_MS = 50
const TICK_EVERY_MS = 1_000
/** Copies are of one of these, mostly new: an old one would count again (D13) and might open an alert of the same id. */
const REMEMBERED = 200
const RETRY_MS = 250

export interface LoadPlan {
  readonly seed: number
  readonly partitions: number
  readonly organizations: number
  /** Of each organization. */
  readonly principals: number
  readonly eventsPerSecond: number
}

export interface RunningLoad {
  /** Records that the broker has acknowledged. */
  readonly written: () => number
  /** Ends with a tick to each partition; resolves with the number of records. */
  readonly stop: () => Promise<number>
}

type Content = Pick<AuditEvent, 'category' | 'operation' | 'outcome'> & Partial<AuditEvent>
const CONTENTS: readonly Content[] = [
  { category: 'authentication', operation: 'login', outcome: 'failure' },
  { category: 'authentication', operation: 'login', outcome: 'failure' },
  { category: 'authentication', operation: 'login', outcome: 'denied' },
  { category: 'authentication', operation: 'login', outcome: 'success' },
  { category: 'authorization', operation: 'grant', outcome: 'denied', targetResourceType: 'Role', targetResourceId: 'r1' },
  { category: 'data', operation: 'read', outcome: 'denied', targetResourceType: 'Patient', targetResourceId: 'p1' },
  { category: 'data', operation: 'read', outcome: 'success', targetResourceType: 'Patient', dataClassification: 'PHI' },
  { category: 'data', operation: 'read', outcome: 'success', targetResourceType: 'Report' },
  { category: 'data', operation: 'export', outcome: 'success', recordCount: 7 },
  { category: 'data', operation: 'export', outcome: 'success', recordCount: 400 },
  { category: 'other', operation: 'bulk', outcome: 'success' },
]
/** Ages of events on arrival: as they happen, some seconds, minutes (beyond the lateness), and a clock that is ahead. */
const AGES: readonly number[] = [300, 300, 300, 2 * SECOND, 5 * SECOND, 400 * SECOND]
const ALL_DAY = { offHoursStart: 24, offHoursEnd: 0 }

/** Spans of seconds, so that alerts open, grow, are joined and close while the scenario runs; some organizations have none. */
function settingsOf(random: () => number): OrganizationSettings {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
  if (random() < 0.2) return {}
  const spans = { span: pick([1, 2, 4]) * SECOND, gap: pick([0, 1, 3]) * SECOND }
  return {
    ...pick([{}, ALL_DAY]),
    latenessMs: pick([2, 4, 8]) * SECOND,
    alertCooldown: spans.gap,
    failedAuthThreshold: pick([2, 3, 5]),
    failedAuthTimeWindow: spans.span,
    unauthorizedAccessThreshold: pick([2, 3]),
    unauthorizedAccessTimeWindow: spans.span,
    dataAccessVelocityThreshold: pick([2, 4]),
    dataAccessTimeWindow: spans.span,
    bulkOperationThreshold: pick([10, 50]),
    bulkOperationTimeWindow: spans.span,
  }
}

/** Begins with the rules and organizations; writes at its pace until it is stopped, waiting where the broker is away. */
export async function startLoad(producer: Producer, plan: LoadPlan): Promise<RunningLoad> {
  const random = seededRandom(plan.seed)
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
  const below = (count: number) => Math.floor(random() * count)
  const stopping = new AbortController()
  let written = 0
  const send = async (records: readonly OutgoingRecord[]) => {
    for (;;) {
      try {
        await producer.send(records)
        written += records.length
        return
      } catch {
        // Whether they were written is not known: the same again, as any producer does.
        await delay(RETRY_MS)
      }
    }
  }

  const organizations = Array.from(
    { length: plan.organizations },
    (_, index): TenantRecord => ({
      organizationId: `${String(plan.seed % 1e8).padStart(8, '0')}-0000-4000-8000-${String(index).padStart(12, '0')}`,
      version: 1,
      slug: `chaos-${index}`,
      name: `Chaos ${index}`,
      partition: index % plan.partitions,
      settings: settingsOf(random),
      recipients: { emails: [], slackChannels: [], phoneNumbers: [] },
      keys: [],
    }),
  )
  const partitions = Array.from({ length: plan.partitions }, (_, partition) => partition)
  const rules = rulePack()
  await send([
    ...partitions.flatMap((partition) => rules.map((rule) => record(partition, 'control', '', { kind: 'rule', rule }))),
    ...organizations.map((each) =>
      record(each.partition, 'control', each.organizationId, { kind: 'organization', organization: each }),
    ),
  ])

  const changeSettings = (): OutgoingRecord => {
    const at = below(organizations.length)
    const before = organizations[at] as TenantRecord
    const { offHoursStart: _, offHoursEnd: __, ...settings } = settingsOf(random)
    const { offHoursStart, offHoursEnd } = before.settings
    const calendar = offHoursStart === undefined || offHoursEnd === undefined ? {} : { offHoursStart, offHoursEnd }
    const organization = { ...before, version: before.version + 1, settings: { ...settings, ...calendar } }
    organizations[at] = organization
    return record(organization.partition, 'control', organization.organizationId, { kind: 'organization', organization })
  }
  const recent: OutgoingRecord[] = []
  let made = 0
  const event = (): OutgoingRecord => {
    if (recent.length > 0 && random() < 0.15) return pick(recent)
    const { organizationId, partition } = pick(organizations)
    const now = Date.now()
    const t = random() < 0.01 ? now + pick([60, 3_600]) * SECOND : now - Math.floor(random() * pick(AGES))
    const onGrid = Math.floor(t / 250) * 250
    const { category, operation, outcome, ...content } = pick(CONTENTS)
    const known = recent.length > 0 && random() < 0.01 ? (JSON.parse(String(pick(recent).value)) as AuditEvent).id : undefined
    const canonical: AuditEvent = {
      id: known ?? `c${made++}`,
      timestamp: new Date(onGrid).toISOString(),
      receivedAt: new Date(now).toISOString(),
      organizationId,
      action: `${category}.${operation}`,
      status: outcome === 'success' ? 'success' : 'failure',
      outcome,
      category,
      operation,
      dataClassification: 'INTERNAL',
      integrity: 'absent',
      source: { format: 'tocsin', name: 'chaos' },
      ...whoOf(random, below(plan.principals)),
      ...content,
    }
    const written = record(partition, 'event', organizationId, canonical)
    if (recent.length < REMEMBERED) recent.push(written)
    else recent[below(REMEMBERED)] = written
    return written
  }
  const poison = (): OutgoingRecord => ({ ...record(below(plan.partitions), 'event', '', null), value: '{"id": "not JSON' })

  const running = (async () => {
    let tickAt = 0
    let owed = 0
    for (let at = performance.now(); !stopping.signal.aborted; at = performance.now()) {
      await delay(EVERY_MS)
      // Not more than a second's worth: after an outage the pace goes on, the backlog is not made up for.
      owed = Math.min(plan.eventsPerSecond, owed + ((performance.now() - at) * plan.eventsPerSecond) / SECOND)
      const records: OutgoingRecord[] = []
      for (; owed >= 1; owed -= 1) records.push(random() < 0.003 ? poison() : random() < 0.003 ? changeSettings() : event())
      if (performance.now() > tickAt) {
        tickAt = performance.now() + TICK_EVERY_MS
        records.push(...partitions.map(tick))
      }
      if (records.length > 0) await send(records)
    }
    await send(partitions.map(tick))
  })()
  return {
    written: () => written,
    stop: async () => {
      stopping.abort()
      await running
      return written
    },
  }
}

const whoOf = (random: () => number, index: number): Partial<AuditEvent> => {
  const sessionContext = { sessionId: `s${index}`, ipAddress: `198.51.100.${index % 9}` }
  const kind = random()
  if (kind < 0.8) return { principalId: `user-${index}`, sessionContext }
  if (kind < 0.95) return { sessionContext }
  return {}
}

const record = (partition: number, type: string, key: string, value: unknown): OutgoingRecord => ({
  topic: TOPIC,
  partition,
  key,
  value: JSON.stringify(value),
  headers: { [HEADERS.type]: type },
})
const tick = (partition: number): OutgoingRecord => record(partition, 'tick', '', { at: new Date().toISOString() })
