import type { Group } from '../group.ts'
import { saturatingAdd } from '../held/saturating.ts'
import type { EpochMs } from '../time.ts'
import type { Interval } from '../truth/stretches.ts'
import type { Counted } from './count-events.ts'
import { Episode, type Opening } from './episode.ts'
import { offer, releaseAll } from './evidence.ts'

/** What is told of an alert's first true moment. */
export interface FirstMoment {
  readonly firstTrue: EpochMs
  readonly firstSeen: EpochMs
  readonly windowValue: number
}

export interface Affected {
  readonly target: Episode
  readonly counted: readonly Counted[]
  readonly moment: FirstMoment | null
}

/** The alert to which new truth belongs: a new one, or the oldest of those it reaches, with the others joined to it. */
export function episodeOf(group: Group, found: readonly Interval[], open: () => Opening): Affected {
  const first = found[0] as Interval
  const last = found[found.length - 1] as Interval
  const reached = group.episodes.reachedBy(first.from, last.to, group.reachMs)
  if (reached.length === 0) {
    const target = new Episode(open(), first, group.program.severity)
    target.lowerBound = group.floor !== null
    group.addEpisode(target)
    return { target, counted: [], moment: null }
  }
  const target = reached.reduce((oldest, each) => (each.opening.offset < oldest.opening.offset ? each : oldest))
  const earliest = reached.reduce((one, each) => (each.firstTrue < one.firstTrue ? each : one))
  const moment = { firstTrue: earliest.firstTrue, firstSeen: earliest.firstSeen, windowValue: earliest.windowValue }
  const counted = reached.map(({ firstSeen, lastSeen }) => ({ from: firstSeen, to: lastSeen }))
  for (const other of reached) if (other !== target) join(group, target, other)
  return { target, counted, moment }
}

function join(group: Group, target: Episode, other: Episode): void {
  for (const stretch of other.stretches.all()) target.addStretch(stretch)
  if (other.end > target.end) {
    target.end = other.end
    target.endForClosing = other.endForClosing
  }
  target.firstTrue = Math.min(target.firstTrue, other.firstTrue)
  target.firstSeen = Math.min(target.firstSeen, other.firstSeen)
  target.lastSeen = Math.max(target.lastSeen, other.lastSeen)
  target.count += other.count
  target.total = saturatingAdd(target.total, other.total)
  target.peak = Math.max(target.peak, other.peak)
  target.live ||= other.live
  target.lowerBound ||= other.lowerBound
  target.lastCountedAt = Math.max(target.lastCountedAt, other.lastCountedAt)
  target.countedAt = Math.max(target.countedAt, other.countedAt)
  target.changed = true
  target.raise(other.severity)
  for (const value of other.noted) target.note(value)
  const { evidence, condition } = group
  // The other shows its own once more.
  for (const snapshot of new Set([...other.evidence.first, ...other.evidence.newest]))
    offer(evidence, target.evidence, evidence.copy(snapshot), condition.firstKept)
  group.episodes.remove((episode) => episode === other)
  // One that this record opened has never been told of.
  if (other.revision > 0) group.end(other, target.opening.id)
  else releaseAll(evidence, other.evidence)
}
