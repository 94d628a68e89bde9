/**
 * The detection of libs/engine once more, from detection.md §1 to §3 alone: as simple as it can be, as slow as it likes.
 * It shares nothing with the engine. Where the page is silent it follows docs/detection.md.
 */
import type { AuditEvent, ControlRecord, OrganizationSettings } from '@tocsin/contracts'
import { severityRank } from '@tocsin/contracts'
import { extend, NOTHING } from './model-figures.ts'
import { businessHours, type Interval, nightAt } from './model-nights.ts'
import { MODEL_PATTERNS, type ModelPattern, OFF_HOURS_RULE, principalOf } from './model-patterns.ts'
import type { Episode, Group, ModelAlert, ModelChange, ModelFigures, ModelRecord, Terms } from './model-types.ts'
import { clusters, stretches, union } from './model-windows.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** A producer's clock may be this far ahead. */
const MAX_SKEW = 5 * MINUTE
/** A broker's clock that falls back by more sets log time back. */
const MAX_FALL = HOUR

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
    logTimeSetBack: 0,
    controlIgnored: 0,
  }
  readonly #settings = new Map<string, { version: number; settings: OrganizationSettings }>()
  readonly #rules = new Map<string, { version: number; state: string }>()
  readonly #groups = new Map<string, Group>()
  readonly #hours = new Map<string, Interval[]>()
  readonly #day0: number

  /** @param day0 midnight UTC of a day near the events, for the calendar */
  constructor(day0: number) {
    this.#day0 = day0
  }

  process(record: ModelRecord): ModelChange[] {
    this.#moveLogTime(record.appendTime)
    const changes: ModelChange[] = []
    for (const group of this.#groups.values()) {
      this.#closeDue(group, changes)
      group.held = group.held.filter((held) => this.logTime <= held.arrival + group.terms.retentionMs)
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
    for (const group of this.#groups.values()) {
      for (const event of group.held) event.arrival = Math.min(event.arrival, appendTime)
      for (const episode of group.episodes) {
        for (const event of episode.counted) event.arrival = Math.min(event.arrival, appendTime)
        episode.trueUntil = Math.min(episode.trueUntil, appendTime)
        episode.lastRevisionAt = Math.min(episode.lastRevisionAt, appendTime)
      }
    }
  }

  #closeDue(group: Group, changes: ModelChange[]): void {
    for (const episode of group.episodes) {
      const lastArrival = Math.max(...[...episode.counted].map((event) => event.arrival))
      if (this.logTime <= Math.max(episode.trueUntil, lastArrival + group.terms.spanMs) + group.terms.retentionMs) continue
      episode.open = false
      this.#publish(episode, 'alert.closed', changes)
    }
    group.episodes = group.episodes.filter((episode) => episode.open)
    this.#renewTerms(group)
  }

  #control(control: ControlRecord, changes: ModelChange[]): void {
    if (!this.#isNewer(control)) {
      this.counters.controlIgnored += 1
      return
    }
    if (control.kind === 'organization') {
      const { organizationId, version, settings } = control.organization
      this.#settings.set(organizationId, { version, settings })
      this.#hours.delete(organizationId)
    } else {
      const { ruleId, version, state } = control.rule
      this.#rules.set(ruleId, { version, state })
      if (state !== 'active') this.#stop(ruleId, changes)
    }
    for (const group of this.#groups.values()) this.#renewTerms(group)
  }

  #isNewer(control: ControlRecord): boolean {
    if (control.kind === 'rule') return control.rule.version > (this.#rules.get(control.rule.ruleId)?.version ?? 0)
    const { organizationId, version } = control.organization
    return version > (this.#settings.get(organizationId)?.version ?? 0)
  }

  /** A paused or retired rule closes its alerts and forgets its windows. */
  #stop(ruleId: string, changes: ModelChange[]): void {
    for (const [key, group] of this.#groups) {
      if (group.pattern.ruleId !== ruleId) continue
      for (const episode of group.episodes) {
        episode.open = false
        this.#publish(episode, 'alert.closed', changes)
      }
      this.#groups.delete(key)
    }
  }

  /** A group without an open alert takes the terms in force; its window is kept unless the span is another. */
  #renewTerms(group: Group): void {
    if (group.episodes.length > 0) return
    const { terms } = group
    group.held = group.held.filter((held) => this.logTime <= held.arrival + terms.retentionMs)
    group.terms = this.#termsOf(group.pattern, group.organizationId, group.night)
    if (group.terms.spanMs !== terms.spanMs) group.held = []
  }

  #termsOf(pattern: ModelPattern, organizationId: string, night: Interval | undefined): Terms {
    const settings = this.#settingsOf(organizationId)
    const spanMs = night === undefined ? pattern.spanMs(settings) : night.end - night.begin
    const gapMs = spanMs + (night === undefined ? (settings.alertCooldown ?? 5 * MINUTE) : 0)
    const latenessMs = settings.latenessMs ?? 15 * MINUTE
    const ruleVersion = this.#rules.get(pattern.ruleId)?.version ?? 0
    return { ruleVersion, spanMs, gapMs, latenessMs, retentionMs: gapMs + latenessMs, threshold: pattern.threshold(settings) }
  }

  #settingsOf(organizationId: string): OrganizationSettings {
    return this.#settings.get(organizationId)?.settings ?? {}
  }

  #event(event: AuditEvent, changes: ModelChange[]): void {
    this.counters.events += 1
    const stamp = Date.parse(event.timestamp)
    const isSkewed = stamp > this.logTime + MAX_SKEW
    if (isSkewed) this.counters.clockSkew += 1
    const t = isSkewed ? this.logTime : stamp
    let isUnattributed = false
    for (const pattern of MODEL_PATTERNS) {
      if (this.#rules.get(pattern.ruleId)?.state !== 'active' || !(pattern.counts(event) || pattern.escalates(event))) continue
      const nightly = pattern.ruleId === OFF_HOURS_RULE
      const night = nightly ? nightAt(this.#hoursOf(event.organizationId), t) : undefined
      if (nightly && night === undefined) continue
      const fields = pattern.group(event)
      if (fields !== undefined) this.#take(this.#groupOf(pattern, event.organizationId, fields, night), event, t, changes)
      else if (pattern.bySubject) isUnattributed = true
      else this.counters.groupMissing += 1
    }
    if (isUnattributed) this.counters.unattributed += 1
  }

  #take(group: Group, event: AuditEvent, t: number, changes: ModelChange[]): void {
    const { pattern } = group
    const first = group.held.find((held) => held.id === event.id)
    if (first !== undefined) {
      const isSame = JSON.stringify(first.event) === JSON.stringify(event)
      this.counters[isSame ? 'duplicate' : 'idConflict'] += 1
      return
    }
    const counts = pattern.counts(event)
    const late = t < this.logTime - group.terms.latenessMs
    if (counts) this.counters.counted += 1
    if (late) this.counters.late += 1
    group.held.push({
      id: event.id,
      t,
      arrival: this.logTime,
      weight: counts ? pattern.weight(event) : 0,
      principal: principalOf(event),
      late,
      event,
      escalates: !counts,
    })
    this.#decide(group, event.id, t, changes)
  }

  #groupOf(pattern: ModelPattern, organizationId: string, fields: Record<string, string>, night: Interval | undefined): Group {
    const key = JSON.stringify([organizationId, pattern.ruleId, fields, night?.begin ?? null])
    let group = this.#groups.get(key)
    if (group === undefined) {
      const terms = this.#termsOf(pattern, organizationId, night)
      group = { pattern, organizationId, group: fields, night, terms, held: [], episodes: [] }
      this.#groups.set(key, group)
    }
    return group
  }

  #hoursOf(organizationId: string): Interval[] {
    let hours = this.#hours.get(organizationId)
    if (hours === undefined) {
      hours = businessHours(this.#settingsOf(organizationId), this.#day0)
      this.#hours.set(organizationId, hours)
    }
    return hours
  }

  /** What the held events, the new one among them, make true; and whose alert that is. */
  #decide(group: Group, eventId: string, t: number, changes: ModelChange[]): void {
    const counting = group.held.filter((event) => !event.escalates)
    const { night, pattern } = group
    const { spanMs, gapMs, threshold } = group.terms
    const firstOfNight = Math.min(...counting.map((event) => event.t))
    const fresh =
      night === undefined
        ? stretches(counting, { spanMs, threshold, principals: pattern.principals })
        : counting.length === 0
          ? []
          : [{ begin: firstOfNight, end: night.end }]
    const known = group.episodes.flatMap((episode) => episode.truth.map((stretch) => ({ ...stretch, episode })))
    for (const cluster of clusters<Interval & { episode?: Episode }>([...known, ...fresh], gapMs)) {
      // What is true since a change of settings opens nothing until an event's truth reaches it (D33).
      const reached = cluster.some(({ begin, end, episode }) => episode !== undefined || (begin < t + spanMs && t < end))
      if (!reached) continue
      const joined = group.episodes.filter((episode) => cluster.some((stretch) => stretch.episode === episode))
      const [survivor, ...others] = joined
      const truth = union(cluster)
      if (survivor === undefined) this.#open(group, truth, eventId, t, changes)
      else {
        for (const other of others) this.#merge(other, survivor, changes)
        group.episodes = group.episodes.filter((episode) => !others.includes(episode))
        extend(group, survivor, others, truth, this.#settingsOf(group.organizationId))
      }
    }
  }

  #open(group: Group, truth: Interval[], eventId: string, t: number, changes: ModelChange[]): void {
    const figures = { ...NOTHING, spanMs: group.terms.spanMs, threshold: group.terms.threshold }
    const episode: Episode = {
      identity: [group.organizationId, group.pattern.ruleId, group.group, eventId, t],
      pattern: group.pattern,
      createdAt: this.logTime,
      ruleVersion: group.terms.ruleVersion,
      revision: 0,
      open: true,
      mergedInto: undefined,
      figures,
      published: figures,
      truth: [],
      counted: new Set(),
      trueUntil: Number.NEGATIVE_INFINITY,
      escalated: false,
      lastRevisionAt: this.logTime,
    }
    group.episodes.push(episode)
    this.alerts.push(episode)
    extend(group, episode, [], truth, this.#settingsOf(group.organizationId))
    this.#publish(episode, 'alert.created', changes)
  }

  #merge(loser: Episode, survivor: Episode, changes: ModelChange[]): void {
    loser.open = false
    loser.mergedInto = survivor
    this.#publish(loser, 'alert.closed', changes)
  }

  #revise(group: Group, changes: ModelChange[]): void {
    for (const episode of group.episodes) {
      const { figures, published } = episode
      if (JSON.stringify(figures) === JSON.stringify(published)) continue
      const size = (of: ModelFigures) => (group.pattern.sum ? of.total : of.count)
      const lastArrival = Math.max(...[...episode.counted].map((event) => event.arrival))
      const grown = size(figures) >= 1.5 * size(published)
      const worse = severityRank(figures.severity) > severityRank(published.severity)
      const minute = this.logTime - episode.lastRevisionAt >= 60 * SECOND
      const quiet = this.logTime - lastArrival >= 10 * SECOND
      if (grown || worse || minute || quiet) this.#publish(episode, 'alert.revised', changes)
    }
  }

  #publish(episode: Episode, type: ModelChange['type'], changes: ModelChange[]): void {
    episode.revision += 1
    episode.published = episode.figures
    episode.lastRevisionAt = this.logTime
    changes.push({ type, alert: episode, revision: episode.revision, figures: episode.figures, updatedAt: this.logTime })
  }
}
