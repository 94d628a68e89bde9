/** What log time does to a group: events that are over, alerts that close, revisions that are due. */
import { severityRank } from '@tocsin/contracts'
import { isEmpty } from './model-limits.ts'
import type { Episode, Group, ModelFigures } from './model-types.ts'

const SECOND = 1000

const lastArrival = ({ counted }: Episode): number => Math.max(...[...counted].map((event) => event.arrival))

/** Events that are over go, and with them the times that were decided for them. */
export function letGo(group: Group, logTime: number): void {
  group.held = group.held.filter((held) => logTime <= held.arrival + group.terms.retentionMs)
  if (isEmpty(group)) group.floor = undefined
  const times = new Set(group.held.map(({ t }) => t))
  group.decided = new Set([...group.decided].filter((t) => times.has(t)))
}

/** A broker's clock fell back (D7). */
export function setBack(group: Group, logTime: number): void {
  for (const event of group.held) event.arrival = Math.min(event.arrival, logTime)
  for (const episode of group.episodes) {
    for (const event of episode.counted) event.arrival = Math.min(event.arrival, logTime)
    episode.trueUntil = Math.min(episode.trueUntil, logTime)
    episode.lastRevisionAt = Math.min(episode.lastRevisionAt, logTime)
    episode.countedAt = Math.min(episode.countedAt, logTime)
  }
}

export const isOver = ({ terms }: Group, episode: Episode, logTime: number): boolean =>
  logTime > Math.max(episode.trueUntil, lastArrival(episode) + terms.spanMs) + terms.retentionMs

export function isWorthTelling(episode: Episode, logTime: number): boolean {
  const { figures, published, pattern } = episode
  if (JSON.stringify(figures) === JSON.stringify(published)) return false
  const size = (of: ModelFigures) => (pattern.sum ? of.total : of.count)
  // D41: but for the last digits of a sum of fractions.
  const grown = size(figures) * (1 + 1e-12) >= 1.5 * size(published) && size(figures) > size(published)
  const worse = severityRank(figures.severity) > severityRank(published.severity)
  const minute = logTime - episode.lastRevisionAt >= 60 * SECOND
  const quiet = logTime - episode.countedAt >= 10 * SECOND
  return grown || worse || minute || quiet
}
