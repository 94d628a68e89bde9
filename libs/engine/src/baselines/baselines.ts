import type { Group } from '../group.ts'
import { type Condition, conditionOf, type Program } from '../rules/program.ts'
import { type EpochMs, HOUR_MS } from '../time.ts'
import { settlePeaks } from '../truth/peaks.ts'
import { type Baseline, baselineOf, thresholdOf } from './baseline.ts'
import { HOURS_OF_WEEK, HourlySamples } from './hourly-samples.ts'

/** Groups of one rule in one organization that have a baseline of their own; others use the floor. */
const MOST_GROUPS = 10_000
/** A group that gave no sample for this long is forgotten when another one needs its place. */
const IDLE_HOURS = 8 * HOURS_OF_WEEK
const NOTHING = -1

/** The condition of a group under its baseline: that of the program with another threshold. */
export interface AdaptiveCondition extends Condition {
  readonly baseline: Baseline
}

/** What one group has done by the hour. It outlives the group's events. */
export class GroupBaseline {
  readonly key: string
  readonly samples = new HourlySamples()
  /** Hour of log time at hand, and the largest window value in it so far. */
  hour: number
  largest = NOTHING
  /** Number of the last snapshot that holds it. */
  savedFor: number
  #condition: AdaptiveCondition | null = null
  #program: Program | null = null

  constructor(key: string, hour: number, savedFor: number) {
    this.key = key
    this.hour = hour
    this.savedFor = savedFor
  }

  note(value: number): void {
    this.largest = Math.max(this.largest, value)
  }

  /** Another hour has begun. An hour without an event gives no sample. */
  turn(hour: number): void {
    if (hour < this.hour) this.samples.forgetFrom(hour)
    else if (this.largest !== NOTHING) this.samples.add(this.hour, this.largest)
    this.hour = hour
    this.largest = NOTHING
    this.#condition = null
  }

  /** Fixed at the hour's start: worked out from what was before it. */
  conditionUnder(program: Program): AdaptiveCondition {
    if (this.#condition === null || this.#program !== program)
      this.#condition = adapted(program, baselineOf(this.samples, this.hour, program.requirements[0].atLeast))
    this.#program = program
    return this.#condition
  }

  isIdle(hour: number): boolean {
    return this.hour < hour - IDLE_HOURS && this.samples.newestHour < hour - IDLE_HOURS
  }
}

/** The baselines of the groups of one rule in one organization. */
export class Baselines {
  /** Of the program whose windows the samples are of. */
  readonly windowIdentity: string
  readonly #groups = new Map<string, GroupBaseline>()

  constructor(windowIdentity: string) {
    this.windowIdentity = windowIdentity
  }

  /** Null for a group whose windows mean something else, or that has none. */
  of({ key, program }: Group): GroupBaseline | null {
    return program.windowIdentity === this.windowIdentity ? (this.#groups.get(key) ?? null) : null
  }

  all(): Iterable<GroupBaseline> {
    return this.#groups.values()
  }

  /**
   * An event is about to come to the group: the hours before it are closed, and without an open alert the group has the threshold of
   * this hour. `leaving` is called with each baseline that is about to be forgotten.
   */
  admit(group: Group, logTime: EpochMs, savedFor: number, leaving: (baseline: GroupBaseline) => void): void {
    if (group.program.windowIdentity !== this.windowIdentity) return
    const hour = Math.floor(logTime / HOUR_MS)
    const known = this.#groups.get(group.key) ?? this.#add(group.key, hour, savedFor, leaving)
    if (known !== null && known.hour !== hour) {
      settlePeaks(group)
      known.turn(hour)
    }
    if (group.episodes.length > 0) return
    group.adapt(known?.conditionUnder(group.program) ?? withoutBaseline(group.program))
  }

  restore(baseline: GroupBaseline): void {
    this.#groups.set(baseline.key, baseline)
  }

  #add(key: string, hour: number, savedFor: number, leaving: (baseline: GroupBaseline) => void): GroupBaseline | null {
    if (this.#groups.size >= MOST_GROUPS) {
      for (const baseline of this.#groups.values()) {
        if (!baseline.isIdle(hour)) continue
        leaving(baseline)
        this.#groups.delete(baseline.key)
      }
      if (this.#groups.size >= MOST_GROUPS) return null
    }
    const baseline = new GroupBaseline(key, hour, savedFor)
    this.#groups.set(key, baseline)
    return baseline
  }
}

/** The condition that a group had when its alert opened, from what a snapshot holds. */
export const adapted = (program: Program, baseline: Baseline): AdaptiveCondition => {
  const [first, ...others] = program.requirements
  return { ...conditionOf([{ ...first, atLeast: thresholdOf(baseline) }, ...others]), baseline }
}

const FLOORS = new WeakMap<Program, AdaptiveCondition>()

function withoutBaseline(program: Program): AdaptiveCondition {
  const known = FLOORS.get(program)
  if (known !== undefined) return known
  const made = adapted(program, { source: 'floor', samples: 0, median: null, mad: null, floor: program.requirements[0].atLeast })
  FLOORS.set(program, made)
  return made
}
