/**
 * The detection of libs/engine once more, from detection.md §1 to §3 alone: as simple as it can be, as slow as it likes.
 * It shares nothing with the engine. Where the page is silent it follows docs/detection.md.
 */
import type { AuditEvent, ControlRecord, RuleRecord } from '@tocsin/contracts'
import { ModelBook } from './model-book.ts'
import { exceptionsOf } from './model-exceptions.ts'
import { contentOf, extend, NOTHING, setLowerBounds } from './model-figures.ts'
import { dropOldest, isEmpty, type ModelLimits, makeRoom, NO_LIMITS } from './model-limits.ts'
import { type Interval, nightAt } from './model-nights.ts'
import { MODEL_PATTERNS, type ModelPattern, OFF_HOURS_RULE, principalOf } from './model-patterns.ts'
import { decideDue, isTooLate } from './model-settled.ts'
import { isOver, isWorthTelling, letGo, setBack } from './model-time.ts'
import type { Episode, Group, HeldEvent, ModelAlert, ModelChange, ModelRecord, Moment } from './model-types.ts'
import { clusters, stretches, union } from './model-windows.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** A producer's clock may be this far ahead. */
const MAX_SKEW = 5 * MINUTE
/** A broker's clock that falls back by more sets log time back. */
const MAX_FALL = HOUR

/** The built-in pack, whatever the version; rules that the model does not know do nothing. */
const builtIn = ({ ruleId }: RuleRecord): ModelPattern | undefined => MODEL_PATTERNS.find((pattern) => pattern.ruleId === ruleId)

export class Model {
  logTime = Number.NEGATIVE_INFINITY
  readonly alerts: ModelAlert[] = []
  readonly counters = {
    events: 0,
    counted: 0,
    late: 0,
    clockSkew: 0,
    unattributed: 0,
    groupMissing: 0,
    duplicate: 0,
    idConflict: 0,
    notNumeric: 0,
    tooLate: 0,
    excepted: 0,
    overCap: 0,
    latenessShortened: 0,
    groupEvicted: 0,
    logTimeSetBack: 0,
    controlIgnored: 0,
  }
  /** True once the outcome depends on what the page leaves to the engine: the hashes of ids. */
  isOpen = false
  readonly #book: ModelBook
  readonly #limits: ModelLimits
  readonly #groups = new Map<string, Group>()

  /**
   * @param day0 midnight UTC of a day near the events, for the calendar
   * @param patternOf what a version of a rule means
   */
  constructor(day0: number, patternOf = builtIn, limits = NO_LIMITS) {
    this.#book = new ModelBook(day0, patternOf)
    this.#limits = limits
  }

  process(record: ModelRecord): ModelChange[] {
    this.#moveLogTime(record.appendTime)
    const changes: ModelChange[] = []
    for (const group of this.#groups.values()) {
      this.#settle(group, changes)
      this.#closeDue(group, changes)
      letGo(group, this.logTime)
    }
    if (record.kind === 'control') this.#control(record.control, changes)
    if (record.kind === 'event') this.#event(record.event, changes)
    for (const group of this.#groups.values()) this.#revise(group, changes)
    return changes
  }

  #moveLogTime(appendTime: number): void {
    if (appendTime >= this.logTime - MAX_FALL) {
      this.logTime = Math.max(this.logTime, appendTime)
      return
    }
    this.logTime = appendTime
    this.counters.logTimeSetBack += 1
    for (const group of this.#groups.values()) setBack(group, appendTime)
  }

  #closeDue(group: Group, changes: ModelChange[]): void {
    for (const episode of group.episodes) {
      if (episode.revision === 0) continue // opened by this record, which publishes one change of an alert (D2)
      if (!isOver(group, episode, this.logTime)) continue
      episode.open = false
      this.#publish(episode, 'alert.closed', changes)
    }
    group.episodes = group.episodes.filter((episode) => episode.open)
    this.#renewTerms(group)
  }

  #control(control: ControlRecord, changes: ModelChange[]): void {
    if (!this.#book.take(control)) {
      this.counters.controlIgnored += 1
      return
    }
    if (control.kind === 'rule' && control.rule.state !== 'active') this.#stop(control.rule.ruleId, changes)
    for (const group of this.#groups.values()) this.#renewTerms(group)
  }

