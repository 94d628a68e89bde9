/** What a full group and a full organization let go (detection.md §1, caps; docs/detection.md, D25 and D26). */
import type { Group, HeldEvent } from './model-types.ts'

export interface ModelLimits {
  readonly eventsPerGroup: number
  readonly eventsPerOrganization: number
  readonly groupsPerOrganization: number
}

export const NO_LIMITS: ModelLimits = {
  eventsPerGroup: Number.POSITIVE_INFINITY,
  eventsPerOrganization: Number.POSITIVE_INFINITY,
  groupsPerOrganization: Number.POSITIVE_INFINITY,
}

export const isEmpty = ({ held, episodes }: Group): boolean => held.length === 0 && episodes.length === 0

/** Drops the oldest of an overfull group and returns it. Of equal times the engine goes by the id's hash, which the model does not know. */
export function dropOldest(group: Group): { readonly dropped: HeldEvent; readonly isTie: boolean } {
  const first = Math.min(...group.held.map(({ t }) => t))
  const oldest = group.held.filter(({ t }) => t === first)
  const dropped = oldest[0] as HeldEvent
  group.held = group.held.filter((event) => event !== dropped)
  group.floor = dropped.t
  return { dropped, isTie: oldest.length > 1 }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const nameOf = ({ group, night }: Group): string =>
  [...Object.entries(group).flat(), night?.begin ?? '', night?.end ?? ''].join('\0')
const byName = (a: Group, b: Group): number => compare(a.ruleId, b.ruleId) || compare(nameOf(a), nameOf(b))

const firstArrival = ({ held }: Group): number => Math.min(...held.map(({ arrival }) => arrival))
const lastArrival = ({ held }: Group): number => Math.max(...held.map(({ arrival }) => arrival))

/** Of the groups of each rule the one with the oldest arrival; of these, the first. */
function oldestOf(groups: readonly Group[], isAllowed: (group: Group) => boolean): Group | undefined {
  const sorted = groups.filter(({ held }) => held.length > 0).sort((a, b) => firstArrival(a) - firstArrival(b) || byName(a, b))
  const firsts = sorted.filter((group, i) => sorted.findIndex(({ ruleId }) => ruleId === group.ruleId) === i)
  return firsts.filter(isAllowed)[0]
}

/** Brings one organization's groups within its limits; returns what it counted. */
export function makeRoom(
  groups: readonly Group[],
  limits: ModelLimits,
  logTime: number,
): { latenessShortened: number; groupEvicted: number } {
  const counted = { latenessShortened: 0, groupEvicted: 0 }
  const held = () => groups.reduce((sum, group) => sum + group.held.length, 0)
  const idle = () =>
    groups
      .filter((group) => group.held.length > 0 && group.episodes.length === 0)
      .sort((a, b) => lastArrival(a) - lastArrival(b) || byName(a, b))[0]
  const dropFirst = (group: Group) => {
    const at = group.held.findIndex(({ arrival }) => arrival === firstArrival(group))
    group.held.splice(at, 1)
    counted.latenessShortened += 1
  }
  const dropGroup = (group: Group) => {
    group.held = []
    counted.groupEvicted += 1
  }
  while (held() > limits.eventsPerOrganization) {
    const late = oldestOf(groups, (group) => logTime - firstArrival(group) > group.terms.spanMs)
    const whole = late === undefined ? idle() : undefined
    const any = whole === undefined ? oldestOf(groups, () => true) : undefined
    if (late !== undefined) dropFirst(late)
    else if (whole !== undefined) dropGroup(whole)
    else if (any !== undefined) dropFirst(any)
    else break
  }
  while (groups.filter((group) => !isEmpty(group)).length > limits.groupsPerOrganization) {
    const whole = idle()
    if (whole === undefined) break
    dropGroup(whole)
  }
  return counted
}
