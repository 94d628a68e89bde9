import type { AuditEvent, OrganizationSettings } from '@tocsin/contracts'
import { severityRank } from '@tocsin/contracts'
import type { Interval } from './model-nights.ts'
import { isNotable } from './model-patterns.ts'
import type { Episode, Group, HeldEvent, ModelFigures, Moment } from './model-types.ts'
import { covers, peakOf, windowAt } from './model-windows.ts'

/** First events shown, and newest. */
const MAX_EVIDENCE = 25

/** Before anything has been counted. */
export const NOTHING: Omit<ModelFigures, 'spanMs' | 'threshold'> = {
  severity: 'INFO',
  count: 0,
  total: 0,
  peak: Number.NEGATIVE_INFINITY,
  firstSeen: Number.POSITIVE_INFINITY,
  lastSeen: Number.NEGATIVE_INFINITY,
  windowFrom: 0,
  windowTo: Number.NaN,
  windowValue: 0,
  backfilled: false,
  metadata: {},
  evidence: [],
}

const LOWER_BOUND = { countIsLowerBound: true }

/** From a full group's first dropped event on, the counts of its alerts are lower bounds (D25). */
export function setLowerBounds({ episodes }: Group): void {
  for (const episode of episodes) {
    episode.lowerBound = true
    episode.figures = { ...episode.figures, metadata: { ...episode.figures.metadata, ...LOWER_BOUND } }
  }
}

/**
 * Figures only ever grow: what was decided by events that are held no more stays.
 * @param truth all stretches, old and new
 * @param moments all true moments of a settled condition, old and new
 */
export function extend(
  group: Group,
  episode: Episode,
  others: readonly Episode[],
  truth: Interval[],
  moments: readonly Moment[],
  settings: OrganizationSettings,
): void {
  const { night } = group
  const { pattern, spanMs, threshold } = group.terms
  const all = [episode, ...others]
  const before = all.map(({ figures }) => figures)
  const counting = group.held.filter((event) => !event.escalates)
  const opening = truth[0]?.begin ?? Number.NaN
  const inOpening = night === undefined ? windowAt(counting, opening, spanMs) : counting
  const settled = pattern.settled !== undefined
  const firstMoment = [...moments].sort((a, b) => a.t - b.t)[0]
  const firstOfOpening = settled ? [firstMoment?.firstSeen ?? Number.NaN] : inOpening.map((event) => event.t)
  const firstSeen = Math.min(...before.map((figures) => figures.firstSeen), ...firstOfOpening)
  const trueTimes = settled ? moments.map(({ t }) => t) : counting.map((event) => event.t).filter((t) => covers(truth, t))
  const lastSeen = Math.max(...before.map((figures) => figures.lastSeen), ...trueTimes)
  const counted = new Set([
    ...all.flatMap((each) => [...each.counted]),
    ...counting.filter((event) => firstSeen <= event.t && event.t <= lastSeen),
  ])
  const peakNow = settled
    ? Math.max(...moments.map(({ value }) => value))
    : night === undefined
      ? peakOf(counting, spanMs, truth, pattern.value)
      : counting.length
  const peak = Math.max(...before.map((figures) => figures.peak), peakNow)
  const valueNow = settled
    ? (firstMoment?.value ?? Number.NaN)
    : night === undefined
      ? pattern.value(inOpening)
      : counting.filter((event) => event.t <= opening).length
  const sameOpening = all.filter((each) => each.truth[0]?.begin === opening).map(({ figures }) => figures)
  const ends = (intervals: readonly Interval[]) => Math.max(Number.NEGATIVE_INFINITY, ...intervals.map(({ end }) => end))
  const longer = ends(truth) > Math.max(...all.map((each) => ends(each.truth)))
  episode.trueUntil = longer ? ends(truth) : Math.max(...all.map((each) => each.trueUntil))
  episode.truth = truth
  episode.moments = moments
  episode.counted = counted
  episode.escalated =
    all.some(({ escalated }) => escalated) || group.held.some((event) => event.escalates && covers(truth, event.t))
  episode.lowerBound = group.floor !== undefined || all.some(({ lowerBound }) => lowerBound)
  const sensitive = [...counted].some(({ event }) => isNotable(pattern, event))
  const level = pattern.severity({ peak: 0, threshold, escalated: false, sensitive: false })
  const stepped = pattern.severity({ peak, threshold, escalated: episode.escalated, sensitive })
  // Steps only raise; what an organization sets takes the place of the rule's level (D61).
  const severities = [
    group.terms.severity ?? level,
    ...(stepped === level ? [] : [stepped]),
    ...before.map((figures) => figures.severity),
  ]
  const sum = pattern.sum ? pattern.value([...counted]) : counted.size
  episode.figures = {
    severity: severities.sort((a, b) => severityRank(b) - severityRank(a))[0] ?? level,
    count: counted.size,
    total: sum,
    peak,
    firstSeen,
    lastSeen,
    windowFrom: night?.begin ?? (pattern.settled === 'ahead' ? opening : opening - spanMs),
    windowTo: night?.end ?? (pattern.settled === 'ahead' ? opening + spanMs : opening),
    windowValue: settled ? valueNow : Math.max(valueNow, ...sameOpening.map((figures) => figures.windowValue)),
    spanMs,
    threshold,
    backfilled: [...counted].every((event) => event.late),
    metadata: {
      ...pattern.metadata({
        counted: [...counted].map(({ event }) => event),
        held: [...counted],
        total: sum,
        spanMs,
        group: group.group,
        settings,
      }),
      ...(episode.lowerBound ? LOWER_BOUND : {}),
    },
    evidence: evidenceOf([...counted], threshold),
  }
}

function evidenceOf(counted: readonly HeldEvent[], threshold: number): string[] {
  const sorted = [...counted].sort((a, b) => a.t - b.t || (a.id < b.id ? -1 : 1))
  const first = Math.min(threshold, MAX_EVIDENCE)
  return sorted.filter((_, i) => i < first || i >= sorted.length - MAX_EVIDENCE).map(({ id }) => id)
}

/** What two copies of an id must have in common to be the same event (D11). */
export const contentOf = (event: AuditEvent): string =>
  JSON.stringify([
    event.timestamp,
    event.action,
    event.status,
    event.outcome,
    event.outcomeDescription,
    event.category,
    event.operation,
    event.dataClassification,
    event.principalId,
    event.targetResourceType,
    event.targetResourceId,
    event.sessionContext?.ipAddress,
    event.sessionContext?.sessionId,
    event.recordCount,
    event.bytes,
  ])
