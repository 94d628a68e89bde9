import { Baselines, type GroupBaseline } from './baselines/baselines.ts'
import type { Group } from './group.ts'
import type { Organization } from './organization.ts'
import type { Calendar } from './rules/calendar.ts'
import type { Program } from './rules/program.ts'

const MOST_NAME_LISTS = 1000

/** What the engine does about the groups of a rule while another version takes over. */
export interface GroupWatch {
  /** Called before a group changes. */
  touch(group: Group): void
  /** Called before what is known of a group's baseline is forgotten. */
  leaving(owner: RuleInstance, baseline: GroupBaseline): void
  /** Called when alerts of it have ended, while the group is still what they were made of. */
  ended(group: Group): void
}

/** One rule in one organization: the version in force, those that open alerts still hold to, and the groups. */
export class RuleInstance {
  readonly organization: Organization
  readonly ruleId: string
  /** Null while the rule is paused or retired. */
  current: Program | null = null
  /** Of the version in force, for every version: a night is that of the calendar in force at the record. */
  calendar: Calendar | null = null
  /** Null for a rule without adaptive thresholds. */
  baselines: Baselines | null = null
  readonly groups = new Map<string, Group>()
  /** Lists of one name, shared by the groups that know no other. */
  readonly #nameLists = new Map<string, readonly string[]>()
  /** Groups that stay with an earlier version, by version. */
  readonly #pinned = new Map<Program, number>()

  constructor(organization: Organization, ruleId: string) {
    this.organization = organization
    this.ruleId = ruleId
  }

  /** Earlier versions that open alerts still hold to. */
  pinnedPrograms(): Iterable<Program> {
    return this.#pinned.keys()
  }

  /** Puts another version in force (detection.md §4). */
  setProgram(program: Program | null, calendar: Calendar | null, { touch, leaving, ended }: GroupWatch): void {
    this.calendar = calendar
    if (program?.fingerprint === this.current?.fingerprint) return
    for (const group of this.groups.values()) touch(group)
    const former = this.current
    this.current = program
    const kept = program?.rule.hasBaseline === true ? program.windowIdentity : null
    if (kept !== (this.baselines?.windowIdentity ?? null)) {
      for (const baseline of this.baselines?.all() ?? []) leaving(this, baseline)
      this.baselines = kept === null ? null : new Baselines(kept)
    }
    for (const group of this.groups.values()) {
      if (program === null) {
        group.endAll()
        ended(group)
        group.forgetEvents()
      } else if (group.episodes.length === 0) group.adopt(program)
      else if (group.program === former) this.pin(group.program)
    }
    if (program === null) this.#unpinAll()
  }

  pin(program: Program): void {
    this.#pinned.set(program, (this.#pinned.get(program) ?? 0) + 1)
    this.organization.pinned.add(this)
  }

  nameList(name: string): readonly string[] {
    const known = this.#nameLists.get(name)
    if (known !== undefined) return known
    if (this.#nameLists.size >= MOST_NAME_LISTS) this.#nameLists.clear()
    const list = [name]
    this.#nameLists.set(name, list)
    return list
  }

  /** A group without an open alert goes over to the version in force. */
  settle(group: Group): void {
    if (group.episodes.length > 0 || this.current === null || group.program === this.current) return
    const left = (this.#pinned.get(group.program) ?? 0) - 1
    if (left > 0) this.#pinned.set(group.program, left)
    else this.#pinned.delete(group.program)
    if (this.#pinned.size === 0) this.#unpinAll()
    group.adopt(this.current)
  }

  #unpinAll(): void {
    this.#pinned.clear()
    this.organization.pinned.delete(this)
  }
}
