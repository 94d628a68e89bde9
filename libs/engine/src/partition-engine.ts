import type { AuditEvent, FigureRecordType, RuleRecord } from '@tocsin/contracts'
import { type EventFields, fieldReader } from '@tocsin/sigma'
import { renderFigures } from './alert-figures.ts'
import { alertId } from './alert-id.ts'
import { Calendar } from './calendar.ts'
import { type Counters, type Gauges, newCounters } from './counters.ts'
import { DeadlineHeap } from './deadline-heap.ts'
import type { Episode, Opening } from './episode.ts'
import { EventPool, ROW_FLAGS } from './event-pool.ts'
import { contentHash, valueOfEvent } from './event-values.ts'
import { Group } from './group.ts'
import { decodeInto, type EncodedGroup } from './group-codec.ts'
import { groupOf } from './grouping.ts'
import { type Hash64, hashText } from './hash.ts'
import { DEFAULT_LIMITS, type EngineLimits } from './limits.ts'
import { eventTime, LogClock } from './log-clock.ts'
import { Organization } from './organization.ts'
import { type GroupKeeper, makeRoom } from './organization-limits.ts'
import { settlePeaks } from './peaks.ts'
import { bindProgram, type Program } from './program.ts'
import type { AlertChange, EngineRecord } from './records.ts'
import { revisionReason } from './revision.ts'
import type { CompiledRule } from './rule.ts'
import { RuleBook, type Ruling } from './rule-book.ts'
import type { GroupWatch, RuleInstance } from './rule-instance.ts'
import { CONTENT_FORMAT, SliceWriter, type SnapshotChunk, type SnapshotHead, type SnapshotWriter } from './snapshot.ts'
import { type Arrival, takeEvent } from './take-event.ts'
import type { EpochMs } from './time.ts'

export interface EngineOptions {
  /** Topic and partition the records come from, for the evidence's places. */
  readonly topic: string
  readonly partition: number
  readonly compile: (record: RuleRecord) => CompiledRule
  readonly limits?: EngineLimits
}

/** How a rule regards an event. */
interface Match {
  readonly instance: RuleInstance
  readonly program: Program
  readonly isMark: boolean
  readonly isNotable: boolean
}

