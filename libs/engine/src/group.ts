import type { Night } from './calendar.ts'
import type { Episode } from './episode.ts'
import { EpisodeList } from './episode-list.ts'
import { type EventPool, ROW_FLAGS } from './event-pool.ts'
import { type HeldSnapshot, placeOf } from './evidence.ts'
import type { Hash64 } from './hash.ts'
import { HeldEvents } from './held-events.ts'
import { settlePeaks } from './peaks.ts'
import type { Program } from './program.ts'
import { revisionDeadline } from './revision.ts'
import type { RuleInstance } from './rule-instance.ts'
import type { Interval } from './stretches.ts'
import type { DurationMs, EpochMs } from './time.ts'

/** Whom a window is counted for. */
export interface GroupName {
  /** Distinct for every group of a rule and organization. */
  readonly key: string
  /** As an alert shows it. */
  readonly shown: Readonly<Record<string, string>>
  /** For rules with a calendar: the group is a subject and a night. */
  readonly night: Night | null
}

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

/**
 * One group of one rule in one organization: the events that take part, and the open alerts.
 *
 * 1. An event takes part while log time is at most R after its arrival (`holdMs`).
 * 2. Letting an event go changes nothing that was decided: figures are kept as running numbers, never counted again.
 * 3. Open alerts lie more than Q apart (`reachMs`): whatever comes closer is joined.
 */
export class Group {
  readonly owner: RuleInstance
  readonly name: GroupName
  program: Program
  held: HeldEvents
  /** Evidence of held events that are in no alert, in order. */
  readonly loose: HeldSnapshot[] = []
  readonly episodes = new EpisodeList()
  /** Alerts that the record at hand may have changed. */
  fresh: Episode[] = []
  floor: Floor | null = null
  /** True after a change of the condition: held events may meet it without an event having come. */
  stale = false
  /** Moments whose windows may have grown since the peaks were last brought up to date (peaks.ts). */
  unsettled: Interval | null = null
  /** Texts of noted values by their hash, for rules that name them. */
  names: Map<number, string> | null = null
  /** Alerts that have ended and are not yet published. */
  ended: Ended[] = []
  /** Log time of the earliest entry that the deadlines hold for this group. */
  queuedAt: EpochMs = Number.POSITIVE_INFINITY
  /** Number of the last record that touched the group, and of the last snapshot that holds it. */
  touchedBy = 0
  savedFor = 0
  readonly #pool: EventPool

  constructor(owner: RuleInstance, name: GroupName, program: Program, pool: EventPool) {
    this.owner = owner
    this.name = name
    this.program = program
    this.#pool = pool
    this.held = new HeldEvents(pool, program.kind, owner.organization)
  }

  get spanMs(): DurationMs {
    const { night } = this.name
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
    return this.name.night === null ? t + this.program.spanMs : this.name.night.end
  }

  /** Position of the first event of the window at `t`. */
  windowStart(t: EpochMs): number {
    return this.name.night === null ? this.held.upperBound(t - this.program.spanMs) : 0
  }

  get isEmpty(): boolean {
    return this.held.held === 0 && this.episodes.length === 0
  }

  /** (1.) */
  evict(logTime: EpochMs): void {
    const kept = logTime - this.holdMs
    while (this.held.oldestArrival() < kept) this.dropOldestArrival()
  }

  dropOldestArrival(): void {
    settlePeaks(this)
    this.held.dropOldestArrival((slot) => this.forgetLoose(slot))
  }

  forgetLoose(slot: number): void {
    const [oldest] = this.loose
    if (oldest === undefined || this.#pool.t(slot) < oldest.t || this.#pool.has(slot, ROW_FLAGS.mark)) return
    const at = this.loose.findIndex(({ row }) => row === slot)
    if (at >= 0) this.loose.splice(at, 1)
  }

  keepLoose(snapshot: HeldSnapshot): void {
    const place = placeOf(this.loose, snapshot)
    if (place === this.loose.length) this.loose.push(snapshot)
    else this.loose.splice(place, 0, snapshot)
    if (this.loose.length > this.program.looseKept) this.loose.shift()
  }

  /** Ends the alerts whose time is over: log time is more than R past F and past the last counted arrival + span. */
  closeDue(logTime: EpochMs): void {
    if (!this.episodes.all().some((episode) => this.#isOver(episode, logTime))) return
    settlePeaks(this)
    for (const episode of this.episodes.all()) {
      if (this.#isOver(episode, logTime)) this.ended.push({ episode, survivor: null })
    }
    this.episodes.remove((episode) => this.#isOver(episode, logTime))
  }

  #isOver(episode: Episode, logTime: EpochMs): boolean {
    return logTime >= this.#closesAt(episode)
  }

  /** The first log time that is more than R past both; log times are integers. */
  #closesAt(episode: Episode): EpochMs {
    return Math.max(episode.endForClosing, episode.lastCountedAt + this.spanMs) + this.holdMs + 1
  }

  /** Log time of the next thing that happens here by itself, as far as these alerts and the events go. */
  nextDeadline(episodes: readonly Episode[]): EpochMs {
    let next = this.held.oldestArrival() + this.holdMs + 1
    for (const episode of episodes) {
      next = Math.min(next, this.#closesAt(episode))
      if (episode.changed) next = Math.min(next, revisionDeadline(episode))
    }
    return next
  }

  endAll(): void {
    settlePeaks(this)
    for (const episode of this.episodes.all()) this.ended.push({ episode, survivor: null })
    this.episodes.remove(() => true)
  }

  forgetEvents(): void {
    settlePeaks(this)
    this.held.clear()
    this.loose.length = 0
    this.floor = null
    this.stale = false
    this.names = null
  }

  /** Another program takes over; its windows mean the same, or the group starts empty (detection.md §4). */
  adopt(program: Program): void {
    const sameWindows = program.windowIdentity === this.program.windowIdentity
    const sameCondition = sameRequirements(program, this.program)
    this.program = program
    if (!sameWindows) {
      this.forgetEvents()
      this.held = new HeldEvents(this.#pool, program.kind, this.owner.organization)
    } else if (!sameCondition) this.stale = true
  }

  /** Log time went back: nothing held came later than it, and no deadline waits for what was. */
  capTimes(at: EpochMs): void {
    this.held.capArrivals(at)
    for (const episode of this.episodes.all()) {
      episode.lastCountedAt = Math.min(episode.lastCountedAt, at)
      episode.lastRevisionAt = Math.min(episode.lastRevisionAt, at)
      episode.endForClosing = Math.min(episode.endForClosing, at)
    }
  }
}

const sameRequirements = (one: Program, other: Program): boolean =>
  one.requirements.length === other.requirements.length &&
  one.requirements.every(
    ({ unit, atLeast, expression }, index) =>
      unit === other.requirements[index]?.unit &&
      atLeast === other.requirements[index]?.atLeast &&
      expression?.text === other.requirements[index]?.expression?.text,
  )
