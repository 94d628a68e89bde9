/**
 * Keeps an organization within its limits (detection.md §1, caps; docs/detection.md D26).
 *
 * 1. Lateness goes first: of the events that arrived more than their rule's span ago, the one that came first.
 * 2. Then whole groups without an open alert, the one whose last event came first (ties: rule id, group).
 * 3. Where every group has an open alert, events within the span go after all, so that memory stays bounded; alerts keep what
 *    was decided.
 *
 * The order among equals is total, so that an engine restored from a snapshot lets the same events go.
 */
import type { Counters } from '../counters.ts'
import type { Group } from '../group.ts'
import { orderOf } from '../matching/group-name.ts'
import type { Organization } from '../organization.ts'
import type { EpochMs } from '../time.ts'
import type { EngineLimits } from './limits.ts'
import { OrderedHeap } from './ordered-heap.ts'

/** The indexes are forgotten below this part of the limits. */
const AT_EASE = 0.9

/** A group by an arrival in it, which may have moved on since: never later than the true one. */
interface Entry {
  readonly arrival: EpochMs
  readonly group: Group
}

type ArrivalOf = (group: Group) => EpochMs

/** Groups in order of (arrival, rule id, group key); an entry that has moved on is put back where it belongs. */
class GroupsByArrival {
  readonly #arrivalOf: ArrivalOf
  readonly #isWanted: (group: Group) => boolean
  readonly #heap = new OrderedHeap<Entry>(isBefore)
  readonly #inside = new Set<Group>()

  constructor(arrivalOf: ArrivalOf, isWanted: (group: Group) => boolean) {
    this.#arrivalOf = arrivalOf
    this.#isWanted = isWanted
  }

  offer(group: Group): void {
    if (this.#inside.has(group) || !this.#isWanted(group)) return
    this.#inside.add(group)
    this.#heap.push({ arrival: this.#arrivalOf(group), group })
  }

  first(): Group | null {
    for (;;) {
      const entry = this.#heap.first
      if (entry === undefined) return null
      const { group } = entry
      const wanted = this.#isWanted(group)
      if (wanted && this.#arrivalOf(group) === entry.arrival) return group
      this.#heap.pop()
      if (wanted) this.#heap.push({ arrival: this.#arrivalOf(group), group })
      else this.#inside.delete(group)
    }
  }
}

/** Which events and groups of a full organization go next. Built when it is full, and a pure index of what is held. */
export class Shedding {
  readonly #oldestEvents = new Map<string, GroupsByArrival>()
  readonly #idleGroups = new GroupsByArrival(
    (group) => group.newestArrival(),
    ({ size, episodes }) => size > 0 && episodes.length === 0,
  )

  constructor(organization: Organization) {
    for (const { groups } of organization.rules.values()) for (const group of groups.values()) this.offer(group)
  }

  /** To be called when a group has taken an event in or has no open alert any more. */
  offer(group: Group): void {
    const { ruleId } = group.owner
    let byRule = this.#oldestEvents.get(ruleId)
    if (byRule === undefined) {
      byRule = new GroupsByArrival(
        (group) => group.oldestArrival(),
        ({ size }) => size > 0,
      )
      this.#oldestEvents.set(ruleId, byRule)
    }
    byRule.offer(group)
    this.#idleGroups.offer(group)
  }

  /** The group whose oldest event goes next; with `beyondSpan` only where that came more than the rule's span ago. */
  nextEvent(now: EpochMs, beyondSpan: boolean): Group | null {
    let next: Entry | null = null
    for (const byRule of this.#oldestEvents.values()) {
      const group = byRule.first()
      if (group === null) continue
      const entry = { arrival: group.oldestArrival(), group }
      if (beyondSpan && now - entry.arrival <= group.spanMs) continue
      if (next === null || isBefore(entry, next)) next = entry
    }
    return next?.group ?? null
  }

  nextGroup(): Group | null {
    return this.#idleGroups.first()
  }
}

/** What the engine does about a group that has to give. */
export interface GroupKeeper {
  /** Called before a group changes. */
  touch(group: Group): void
  /** Called when it may have become empty. */
  forgetIfEmpty(group: Group): void
}

/** Brings the organization back within its limits. */
export function makeRoom(
  organization: Organization,
  limits: EngineLimits,
  now: EpochMs,
  counters: Counters,
  keeper: GroupKeeper,
): void {
  const { eventsPerOrganization, groupsPerOrganization } = limits
  if (organization.held <= eventsPerOrganization && organization.groups <= groupsPerOrganization) {
    const isAtEase = organization.held < eventsPerOrganization * AT_EASE && organization.groups < groupsPerOrganization * AT_EASE
    if (isAtEase) organization.shedding = null
    return
  }
  organization.shedding ??= new Shedding(organization)
  shed(organization, organization.shedding, limits, now, counters, keeper)
}

function shed(
  organization: Organization,
  shedding: Shedding,
  { eventsPerOrganization, groupsPerOrganization }: EngineLimits,
  now: EpochMs,
  counters: Counters,
  { touch, forgetIfEmpty }: GroupKeeper,
): void {
  const dropOldest = (group: Group): void => {
    touch(group)
    group.dropOldestArrival()
    forgetIfEmpty(group)
    counters.latenessShortened++
  }
  const dropGroup = (group: Group): void => {
    touch(group)
    group.forgetEvents()
    forgetIfEmpty(group)
    counters.groupEvicted++
  }
  while (organization.held > eventsPerOrganization) {
    const late = shedding.nextEvent(now, true)
    if (late !== null) dropOldest(late)
    else {
      const idle = shedding.nextGroup()
      const any = idle === null ? shedding.nextEvent(now, false) : null
      if (idle !== null) dropGroup(idle)
      else if (any !== null) dropOldest(any)
      else return
    }
  }
  while (organization.groups > groupsPerOrganization) {
    const idle = shedding.nextGroup()
    if (idle === null) return
    dropGroup(idle)
  }
}

function isBefore({ arrival, group }: Entry, other: Entry): boolean {
  if (arrival !== other.arrival) return arrival < other.arrival
  if (group.owner.ruleId !== other.group.owner.ruleId) return group.owner.ruleId < other.group.owner.ruleId
  return orderOf(group.program.rule, group) < orderOf(other.group.program.rule, other.group)
}