/** An event that rules regard, and what is worked out of it once. */
interface Matched {
  readonly event: AuditEvent
  readonly stamp: EpochMs
  readonly fields: EventFields
  readonly matches: readonly Match[]
}

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
  readonly #clock = new LogClock()
  readonly #book: RuleBook
  readonly #organizations = new Map<string, Organization>()
  readonly #deadlines = new DeadlineHeap<Group>()
  readonly #counters: Counters = newCounters()
  readonly #keeper: GroupWatch & GroupKeeper = {
    touch: (group) => this.#touch(group),
    ended: (group) => this.#publishEnded(group),
    forgetIfEmpty: (group) => this.#forgetIfEmpty(group),
  }
  #touched: Group[] = []
  #changes: AlertChange[] = []
  #serial = 0
  #writer: SliceWriter | null = null
  #snapshots = 0
  #openAlerts = 0

  constructor(options: EngineOptions) {
    this.#options = options
    this.#limits = options.limits ?? DEFAULT_LIMITS
    this.#book = new RuleBook(options.compile)
  }

  /**
   * Changes are ordered by rule id, then alert id.
   * @throws for an event whose timestamp is none and for a control record that cannot be run; see (2.)
   */
  process(record: EngineRecord): AlertChange[] {
    const matched = record.kind === 'event' ? this.#match(record.event) : null
    const ruling = record.kind === 'control' ? this.#readControl(record.control) : null
    this.#serial++
    if (this.#clock.advance(record.appendTime) === 'set back') this.#setBack()
    this.#runDeadlines()
    if (matched !== null) this.#take(matched, record.offset)
    if (ruling !== null) this.#rule(ruling)
    return this.#publish()
  }

  counters(): Readonly<Counters> {
    return { ...this.#counters }
  }

  gauges(): Gauges {
    let groups = 0
    let openAlerts = 0
    for (const organization of this.#organizations.values()) {
      groups += organization.groups
      for (const rule of organization.rules.values())
        for (const group of rule.groups.values()) openAlerts += group.episodes.length
    }
    return { organizations: this.#organizations.size, groups, heldEvents: this.#pool.live, openAlerts }
  }

  /** Null before the first record. */
  logTime(): EpochMs | null {
    return this.#clock.now === Number.NEGATIVE_INFINITY ? null : this.#clock.now
  }

  /** The state as of now; one snapshot at a time, an unfinished one before it is given up. */
  beginSnapshot(): SnapshotWriter {
    this.#writer?.abandon()
    const pinned = [...this.#instances()].flatMap((instance) => [...instance.pinnedPrograms()])
    const writer = new SliceWriter(++this.#snapshots, {
      head: {
        format: CONTENT_FORMAT,
        logTime: this.logTime(),
        counters: this.counters(),
        rules: this.#book.records(),
        organizations: [...this.#organizations.values()].flatMap(({ record }) => record ?? []),
        pinned: pinned.map(({ rule, settings }) => ({ rule: rule.record, settings })),
      },
      pinned,
      pool: this.#pool,
      groups: this.#groups(),
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
    const engine = new PartitionEngine(options)
    let pinned: readonly Program[] | null = null
    for (const chunk of chunks) {
      if (chunk.kind === 'head') pinned = engine.#restoreHead(chunk.content)
      else if (pinned !== null) for (const encoded of chunk.content) engine.#restoreGroup(encoded, pinned)
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
    for (const record of head.rules) this.#book.set({ record, compiled: record.state === 'active' ? compile(record) : null })
    for (const organization of head.organizations) this.#rule({ kind: 'organization', organization })
    return head.pinned.map(({ rule, settings }) => bindProgram(compile(rule), settings))
  }

  #restoreGroup(encoded: EncodedGroup, pinned: readonly Program[]): void {
    const instance = this.#organization(encoded.organizationId).rule(encoded.ruleId)
    const program = encoded.pinned === null ? instance.current : (pinned[encoded.pinned] ?? null)
    if (program === null) throw new Error(`The snapshot has a group of ${encoded.ruleId}, which is not in force.`)
    if (encoded.pinned !== null) instance.pin(program)
    const group = this.#newGroup(instance, encoded.name, program)
    decodeInto(group, encoded)
    this.#openAlerts += group.episodes.length
    this.#queue(group)
  }

  *#instances(): Generator<RuleInstance> {
    for (const organization of this.#organizations.values()) yield* organization.rules.values()
  }

  *#groups(): Generator<Group> {
    for (const instance of this.#instances()) yield* instance.groups.values()
  }

  #readControl(control: Parameters<RuleBook['read']>[0]): Ruling | null {
    const known =
      control.kind === 'organization' ? (this.#organizations.get(control.organization.organizationId)?.record ?? null) : null
    const ruling = this.#book.read(control, known)
    if (ruling === null) this.#counters.controlIgnored++
    return ruling
  }

  #match(event: AuditEvent): Matched {
    const stamp = Date.parse(event.timestamp)
    if (Number.isNaN(stamp)) throw new RangeError(`timestamp of event ${event.id} is not a time`)
    const fields = fieldReader(event)
    const matches: Match[] = []
    for (const instance of this.#organization(event.organizationId).rules.values()) {
      if (instance.current !== null) addMatch(matches, instance, instance.current, event, fields)
      if (instance.hasPinned) for (const program of instance.pinnedPrograms()) addMatch(matches, instance, program, event, fields)
    }
    return { event, stamp, fields, matches }
  }

  #take({ event, stamp, fields, matches }: Matched, offset: bigint): void {
    const counters = this.#counters
    const { t, isSkewed } = eventTime(stamp, this.#clock.now)
    counters.events++
    if (isSkewed) counters.clockSkew++
    if (matches.length === 0) return
    const id: Hash64 = { low: 0, high: 0 }
    hashText(event.id, id)
    const content = contentHash(event)
    let isUnattributed = false
    for (const { instance, program, isMark, isNotable } of matches) {
      const name = groupOf(program.rule, instance.calendar, event, fields, t)
      if (name === 'unattributed') isUnattributed = true
      if (name === 'groupMissing') counters.groupMissing++
      if (typeof name === 'string') continue
      const known = instance.groups.get(name.key)
      // An open alert holds its group to the version that opened it, and no other version counts it.
      if (known === undefined ? program !== instance.current : known.program !== program) continue
      const isLate = t < this.#clock.now - program.latenessMs
      const { value, name: valueName, notNumeric } = valueOfEvent(program.rule, event, fields)
      if (notNumeric) counters.notNumeric++
      const flags = (isLate ? ROW_FLAGS.late : 0) | (isMark ? ROW_FLAGS.mark : 0) | (isNotable ? ROW_FLAGS.notable : 0)
      const row = { t, arrival: this.#clock.now, value, id, contentHash: content, flags }
      this.#takeInto(known ?? this.#newGroup(instance, name, program), { row, event, offset, name: valueName }, isLate)
    }
    if (isUnattributed) counters.unattributed++
    const organization = this.#organizations.get(event.organizationId) as Organization
    makeRoom(organization, this.#limits, this.#clock.now, counters, this.#keeper)
  }

  #takeInto(group: Group, arrival: Arrival, isLate: boolean): void {
    this.#touch(group)
    const taken = takeEvent(group, arrival, {
      pool: this.#pool,
      limits: this.#limits,
      open: (_group, { t }) => this.#open(group, arrival, t),
    })
    this.#publishEnded(group)
    group.owner.organization.shedding?.offer(group)
    if (taken !== 'mark') this.#counters[taken]++
    if (isLate && (taken === 'counted' || taken === 'mark')) this.#counters.late++
  }

  #open(group: Group, { event, offset }: Arrival, t: EpochMs): Opening {
    const { ruleId, organization } = group.owner
    return {
      id: alertId({ organizationId: organization.id, ruleId, group: group.name.shown, openingEventId: event.id, t }),
      offset,
      createdAt: this.#clock.now,
      correlationId: event.correlationId ?? null,
    }
  }

  #newGroup(instance: RuleInstance, name: Group['name'], program: Program): Group {
    const group = new Group(instance, name, program, this.#pool)
    // No part of a snapshot that is being written: it was not there when that began.
    group.savedFor = this.#snapshots
    instance.groups.set(name.key, group)
    instance.organization.groups++
    return group
  }

  #rule(ruling: Ruling): void {
    if (ruling.kind === 'organization') {
      const organization = this.#organization(ruling.organization.organizationId)
      organization.record = ruling.organization
      for (const ruleId of organization.rules.keys()) this.#refresh(organization, ruleId)
      return
    }
    this.#book.set(ruling.rule)
    const { ruleId, organizationId } = ruling.rule.record
    if (organizationId !== null) this.#refresh(this.#organization(organizationId), ruleId)
    else for (const organization of this.#organizations.values()) this.#refresh(organization, ruleId)
  }

  /** Brings one rule of an organization to the version and the settings in force. */
  #refresh(organization: Organization, ruleId: string): void {
    const rule = this.#book.inForce(organization.id, ruleId)
    const program = rule === null ? null : bindProgram(rule, organization.settings)
    const calendar = rule === null || rule.calendar === null ? null : new Calendar(rule.calendar, organization.settings)
    organization.rule(ruleId).setProgram(program, calendar, this.#keeper)
  }

  #organization(id: string): Organization {
    const known = this.#organizations.get(id)
    if (known !== undefined) return known
    const organization = new Organization(id)
    this.#organizations.set(id, organization)
    for (const ruleId of this.#book.ruleIdsOf(id)) this.#refresh(organization, ruleId)
    return organization
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
    group.evict(now)
    group.closeDue(now)
    this.#publishEnded(group)
    group.owner.settle(group)
    this.#forgetIfEmpty(group)
  }

  #setBack(): void {
    this.#counters.logTimeSetBack++
    this.#deadlines.clear()
    for (const organization of this.#organizations.values()) organization.shedding = null
    for (const group of this.#groups()) {
      this.#touch(group)
      group.queuedAt = Number.POSITIVE_INFINITY
      group.capTimes(this.#clock.now)
    }
  }

  /** Must be called before a group changes. */
  #touch(group: Group): void {
    if (group.touchedBy === this.#serial) return
    group.touchedBy = this.#serial
    this.#writer?.save(group)
    this.#touched.push(group)
  }

  /** While the group is still what its ended alerts were made of. */
  #publishEnded(group: Group): void {
    for (const { episode, survivor } of group.ended) this.#changes.push(this.#change('alert.closed', group, episode, survivor))
    group.ended = []
  }

  #publish(): AlertChange[] {
    const changes = this.#changes
    for (const group of this.#touched) {
      for (const episode of group.episodes) {
        if (episode.revision === 0) changes.push(this.#change('alert.created', group, episode, null))
        else if (this.#isDue(group, episode)) changes.push(this.#change('alert.revised', group, episode, null))
      }
      this.#forgetIfEmpty(group)
      this.#queue(group)
    }
    this.#touched = []
    this.#changes = []
    return changes.sort(byRuleThenAlert)
  }

  #isDue(group: Group, episode: Episode): boolean {
    const { changed, publishedSize, lastRevisionAt, lastCountedAt } = episode
    const severityRose = episode.severity !== episode.publishedSeverity
    const size = sizeOf(group, episode)
    return revisionReason({ changed, size, publishedSize, severityRose, lastRevisionAt, lastCountedAt }, this.#clock.now) !== null
  }

  #change(type: FigureRecordType, group: Group, episode: Episode, mergedInto: string | null): AlertChange {
    settlePeaks(group)
    const now = this.#clock.now
    if (type === 'alert.created') this.#openAlerts++
    if (type === 'alert.closed') this.#openAlerts--
    episode.revision++
    episode.changed = false
    episode.publishedSize = sizeOf(group, episode)
    episode.publishedSeverity = episode.severity
    episode.lastRevisionAt = now
    const { topic, partition } = this.#options
    const organizationId = group.owner.organization.id
    const open = type !== 'alert.closed'
    return { type, alert: renderFigures(group, episode, { organizationId, logTime: now, topic, partition, open, mergedInto }) }
  }

  #forgetIfEmpty(group: Group): void {
    const { owner, name } = group
    if (!group.isEmpty || owner.groups.get(name.key) !== group) return
    owner.groups.delete(name.key)
    owner.organization.groups--
    group.queuedAt = Number.POSITIVE_INFINITY
  }

  /** Sees to it that the group is looked at again when something is due by time alone. */
  #queue(group: Group): void {
    if (group.isEmpty) return
    group.owner.organization.shedding?.offer(group)
    const next = group.nextDeadline()
    if (next >= group.queuedAt) return
    group.queuedAt = next
    this.#deadlines.push(next, group)
  }
}

function addMatch(matches: Match[], instance: RuleInstance, program: Program, event: AuditEvent, fields: EventFields): void {
  const { rule } = program
  if (rule.counts(event, fields)) {
    matches.push({ instance, program, isMark: false, isNotable: rule.notable?.(event, fields) ?? false })
  } else if (rule.escalates?.(event, fields) === true) {
    matches.push({ instance, program, isMark: true, isNotable: false })
  }
}

const sizeOf = (group: Group, episode: Episode): number => (group.program.rule.unit === 'sum' ? episode.total : episode.count)

function byRuleThenAlert({ alert: one }: AlertChange, { alert: other }: AlertChange): number {
  return compareTexts(one.rule.id, other.rule.id) || compareTexts(one.id, other.id)
}

const compareTexts = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
