import type { Episode } from './alerts/episode.ts'
import { EpisodeList } from './alerts/episode-list.ts'
import { revisionDeadline } from './alerts/revision.ts'
import type { AdaptiveCondition } from './baselines/baselines.ts'
import type { Row } from './held/event-pool.ts'
import { type EvidencePool, NO_EVIDENCE } from './held/evidence-pool.ts'
import type { Hash64 } from './held/hash.ts'
import { HeldEvents, isWide } from './held/held-events.ts'
import { dropEvidence, evidenceOfRow, keepEvidence, looseEvidence, unlinkEvidence } from './held/loose-evidence.ts'
import type { Stores } from './held/stores.ts'
import type { Told } from './held/told-events.ts'
import { type GroupName, shownOf } from './matching/group-name.ts'
import type { RuleInstance } from './rule-instance.ts'
import type { Night } from './rules/calendar.ts'
import type { Condition, Program } from './rules/program.ts'
import type { DurationMs, EpochMs } from './time.ts'
import { settlePeaks } from './truth/peaks.ts'
import type { SettledTerms } from './truth/settling.ts'
import type { Interval } from './truth/stretches.ts'

/** Order of a full group's floor: an event at or below it is refused. */
export interface Floor {
  readonly t: EpochMs
  readonly id: Readonly<Hash64>
}

/** An alert that has ended; `survivor` is the alert that it was joined with. */
export interface Ended {
  readonly episode: Episode
  readonly survivor: string | null
}

/** No row. NO_ROW is no small integer, and would cost each group a boxed number. */
const NOTHING = -1
/** What most groups have of a kind; never changed. */
const NONE: readonly never[] = []
const NO_EPISODES = new EpisodeList()

/**
 * One group of one rule in one organization: the events that take part, and the open alerts.
 *
 * 1. An event takes part while log time is at most R after its arrival (`holdMs`).
 * 2. Letting an event go changes nothing that was decided: figures are kept as running numbers, never counted again.
 * 3. Open alerts lie more than Q apart (`reachMs`): whatever comes closer is joined.
 */
export class Group {
  readonly owner: RuleInstance
  readonly key: string
  readonly night: Night | null
  program: Program
  /** Under a baseline: the condition in place of the program's. */
  #adapted: AdaptiveCondition | null = null
  episodes: EpisodeList = NO_EPISODES
  /** Alerts that the record at hand may have changed. */
  fresh: readonly Episode[] = NONE
  /** Alerts that have ended and are not yet published. */
  ended: readonly Ended[] = NONE
  floor: Floor | null = null
  /** True after a change of the condition: held events may meet it without an event having come. */
  stale = false
  /** Moments whose windows may have grown since the peaks were last brought up to date (peaks.ts). */
  unsettled: Interval | null = null
  /** Texts of noted values, for rules that name them. */
  names: readonly string[] = NONE
  /** Log time of the earliest entry that the deadlines hold for this group. */
  queuedAt: EpochMs = Number.POSITIVE_INFINITY
  /** Number of the last record that touched the group, and of the last snapshot that holds it. */
  touchedBy = 0
  savedFor = 0
  readonly #stores: Stores
  /** The row of the one event that it holds; with a second one come the lists. */
  #only = NOTHING
  #held: HeldEvents | null = null
  /** Newest snapshot of held events that are in no alert (loose-evidence.ts). */
  #loose = NO_EVIDENCE

  constructor(owner: RuleInstance, { key, night }: GroupName, program: Program, stores: Stores) {
    this.owner = owner
    this.key = key
    this.night = night
    this.program = program
    this.#stores = stores
  }

  get name(): GroupName {
    return { key: this.key, night: this.night }
  }

  /** As an alert shows it. */
  get shown(): Readonly<Record<string, string>> {
    return shownOf(this.program.rule, this)
  }

  get evidence(): EvidencePool {
    return this.#stores.evidence
  }

  /** In force here: the program's, or that of a baseline. */
  get condition(): Condition {
    return this.#adapted ?? this.program
  }

  get adapted(): AdaptiveCondition | null {
    return this.#adapted
  }