  /** A paused or retired rule closes its alerts and forgets its windows. */
  #stop(ruleId: string, changes: ModelChange[]): void {
    for (const [key, group] of this.#groups) {
      if (group.ruleId !== ruleId) continue
      for (const episode of group.episodes) {
        episode.open = false
        this.#publish(episode, 'alert.closed', changes)
      }
      this.#groups.delete(key)
    }
  }

  /** A group without an open alert takes the terms in force; its window is kept unless the span or its meaning is another. */
  #renewTerms(group: Group): void {
    const pattern = this.#book.pattern(group.ruleId)
    if (group.episodes.length > 0 || pattern === undefined) return
    const { terms } = group
    letGo(group, this.logTime)
    group.terms = this.#book.terms(pattern, group.organizationId, group.night)
    if (group.terms.spanMs === terms.spanMs && pattern.identity === terms.pattern.identity) return
    group.held = []
    group.floor = undefined
    group.decided.clear()
  }

  #event(event: AuditEvent, changes: ModelChange[]): void {
    this.counters.events += 1
    const stamp = Date.parse(event.timestamp)
    const isSkewed = stamp > this.logTime + MAX_SKEW
    if (isSkewed) this.counters.clockSkew += 1
    const t = isSkewed ? this.logTime : stamp
    let isUnattributed = false
    let isMatched = false
    const excepted = new Set<string>()
    for (const pattern of this.#patternsFor(event.organizationId)) {
      if (!(pattern.counts(event) || pattern.escalates(event))) continue
      const exceptions = exceptionsOf(this.#book.settings(event.organizationId), pattern.ruleId, event, this.logTime)
      if (exceptions > 0) {
        if (!excepted.has(pattern.ruleId)) this.counters.excepted += exceptions
        excepted.add(pattern.ruleId)
        continue
      }
      isMatched = true
      const nightly = pattern.ruleId === OFF_HOURS_RULE
      const night = nightly ? nightAt(this.#book.hours(event.organizationId), t) : undefined
      if (nightly && night === undefined) continue
      for (const { fields, parts } of pattern.memberships(event)) {
        if (fields === undefined) {
          if (pattern.bySubject) isUnattributed = true
          else this.counters.groupMissing += 1
          continue
        }
        const group = this.#groupOf(pattern, event.organizationId, fields, night)
        if (group !== undefined) this.#take(group, parts, event, t, changes)
      }
    }
    if (isUnattributed) this.counters.unattributed += 1
    if (isMatched) this.#makeRoom(event.organizationId)
  }

  #makeRoom(organizationId: string): void {
    const groups = [...this.#groups.values()].filter((group) => group.organizationId === organizationId)
    const { latenessShortened, groupEvicted } = makeRoom(groups, this.#limits, this.logTime)
    this.counters.latenessShortened += latenessShortened
    this.counters.groupEvicted += groupEvicted
    for (const group of groups) if (isEmpty(group)) group.floor = undefined
  }

  /** The rules in force, and the versions that groups with an open alert stay with. */
  #patternsFor(organizationId: string): Set<ModelPattern> {
    const groups = [...this.#groups.values()].filter((group) => group.organizationId === organizationId)
    return new Set([
      ...this.#book.active(),
      ...groups.filter(({ episodes }) => episodes.length > 0).map(({ terms }) => terms.pattern),
    ])
  }

  #take(group: Group, parts: readonly string[], event: AuditEvent, t: number, changes: ModelChange[]): void {
    const { pattern } = group.terms
    const first = group.held.find((held) => held.id === event.id)
    if (first !== undefined) {
      const isSame = contentOf(first.event) === contentOf(event)
      this.counters[isSame ? 'duplicate' : 'idConflict'] += 1
      return
    }
    const isRefused = group.floor !== undefined && t <= group.floor
    this.isOpen ||= t === group.floor
    const counts = pattern.counts(event)
    const late = t < this.logTime - group.terms.latenessMs
    const held: HeldEvent = {
      id: event.id,
      t,
      arrival: this.logTime,
      weight: counts ? pattern.weight(event) : 0,
      principal: principalOf(event),
      parts,
      late,
      event,
      escalates: !counts,
    }
    const tooLate = isTooLate(group, t)
    if (!isRefused) group.held.push(held)
    if (isRefused || (group.held.length > this.#limits.eventsPerGroup && this.#dropOldest(group) === held)) {
      this.counters.overCap += 1
      setLowerBounds(group)
      return
    }
    if (counts) this.counters.counted += 1
    if (late) this.counters.late += 1
    if (tooLate) this.counters.tooLate += 1
    if (pattern.isNotNumeric?.(event)) this.counters.notNumeric += 1
    if (pattern.settled === undefined) this.#decide(group, event.id, t, changes)
    else for (const episode of group.episodes) this.#extend(group, episode, [], episode.truth, episode.moments)
  }

  /** Counts it unless it is the new event itself. */
  #dropOldest(group: Group): HeldEvent {
    const newest = group.held.at(-1)
    const { dropped, isTie } = dropOldest(group)
    this.isOpen ||= isTie
    if (dropped !== newest) this.counters.overCap += 1
    setLowerBounds(group)
    return dropped
  }

  /** Undefined where a group of that name has an open alert of another version, which no other version counts (§4). */
  #groupOf(
    pattern: ModelPattern,
    organizationId: string,
    fields: Record<string, string>,
    night: Interval | undefined,
  ): Group | undefined {
    const { ruleId } = pattern
    const key = JSON.stringify([organizationId, ruleId, fields, night?.begin ?? null])
    const known = this.#groups.get(key)
    if (known !== undefined) return known.terms.pattern === pattern ? known : undefined
    if (this.#book.pattern(ruleId) !== pattern) return undefined
    const terms = this.#book.terms(pattern, organizationId, night)
    const group: Group = {
      ruleId,
      organizationId,
      group: fields,
      night,
      terms,
      held: [],
      floor: undefined,
      decided: new Set(),
      episodes: [],
    }
    this.#groups.set(key, group)
    return group
  }

  /** What the held events, the new one among them, make true; and whose alert that is. */
  #decide(group: Group, eventId: string, t: number, changes: ModelChange[]): void {
    const counting = group.held.filter((event) => !event.escalates)
    const { night } = group
    const { pattern, spanMs, threshold } = group.terms
    const firstOfNight = Math.min(...counting.map((event) => event.t))
    const fresh =
      night === undefined
        ? stretches(counting, { spanMs, holds: (window) => pattern.holds(window, threshold) })
        : counting.length === 0
          ? []
          : [{ begin: firstOfNight, end: night.end }]
    // What is true since a change of settings opens nothing until an event's truth reaches it (D33).
    const reached = ({ begin, end }: Interval): boolean => begin < t + spanMs && t < end
    this.#assign(group, fresh, reached, () => ({ eventId, t }), changes)
  }

  /** Decides what is due (D42), one event time after the other. */
  #settle(group: Group, changes: ModelChange[]): void {
    for (const moment of decideDue(group, this.logTime)) {
      const { t, eventId } = moment
      this.#assign(
        group,
        [{ begin: t, end: t, moment }],
        () => true,
        () => ({ eventId, t }),
        changes,
      )
    }
  }

  /** Stretches at most Q apart belong to one alert: the one created first among those that are known, or a new one. */
  #assign<I extends Interval & { readonly moment?: Moment }>(
    group: Group,
    fresh: readonly I[],
    opens: (stretch: Interval) => boolean,
    openingOf: (cluster: readonly I[]) => { readonly eventId: string; readonly t: number },
    changes: ModelChange[],
  ): void {
    const known = group.episodes.flatMap((episode) => episode.truth.map((stretch) => ({ ...stretch, episode })))
    const all: (Interval & { fresh?: I; episode?: Episode })[] = [...known, ...fresh.map((each) => ({ ...each, fresh: each }))]
    for (const cluster of clusters(all, group.terms.gapMs)) {
      if (!cluster.some((stretch) => stretch.episode !== undefined || opens(stretch))) continue
      const [survivor, ...others] = group.episodes.filter((episode) => cluster.some((stretch) => stretch.episode === episode))
      const found = cluster.flatMap((stretch) => (stretch.fresh === undefined ? [] : [stretch.fresh]))
      const moments = found.flatMap(({ moment }) => (moment === undefined ? [] : [moment]))
      const alert = survivor ?? this.#open(group, openingOf(found))
      for (const other of others) this.#merge(other, alert, changes)
      group.episodes = group.episodes.filter((episode) => !others.includes(episode))
      const before = [alert, ...others].flatMap((episode) => episode.moments)
      this.#extend(group, alert, others, union(cluster), [...before, ...moments])
    }
  }

  #extend(group: Group, episode: Episode, others: readonly Episode[], truth: Interval[], moments: readonly Moment[]): void {
    const known = new Set([episode, ...others].flatMap(({ counted }) => [...counted]))
    extend(group, episode, others, truth, moments, this.#book.settings(group.organizationId))
    const before = Math.max(...[episode, ...others].map(({ countedAt }) => countedAt))
    episode.countedAt = episode.counted.size > known.size ? this.logTime : before
  }

  #open(group: Group, { eventId, t }: { readonly eventId: string; readonly t: number }): Episode {
    const figures = { ...NOTHING, spanMs: group.terms.spanMs, threshold: group.terms.threshold }
    const episode: Episode = {
      identity: [group.organizationId, group.ruleId, group.group, eventId, t],
      pattern: group.terms.pattern,
      createdAt: this.logTime,
      ruleVersion: group.terms.ruleVersion,
      revision: 0,
      open: true,
      mergedInto: undefined,
      figures,
      published: figures,
      truth: [],
      moments: [],
      counted: new Set(),
      trueUntil: Number.NEGATIVE_INFINITY,
      escalated: false,
      lowerBound: false,
      lastRevisionAt: this.logTime,
      countedAt: this.logTime,
    }
    group.episodes.push(episode)
    this.alerts.push(episode)
    return episode
  }

  #merge(loser: Episode, survivor: Episode, changes: ModelChange[]): void {
    loser.open = false
    loser.mergedInto = survivor
    if (loser.revision === 0) return // of this record: nobody has heard of it
    this.#publish(loser, 'alert.closed', changes)
  }

  #revise(group: Group, changes: ModelChange[]): void {
    for (const episode of group.episodes) {
      if (episode.revision === 0) {
        this.#publish(episode, 'alert.created', changes)
        continue
      }
      if (isWorthTelling(episode, this.logTime)) this.#publish(episode, 'alert.revised', changes)
    }
  }

  #publish(episode: Episode, type: ModelChange['type'], changes: ModelChange[]): void {
    episode.revision += 1
    episode.published = episode.figures
    episode.lastRevisionAt = this.logTime
    changes.push({ type, alert: episode, revision: episode.revision, figures: episode.figures, updatedAt: this.logTime })
  }
}
