import {
  ALERT_STATUSES,
  ALERT_TYPES,
  type AlertStatistics,
  type AlertTrend,
  SEVERITIES,
  type Severity,
  type TrendBucket,
} from '@tocsin/contracts'
import type { Query } from '@tocsin/postgres'
import { COUNT_CELLS, RESPONSE_TIMES, RULE_NAMES, TREND } from '../sql/statistics-sql.ts'

/** The seed's response objectives, seconds to acknowledge within: "immediate" as 15 minutes. Of INFO nobody expects an answer. */
export const OBJECTIVE_SECONDS: Readonly<Record<Severity, number | null>> = {
  CRITICAL: 900,
  HIGH: 3_600,
  MEDIUM: 14_400,
  LOW: 86_400,
  INFO: null,
}

/** RFC 3339; null: no limit. */
export interface TimeRange {
  readonly from: string | null
  readonly to: string | null
}

interface CellRow {
  readonly dimension: 'status' | 'severity' | 'type' | 'source' | 'rule' | 'merged'
  readonly value: string | null
  readonly alerts: bigint
  readonly false_positives: bigint
  readonly latest: string | null
}
interface ResponseRow {
  readonly severity: Severity
  readonly acknowledged: bigint
  readonly resolved: bigint
  readonly within_objective: bigint
  readonly acknowledge_seconds: readonly (number | null)[] | null
  readonly resolve_seconds: readonly (number | null)[] | null
}

/** In one snapshot, so that all of it is of the same alerts. */
export async function readStatistics(query: Query, organizationId: string, { from, to }: TimeRange): Promise<AlertStatistics> {
  const range = [organizationId, from, to]
  const cells = await query<CellRow>(COUNT_CELLS, range)
  const times = await query<ResponseRow>(RESPONSE_TIMES, [
    ...range,
    SEVERITIES,
    SEVERITIES.map((severity) => OBJECTIVE_SECONDS[severity]),
  ])
  const of = (dimension: CellRow['dimension']) => cells.filter((cell) => cell.dimension === dimension)
  const counts = <T extends string>(dimension: CellRow['dimension'], words: readonly T[]) => {
    const found = new Map(of(dimension).map(({ value, alerts }) => [value, Number(alerts)]))
    return Object.fromEntries(words.map((word) => [word, found.get(word) ?? 0])) as Record<T, number>
  }
  const byStatus = counts('status', ALERT_STATUSES)
  return {
    from,
    to,
    total: Object.values(byStatus).reduce((sum, count) => sum + count, 0),
    merged: Number(of('merged')[0]?.alerts ?? 0n),
    byStatus,
    bySeverity: counts('severity', SEVERITIES),
    byType: counts('type', ALERT_TYPES),
    bySource: of('source')
      .map(({ value, alerts }) => ({ source: value ?? '', count: Number(alerts) }))
      .toSorted((a, b) => b.count - a.count),
    byRule: await rulesOf(query, organizationId, of('rule')),
    responseTimes: Object.fromEntries(
      SEVERITIES.map((severity) => [
        severity,
        responseOf(
          severity,
          times.find((row) => row.severity === severity),
        ),
      ]),
    ) as AlertStatistics['responseTimes'],
  }
}

async function rulesOf(query: Query, organizationId: string, cells: readonly CellRow[]): Promise<AlertStatistics['byRule']> {
  const rows = await query<{ rule_id: string; name: string | null }>(RULE_NAMES, [
    organizationId,
    cells.map(({ value }) => value),
    cells.map(({ latest }) => latest),
  ])
  const names = new Map(rows.map(({ rule_id, name }) => [rule_id, name]))
  return cells
    .map(({ value, alerts, false_positives, latest }) => ({
      ruleId: value ?? '',
      name: names.get(value ?? '') ?? '',
      fires: Number(alerts),
      falsePositives: Number(false_positives),
      falsePositiveShare: Number(false_positives) / Number(alerts),
      lastFired: new Date(latest ?? 0).toISOString(),
    }))
    .toSorted((a, b) => b.fires - a.fires)
}

function responseOf(severity: Severity, row: ResponseRow | undefined): AlertStatistics['responseTimes'][Severity] {
  const answered = (count: bigint | undefined, seconds: readonly (number | null)[] | null | undefined) => ({
    count: Number(count ?? 0n),
    medianSeconds: seconds?.[0] ?? null,
    p90Seconds: seconds?.[1] ?? null,
  })
  return {
    objectiveSeconds: OBJECTIVE_SECONDS[severity],
    acknowledged: answered(row?.acknowledged, row?.acknowledge_seconds),
    withinObjective: Number(row?.within_objective ?? 0n),
    resolved: answered(row?.resolved, row?.resolve_seconds),
  }
}

/** As text of an interval. */
const LENGTHS: Readonly<Record<TrendBucket, string>> = { hour: '1 hour', day: '1 day', week: '1 week' }

/** `from` and `to` RFC 3339. Days and weeks begin in `zone`. */
export async function readTrend(
  query: Query,
  organizationId: string,
  asked: { readonly bucket: TrendBucket; readonly zone: string; readonly from: string; readonly to: string },
): Promise<AlertTrend> {
  const { bucket, zone, from, to } = asked
  const rows = await query<{ bucket: Date; severity: Severity | null; alerts: bigint }>(TREND, [
    organizationId,
    from,
    to,
    bucket,
    zone,
    LENGTHS[bucket],
  ])
  const buckets = new Map<string, AlertTrend['buckets'][number]>()
  for (const row of rows) {
    const at = row.bucket.toISOString()
    const known = buckets.get(at) ?? { from: at, total: 0, bySeverity: { CRITICAL: 0, HIGH: 0, MEDIUM: 0, LOW: 0, INFO: 0 } }
    buckets.set(at, known)
    if (row.severity === null) continue
    known.total += Number(row.alerts)
    known.bySeverity[row.severity] += Number(row.alerts)
  }
  return { bucket, zone, buckets: [...buckets.values()] }
}
