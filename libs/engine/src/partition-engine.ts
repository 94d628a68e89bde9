import { alertId } from './alerts/alert-id.ts'
import type { Episode, Opening } from './alerts/episode.ts'
import { Publisher } from './alerts/publisher.ts'
import { decodeBaseline } from './baselines/baseline-codec.ts'
import type { Baselines } from './baselines/baselines.ts'
import { type Counters, type Gauges, newCounters } from './counters.ts'
import type { EngineOptions } from './engine-options.ts'
import { contentHash, valueOfEvent } from './event/event-values.ts'
import type { EventView } from './event/event-view.ts'
import { Group } from './group.ts'
import { DeadlineHeap } from './held/deadline-heap.ts'
import { EventPool, ROW_FLAGS } from './held/event-pool.ts'
import { EvidencePool } from './held/evidence-pool.ts'
import { DEFAULT_LIMITS, type EngineLimits } from './held/limits.ts'
import { type GroupKeeper, makeRoom } from './held/organization-limits.ts'
import { type Arrival, type Taking, takeEvent } from './held/take-event.ts'
import { isTold, type OpeningEvent } from './held/told-events.ts'
import { isAhead, LogClock } from './log-clock.ts'
import type { GroupName } from './matching/group-name.ts'
import { groupOf, membershipsOf, type Ungrouped } from './matching/grouping.ts'
import { type Match, type MatchedEvent, matchEvent } from './matching/matching.ts'
import { Organizations } from './organizations.ts'
import type { AlertChange, EngineRecord } from './records.ts'
import { rulingOf } from './rule-book.ts'
import type { GroupWatch, RuleInstance } from './rule-instance.ts'
import type { ExceptionHits } from './rules/exceptions.ts'
import { bindProgram, type Program } from './rules/program.ts'
import { ByteReader } from './snapshots/bytes.ts'
import { decodeHead, decodeInto } from './snapshots/group-codec.ts'
import { CONTENT_FORMAT, SliceWriter, type SnapshotChunk, type SnapshotHead, type SnapshotWriter } from './snapshots/snapshot.ts'
import type { EpochMs } from './time.ts'
import { settle } from './truth/settle.ts'

const NO_EPISODES: readonly Episode[] = []
/** Before the first event. */
const NO_EVENT = {} as EventView

const openingOf = (event: EventView): OpeningEvent => ({ id: event.id, correlationId: event.text('correlationId') ?? null })

/**
 * Turns the records of one partition, in order, into alert changes (detection.md).
 *
 * 1. A pure function of the records: no clock, no randomness, no order of hashing shows in what comes out.
 * 2. What can throw, throws before anything has changed; after an exception the state is that before the record.
 * 3. A record does, in this order: move log time; let go what is over and close what is due at that time; take its own
 *    effect; keep within the organization's limits; publish, ordered by rule id, then alert id.
 */
