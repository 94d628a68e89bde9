import { ALERT_STATUSES, ALERT_TYPES, SEVERITIES } from '@tocsin/contracts'

/** One column for each word of a closed list, named by it: comparisons cost less than further keys to group by. */
const countedBy = (column: 'status' | 'severity' | 'type', words: readonly string[]): string =>
  words.map((word) => `count(*) FILTER (WHERE ${column} = '${word}') AS "${word}"`).join(', ')

/**
 * $1 organization, $2 created at or after, $3 created before; null: no such limit. Every alert is in one cell, so that each dimension sums
 * to the total; one pass over an index. `rule_name` is that of the cell's latest alert.
 */
export const COUNT_CELLS = `
WITH cells AS MATERIALIZED (
  SELECT source, rule_id, merged_into IS NOT NULL AS merged, count(*) AS alerts, max(created_at) AS latest,
         count(*) FILTER (WHERE dismiss_reason = 'false positive' AND status = 'dismissed') AS false_positives,
         ${countedBy('status', ALERT_STATUSES)},
         ${countedBy('severity', SEVERITIES)},
         ${countedBy('type', ALERT_TYPES)}
    FROM alerts
   WHERE organization_id = $1
     AND ($2::timestamptz IS NULL OR created_at >= $2)
     AND ($3::timestamptz IS NULL OR created_at < $3)
   GROUP BY 1, 2, 3
)
SELECT cells.*,
       (SELECT a.rule ->> 'name' FROM alerts a
         WHERE a.organization_id = $1 AND a.created_at = cells.latest AND a.rule_id = cells.rule_id LIMIT 1) AS rule_name
  FROM cells`

const timesOf = (severity: string, index: number): string => {
  const among = `severity = ${index + 1}`
  const shares = (time: string) => `percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY ${time}) FILTER (WHERE ${among})`
  return `
       count(acknowledge) FILTER (WHERE ${among}) AS "${severity} acknowledged", count(resolve) FILTER (WHERE ${among}) AS "${severity} resolved",
       count(*) FILTER (WHERE ${among} AND acknowledge <= ($5::integer[])[${index + 1}]) AS "${severity} within",
       ${shares('acknowledge')} AS "${severity} acknowledge", ${shares('resolve')} AS "${severity} resolve"`
}

/**
 * As COUNT_CELLS, $4 the severities as the contract lists them, $5 for each the seconds to acknowledge within, null where there is no objective.
 * One row; seconds, of shares 0.5 and 0.9. Severities are numbers and columns, because to group would sort all by a text first; OFFSET 0 keeps
 * what is inside from being computed for each column.
 */
export const RESPONSE_TIMES = `
SELECT ${SEVERITIES.map(timesOf).join(',')}
  FROM (SELECT array_position($4::text[], severity) AS severity,
               date_part('epoch', acknowledged_at - created_at) AS acknowledge, date_part('epoch', resolved_at - created_at) AS resolve
          FROM alerts
         WHERE organization_id = $1
           AND ($2::timestamptz IS NULL OR created_at >= $2)
           AND ($3::timestamptz IS NULL OR created_at < $3)
           AND merged_into IS NULL AND (acknowledged_at IS NOT NULL OR resolved_at IS NOT NULL)
        OFFSET 0) AS times`

/** $1 organization, $2 from, $3 to, $4 hour, day or week, $5 zone, $6 its length as an interval. Every bucket, with and without alerts. */
export const TREND = `
WITH counts AS (
  SELECT date_trunc($4, created_at, $5) AS bucket, severity, count(*) AS alerts
    FROM alerts
   WHERE organization_id = $1 AND created_at >= $2 AND created_at < $3 AND merged_into IS NULL
   GROUP BY 1, 2
)
SELECT b.bucket, c.severity, coalesce(c.alerts, 0) AS alerts
  FROM generate_series(date_trunc($4, $2::timestamptz, $5), $3::timestamptz - interval '1 microsecond', $6::interval, $5) AS b (bucket)
  LEFT JOIN counts c ON c.bucket = b.bucket
 ORDER BY b.bucket`
