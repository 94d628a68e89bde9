import {
  ALERT_STATUSES,
  ALERT_TYPES,
  type AlertStatistics,
  type AlertStatus,
  type AlertTrend,
  type AlertType,
  SEVERITIES,
  type Severity,
  type TrendBucket,
} from '@tocsin/contracts'
import type { Query } from '@tocsin/postgres'
import { COUNT_CELLS, RESPONSE_TIMES, TREND } from '../sql/statistics-sql.ts'

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

type CellRow = Readonly<Record<AlertStatus | Severity | AlertType, bigint>> & {
  readonly source: string
  readonly rule_id: string | null
  readonly rule_name: string | null
  readonly merged: boolean
  readonly alerts: bigint
  readonly false_positives: bigint
  readonly latest: Date
}
type ResponseRow = Readonly<Record<`${Severity} ${'acknowledged' | 'resolved' | 'within'}`, bigint>> &
  Readonly<Record<`${Severity} ${'acknowledge' | 'resolve'}`, readonly (number | null)[] | null>>

/** In one snapshot, so that all of it is of the same alerts. */
export async function readStatistics(query: Query, organizationId: string, { from, to }: TimeRange): Promise<AlertStatistics> {
  const range = [organizationId, from, to]
  const all = await query<CellRow>(COUNT_CELLS, range)
  const objectives = SEVERITIES.map((severity) => OBJECTIVE_SECONDS[severity])
  const [times] = await query<ResponseRow>(RESPONSE_TIMES, [...range, SEVERITIES, objectives])
  const cells = all.filter(({ merged }) => !merged)
  const counts = <T extends AlertStatus | Severity | AlertType>(words: readonly T[]) =>
    Object.fromEntries(words.map((word) => [word, sumOf(cells, word)])) as Record<T, number>
  return {
    from,
    to,
    total: sumOf(cells, 'alerts'),
    merged: sumOf(all, 'alerts') - sumOf(cells, 'alerts'),
    byStatus: counts(ALERT_STATUSES),
    bySeverity: counts(SEVERITIES),
    byType: counts(ALERT_TYPES),
    bySource: [...Map.groupBy(cells, ({ source }) => source)]
      .map(([source, among]) => ({ source, count: sumOf(among, 'alerts') }))
      .toSorted((a, b) => b.count - a.count),
    byRule: [...Map.groupBy(cells, ({ rule_id }) => rule_id ?? '')]
      .map(([ruleId, among]) => firesOf(ruleId, among))
      .toSorted((a, b) => b.fires - a.fires),
    responseTimes: Object.fromEntries(
      SEVERITIES.map((severity) => [severity, responseOf(severity, times)]),
    ) as AlertStatistics['responseTimes'],
  }
}

const sumOf = (cells: readonly CellRow[], column: 'alerts' | 'false_positives' | AlertStatus | Severity | AlertType): number =>
  cells.reduce((sum, cell) => sum + Number(cell[column]), 0)

/** `among`: at least one. */
function firesOf(ruleId: string, among: readonly CellRow[]): AlertStatistics['byRule'][number] {
  const [latest] = among.toSorted((a, b) => b.latest.getTime() - a.latest.getTime())
  const [fires, falsePositives] = [sumOf(among, 'alerts'), sumOf(among, 'false_positives')]
  return {
    ruleId,
    name: latest?.rule_name ?? '',
    fires,
    falsePositives,
    falsePositiveShare: falsePositives / fires,
    lastFired: (latest?.latest ?? new Date(0)).toISOString(),
  }
}

function responseOf(severity: Severity, times: ResponseRow | undefined): AlertStatistics['responseTimes'][Severity] {
  const answered = (count: bigint | undefined, seconds: readonly (number | null)[] | null | undefined) => ({
    count: Number(count ?? 0n),
    medianSeconds: seconds?.[0] ?? null,
    p90Seconds: seconds?.[1] ?? null,
  })
  return {
    objectiveSeconds: OBJECTIVE_SECONDS[severity],
    acknowledged: answered(times?.[`${severity} acknowledged`], times?.[`${severity} acknowledge`]),
    withinObjective: Number(times?.[`${severity} within`] ?? 0n),
    resolved: answered(times?.[`${severity} resolved`], times?.[`${severity} resolve`]),
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