export class PartitionEngine {
  readonly #options: EngineOptions
  readonly #limits: EngineLimits
  readonly #pool = new EventPool()
  readonly #evidence = new EvidencePool()
  readonly #stores = { events: this.#pool, evidence: this.#evidence }
  readonly #clock = new LogClock()
  readonly #organizations: Organizations
  readonly #deadlines = new DeadlineHeap<Group>()
  readonly #counters: Counters = newCounters()
  readonly #keeper: GroupWatch & GroupKeeper = {
    touch: (group) => this.#touch(group),
    leaving: (owner, baseline) => this.#writer?.saveBaseline(owner, baseline),
    ended: (group) => this.#publisher.ended(group, this.#clock.now),
    forgetIfEmpty: (group) => this.#forgetIfEmpty(group),
  }
  readonly #publisher: Publisher
  /** The event at hand on its way into its groups; the same object for every one. */
  readonly #arrival: Arrival = {
    row: { t: 0, arrival: 0, value: 0, id: { low: 0, high: 0 }, contentHash: 0, flags: 0 },
    event: NO_EVENT,
    offset: 0n,
    name: null,
    told: null,
  }
  readonly #taking: Taking
  /** Of the record at hand. */
  #offset = 0n
  /** By the record at hand; the list keeps its length, because an emptied one is made anew. */
  readonly #touched: (Group | null)[] = []
  #touchedCount = 0
  #serial = 0
  #writer: SliceWriter | null = null
  #snapshots = 0

  constructor(options: EngineOptions) {
    this.#options = options
    this.#limits = options.limits ?? DEFAULT_LIMITS
    this.#organizations = new Organizations(options.compile, this.#keeper)
    this.#publisher = new Publisher(options)
    this.#taking = {
      pool: this.#pool,
      limits: this.#limits,
      counters: this.#counters,
      open: (group, { t }) => this.#open(group, openingOf(this.#arrival.event), t),
    }
  }

  /**
   * Changes are ordered by rule id, then alert id.
   * @throws for a control record that cannot be run; see (2.)
   */
  process(record: EngineRecord): AlertChange[] {
    const matched = record.kind === 'event' ? this.#match(record.event, record.appendTime) : null
    const ruling = record.kind === 'control' ? this.#organizations.read(record.control) : null
    this.#serial++
    if (this.#clock.advance(record.appendTime) === 'set back') this.#setBack()
    this.#offset = record.offset
    this.#runDeadlines()
    if (matched !== null) this.#take(matched, record.offset)
    if (ruling !== null) this.#organizations.apply(ruling)
    else if (record.kind === 'control') this.#counters.controlIgnored++
    return this.#publish()
  }

  counters(): Readonly<Counters> {
    return { ...this.#counters }
  }

  gauges(): Gauges {
    let groups = 0
    let inForce = 0
    for (const organization of this.#organizations.all()) {
      groups += organization.groups
      inForce += organization.exceptions?.inForce(this.#clock.now) ?? 0
    }
    const { size } = this.#organizations
    return {
      organizations: size,
      groups,
      heldEvents: this.#pool.live,
      heldEvidence: this.#evidence.live,
      openAlerts: this.#publisher.openAlerts,
      exceptions: inForce,
    }
  }

  /** Of the exceptions in the settings, also expired ones; since each was first set. */
  exceptionHits(): ExceptionHits[] {
    return [...this.#organizations.all()].flatMap(({ id, exceptions }) =>
      exceptions === null ? [] : { organizationId: id, hits: exceptions.hits() },
    )
  }

  /** Null before the first record. */
  logTime(): EpochMs | null {
    return this.#clock.now === Number.NEGATIVE_INFINITY ? null : this.#clock.now
  }

  /** The state as of now; one snapshot at a time, an unfinished one before it is given up. */
  beginSnapshot(): SnapshotWriter {
    this.#writer?.abandon()
    const pinned = [...this.#organizations.instances()].flatMap((instance) => [...instance.pinnedPrograms()])
    const writer = new SliceWriter(++this.#snapshots, {
      head: {
        format: CONTENT_FORMAT,
        logTime: this.logTime(),
        counters: this.counters(),
        rules: this.#organizations.ruleRecords(),
        organizations: [...this.#organizations.all()].flatMap(({ record }) => record ?? []),
        exceptionHits: this.exceptionHits(),
        pinned: pinned.map(({ rule, settings }) => ({ rule: rule.record, settings })),
      },
      pinned,
      pool: this.#pool,
      groups: this.#organizations.groups(),
      baselines: this.#organizations.baselines(),
      ended: () => {
        if (this.#writer === writer) this.#writer = null
      },
    })
    this.#writer = writer
    return writer
  }

  /**
   * An engine that goes on exactly as the one that wrote the snapshot.
   * @throws when the chunks are of another format, and what `compile` throws
   */
  static restore(chunks: Iterable<SnapshotChunk>, options: EngineOptions): PartitionEngine {
    const restoring = PartitionEngine.restoring(chunks, options)
    for (;;) {
      const step = restoring.next()
      if (step.done === true) return step.value
    }
  }

  /** The same, in steps of one chunk, for a caller that has other things to do in between. */
  static *restoring(chunks: Iterable<SnapshotChunk>, options: EngineOptions): Generator<undefined, PartitionEngine> {
    const engine = new PartitionEngine(options)
    let pinned: readonly Program[] | null = null
    for (const chunk of chunks) {
      if (chunk.kind === 'head') pinned = engine.#restoreHead(chunk.content)
      else if (pinned !== null)
        for (const from = new ByteReader(chunk.content); !from.isAtEnd; )
          if (chunk.kind === 'groups') engine.#restoreGroup(from, pinned)
          else engine.#restoreBaseline(from)
      yield undefined
    }
    if (pinned === null) throw new Error('The snapshot has no head.')
    return engine
  }

  #restoreHead(head: SnapshotHead): readonly Program[] {
    if (head.format !== CONTENT_FORMAT)
      throw new Error(`The snapshot has format ${head.format}; this engine reads ${CONTENT_FORMAT}.`)
    this.#clock.now = head.logTime ?? Number.NEGATIVE_INFINITY
    Object.assign(this.#counters, head.counters)
    const { compile } = this.#options
    for (const record of head.rules) {
      const compiled = record.state === 'active' ? compile(record) : null
      this.#organizations.apply({ kind: 'rule', rule: { record, compiled } })
    }
    for (const organization of head.organizations) this.#organizations.apply(rulingOf(organization))
    for (const { organizationId, hits } of head.exceptionHits ?? [])
      this.#organizations.get(organizationId).exceptions?.restore(hits)
    return head.pinned.map(({ rule, settings }) => bindProgram(compile(rule), settings))
  }

  #restoreGroup(from: ByteReader, pinnedPrograms: readonly Program[]): void {
    const { organizationId, ruleId, name, pinned } = decodeHead(from)
    const instance = this.#organizations.get(organizationId).rule(ruleId)
    const program = pinned === null ? instance.current : (pinnedPrograms[pinned] ?? null)
    if (program === null) throw new Error(`The snapshot has a group of ${ruleId}, which is not in force.`)
    if (pinned !== null) instance.pin(program)
    const group = this.#newGroup(instance, name, program)
    decodeInto(group, from)
    this.#publisher.openAlerts += group.episodes.length
    this.#queue(group, group.episodes.all())
  }

  #restoreBaseline(from: ByteReader): void {
    const { organizationId, ruleId, baseline } = decodeBaseline(from)
    this.#organizations.get(organizationId).rule(ruleId).baselines?.restore(baseline)
  }

  #match(event: EventView, appendTime: EpochMs): MatchedEvent {
    return matchEvent(event, this.#organizations.get(event.organizationId), this.#clock.after(appendTime))
  }

  #take({ event, matches, exceptionHits }: MatchedEvent, offset: bigint): void {
    const counters = this.#counters
    const now = this.#clock.now
    const isSkewed = isAhead(event.stamp, now)
    counters.events++
    if (isSkewed) counters.clockSkew++
    if (exceptionHits.length > 0) {
      this.#organizations.get(event.organizationId).exceptions?.count(exceptionHits)
      counters.excepted += exceptionHits.length
    }
    const [first] = matches
    if (first === undefined) return
    const { row } = this.#arrival
    row.t = isSkewed ? now : event.stamp
    row.arrival = now
    event.hashId(row.id)
    row.contentHash = contentHash(event)
    this.#arrival.event = event
    this.#arrival.offset = offset
    let isUnattributed = false
    for (const match of matches) {
      const { groupBy } = match.program.rule
      const { calendar } = match.instance
      if (groupBy.mode === 'aliased') {
        for (const { name, parts } of membershipsOf(groupBy, calendar, event, row.t, match.parts))
          this.#takeMatch(match, name, parts)
        continue
      }
      const name = groupOf(groupBy, calendar, event, row.t)
      if (name === 'unattributed') isUnattributed = true
      this.#takeMatch(match, name, match.parts)
    }
    if (isUnattributed) counters.unattributed++
    makeRoom(first.instance.organization, this.#limits, now, counters, this.#keeper)
  }

  #takeMatch({ instance, program, isMark, isNotable }: Match, name: GroupName | Ungrouped, parts: number): void {
    if (name === 'groupMissing' && program === instance.current) this.#counters.groupMissing++
    if (typeof name === 'string') return
    const known = instance.groups.get(name.key)
    // An open alert holds its group to the version that opened it, and no other version counts it.
    if (known === undefined ? program !== instance.current : known.program !== program) return
    const arrival = this.#arrival
    const { row } = arrival
    const isLate = row.t < row.arrival - program.latenessMs
    const value = valueOfEvent(program.rule, arrival.event, parts)
    const { kind } = program
    row.value = kind.isReal === true ? 0 : value.value
    arrival.told = isTold(kind) ? { ...openingOf(arrival.event), weight: kind.isReal === true ? value.value : 0 } : null
    row.flags = (isLate ? ROW_FLAGS.late : 0) | (isMark ? ROW_FLAGS.mark : 0) | (isNotable ? ROW_FLAGS.notable : 0)
    arrival.name = value.name
    const group = known ?? this.#newGroup(instance, name, program)
    this.#touch(group)
    const { baselines } = instance
    if (baselines !== null && !isMark) this.#admit(group, baselines)
    const taken = takeEvent(group, arrival, this.#taking)
    this.#publisher.ended(group, row.arrival)
    instance.organization.shedding?.offer(group)
    if (value.notNumeric && taken === 'counted') this.#counters.notNumeric++
    if (isLate && (taken === 'counted' || taken === 'mark')) this.#counters.late++
  }

  #admit(group: Group, baselines: Baselines): void {
    baselines.admit(group, this.#arrival.row.arrival, this.#snapshots, (baseline) => this.#keeper.leaving(group.owner, baseline))
  }

  /** @param event the opening one; of a settled condition, it came long ago */
  #open(group: Group, { id, correlationId }: OpeningEvent, t: EpochMs): Opening {
    const { ruleId, organization } = group.owner
    return {
      id: alertId({ organizationId: organization.id, ruleId, group: group.shown, openingEventId: id, t }),
      offset: this.#offset,
      createdAt: this.#clock.now,
      correlationId,
    }
  }

  #newGroup(instance: RuleInstance, name: GroupName, program: Program): Group {
    const group = new Group(instance, name, program, this.#stores)
    // No part of a snapshot that is being written: it was not there when that began.
    group.savedFor = this.#snapshots
    instance.groups.set(name.key, group)
    instance.organization.groups++
    return group
  }

  #runDeadlines(): void {
    const now = this.#clock.now
    while (this.#deadlines.earliest <= now) {
      const due = this.#deadlines.earliest
      const group = this.#deadlines.pop()
      if (group.queuedAt !== due) continue
      group.queuedAt = Number.POSITIVE_INFINITY
      this.#touch(group)
      this.#bringUpTo(group, now)
    }
  }

  #bringUpTo(group: Group, now: EpochMs): void {
    if (group.program.rule.settled !== null)
      settle(group, { logTime: now, pool: this.#pool, open: (opened, event, t) => this.#open(opened, event, t) })
    group.evict(now)
    group.closeDue(now)
    this.#publisher.ended(group, this.#clock.now)
    group.owner.settle(group)
    // Without an open alert it may go, before this record's own effect asks for room.
    group.owner.organization.shedding?.offer(group)
    this.#forgetIfEmpty(group)
  }

  #setBack(): void {
    this.#counters.logTimeSetBack++
    this.#deadlines.clear()
    for (const organization of this.#organizations.all()) organization.shedding = null
    for (const group of this.#organizations.groups()) {
      this.#touch(group)
      group.queuedAt = Number.POSITIVE_INFINITY
      group.capTimes(this.#clock.now)
    }
  }

  /** Must be called before a group changes. */
  #touch(group: Group): void {
    if (group.touchedBy === this.#serial) return
    group.touchedBy = this.#serial
    if (this.#writer !== null) {
      this.#writer.save(group)
      const baseline = group.owner.baselines?.of(group) ?? null
      if (baseline !== null) this.#writer.saveBaseline(group.owner, baseline)
    }
    this.#touched[this.#touchedCount++] = group
  }

  #publish(): AlertChange[] {
    for (let at = 0; at < this.#touchedCount; at++) {
      const group = this.#touched[at] as Group
      this.#touched[at] = null
      // Of a group that waits for a deadline, only what this record changed can be due before that.
      const episodes = group.queuedAt === Number.POSITIVE_INFINITY ? group.episodes.all() : group.fresh
      this.#publisher.due(group, episodes, this.#clock.now)
      group.fresh = NO_EPISODES
      this.#forgetIfEmpty(group)
      this.#queue(group, episodes)
    }
    this.#touchedCount = 0
    return this.#publisher.take()
  }

  #forgetIfEmpty(group: Group): void {
    const { owner, key } = group
    if (!group.isEmpty || owner.groups.get(key) !== group) return
    owner.groups.delete(key)
    owner.organization.groups--
    group.queuedAt = Number.POSITIVE_INFINITY
  }

  /** Sees to it that the group is looked at again when something is due by time alone. */
  #queue(group: Group, episodes: readonly Episode[]): void {
    if (group.isEmpty) return
    group.owner.organization.shedding?.offer(group)
    const next = group.nextDeadline(episodes)
    if (next >= group.queuedAt) return
    group.queuedAt = next
    this.#deadlines.push(next, group)
  }
}