  /** A threshold that falls is a change of the condition: what is held may meet it already. */
  adapt(condition: AdaptiveCondition | null): void {
    if (condition === this.#adapted) return
    const before = this.condition.requirements[0].atLeast
    this.#adapted = condition
    if (this.condition.requirements[0].atLeast < before && this.size > 0) this.stale = true
  }

  /** The events that take part, as lists; a group of one event gets them by this. */
  get held(): HeldEvents {
    if (this.#held === null) {
      this.#held = new HeldEvents(this.#stores.events, this.program.kind, this.owner.organization)
      if (this.#only !== NOTHING) this.#held.enter(this.#only)
      this.#only = NOTHING
    }
    return this.#held
  }

  /** Number of held events. */
  get size(): number {
    if (this.#held !== null) return this.#held.held
    return this.#only === NOTHING ? 0 : 1
  }

  /** Nothing is held or known of it: it is new. */
  get isBlank(): boolean {
    return this.#held === null && this.#only === NOTHING && this.floor === null && !this.stale && this.episodes.length === 0
  }

  /** Takes an event in, of which nothing comes, and returns its row. @param told for kinds that are told */
  hold(row: Row, told: Told | null = null): number {
    if (told !== null || this.#held !== null || this.#only !== NOTHING) return this.held.add(row, told)
    const { kind } = this.program
    this.#only = this.#stores.events.add(row, isWide(kind))
    this.owner.organization.held++
    return this.#only
  }

  get spanMs(): DurationMs {
    const { night } = this
    return night === null ? this.program.spanMs : night.end - night.start
  }

  /** Q: how near stretches have to be to belong together. */
  get reachMs(): DurationMs {
    return this.spanMs + this.program.cooldownMs
  }

  /** R: how long an event takes part after its arrival. */
  get holdMs(): DurationMs {
    return this.reachMs + this.program.latenessMs
  }

  /** When an event of time `t` leaves the window. */
  leaves(t: EpochMs): EpochMs {
    return this.night === null ? t + this.program.spanMs : this.night.end
  }

  /** Position of the first event of the window at `t`. */
  windowStart(t: EpochMs): number {
    return this.night === null ? this.held.upperBound(t - this.program.spanMs) : 0
  }

  /** Windows of a settled condition. */
  get settledTerms(): SettledTerms {
    const { night, program } = this
    return {
      isAhead: program.rule.settled?.isAhead ?? false,
      latenessMs: program.latenessMs,
      opens: (t) => (night === null ? t - program.spanMs + 1 : night.start),
      leaves: (t) => this.leaves(t),
    }
  }

  get isEmpty(): boolean {
    return this.size === 0 && this.episodes.length === 0
  }

  oldestArrival(): EpochMs {
    if (this.#held !== null) return this.#held.oldestArrival()
    return this.#only === NOTHING ? Number.POSITIVE_INFINITY : this.#stores.events.arrival(this.#only)
  }

  newestArrival(): EpochMs {
    if (this.#held !== null) return this.#held.newestArrival()
    return this.#only === NOTHING ? Number.NEGATIVE_INFINITY : this.#stores.events.arrival(this.#only)
  }

  /** Rows in order of arrival. */
  rows(): number[] {
    if (this.#held !== null) return this.#held.rows()
    return this.#only === NOTHING ? [] : [this.#only]
  }

  /** (1.) */
  evict(logTime: EpochMs): void {
    const kept = logTime - this.holdMs
    while (this.oldestArrival() < kept) this.dropOldestArrival()
  }

  dropOldestArrival(): void {
    settlePeaks(this)
    if (this.#held !== null) {
      this.#held.dropOldestArrival((slot) => this.forgetLoose(slot))
      return
    }
    this.forgetLoose(this.#only)
    this.#stores.events.release(this.#only)
    this.owner.organization.held--
    this.#only = NOTHING
  }

  /** Snapshots of held events that are in no alert, from the oldest to the newest. */
  loose(): readonly number[] {
    return looseEvidence(this.#stores.evidence, this.#loose)
  }

  keepLoose(snapshot: number): void {
    this.#loose = keepEvidence(this.#stores.evidence, this.#loose, snapshot, this.condition.looseKept)
  }

  /** Takes a loose snapshot out, for an alert. */
  takeLoose(snapshot: number): void {
    this.#loose = unlinkEvidence(this.#stores.evidence, this.#loose, snapshot)
  }

  forgetLoose(slot: number): void {
    if (this.#loose === NO_EVIDENCE) return
    const { evidence, events } = this.#stores
    const snapshot = evidenceOfRow(evidence, this.#loose, slot, events.t(slot))
    if (snapshot !== NO_EVIDENCE) this.#loose = dropEvidence(evidence, this.#loose, snapshot)
  }

  addEpisode(episode: Episode): void {
    if (this.episodes === NO_EPISODES) this.episodes = new EpisodeList()
    this.episodes.add(episode)
  }

  /** The record at hand may have changed the alert. */
  freshen(episode: Episode): void {
    this.fresh = this.fresh.length === 0 ? [episode] : [...this.fresh, episode]
  }

  end(episode: Episode, survivor: string | null): void {
    this.ended = [...this.ended, { episode, survivor }]
  }

  /** Ends the alerts whose time is over: log time is more than R past F and past the last counted arrival + span. */
  closeDue(logTime: EpochMs): void {
    if (!this.episodes.all().some((episode) => this.#isOver(episode, logTime))) return
    settlePeaks(this)
    for (const episode of this.episodes.all()) {
      if (this.#isOver(episode, logTime)) this.end(episode, null)
    }
    this.episodes.remove((episode) => this.#isOver(episode, logTime))
  }

  /** What a record opens, it does not close. */
  #isOver(episode: Episode, logTime: EpochMs): boolean {
    return episode.revision > 0 && logTime >= this.#closesAt(episode)
  }

  /** The first log time that is more than R past both; log times are integers. */
  #closesAt(episode: Episode): EpochMs {
    return Math.max(episode.endForClosing, episode.lastCountedAt + this.spanMs) + this.holdMs + 1
  }

  /** Log time of the next thing that happens here by itself, as far as these alerts and the events go. */
  nextDeadline(episodes: readonly Episode[]): EpochMs {
    // Events go in the order of their arrival: where there is an older one, the group waits for that already.
    const isWaiting = this.queuedAt !== Number.POSITIVE_INFINITY && this.size > 1
    let next = isWaiting ? this.queuedAt : this.oldestArrival() + this.holdMs + 1
    if (this.#held !== null && this.program.rule.settled !== null)
      next = Math.min(next, this.#held.told.nextDecision(this.settledTerms))
    for (const episode of episodes) {
      next = Math.min(next, this.#closesAt(episode))
      if (episode.changed) next = Math.min(next, revisionDeadline(episode))
    }
    return next
  }

  endAll(): void {
    settlePeaks(this)
    for (const episode of this.episodes.all()) this.end(episode, null)
    this.episodes.remove(() => true)
  }

  forgetEvents(): void {
    settlePeaks(this)
    if (this.#held !== null) this.#held.clear((slot) => this.forgetLoose(slot))
    else if (this.#only !== NOTHING) this.dropOldestArrival()
    this.floor = null
    this.stale = false
    this.names = NONE
  }

  /** Another program takes over; its windows mean the same, or the group starts empty (detection.md §4). */
  adopt(program: Program): void {
    const sameWindows = program.windowIdentity === this.program.windowIdentity
    const sameCondition = sameRequirements(program, this.condition)
    this.program = program
    this.#adapted = null
    // Other terms may be due earlier.
    this.queuedAt = Number.POSITIVE_INFINITY
    if (!sameWindows) {
      this.forgetEvents()
      this.#held = null
    } else if (program.rule.settled !== null) this.#held?.told.reconsider()
    else if (!sameCondition) this.stale = true
  }

  /** Log time went back: nothing held came later than it, and no deadline waits for what was. */
  capTimes(at: EpochMs): void {
    if (this.#held !== null) this.#held.capArrivals(at)
    else if (this.oldestArrival() > at && this.#only !== NOTHING) this.#stores.events.setArrival(this.#only, at)
    for (const episode of this.episodes.all()) {
      episode.lastCountedAt = Math.min(episode.lastCountedAt, at)
      episode.countedAt = Math.min(episode.countedAt, at)
      episode.lastRevisionAt = Math.min(episode.lastRevisionAt, at)
      episode.endForClosing = Math.min(episode.endForClosing, at)
    }
  }
}

const sameRequirements = (one: Condition, other: Condition): boolean =>
  one.requirements.length === other.requirements.length &&
  one.requirements.every(
    ({ unit, atLeast, expression }, index) =>
      unit === other.requirements[index]?.unit &&
      atLeast === other.requirements[index]?.atLeast &&
      expression?.text === other.requirements[index]?.expression?.text,
  )
