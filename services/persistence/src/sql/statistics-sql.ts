/**
 * $1 organization, $2 created at or after, $3 created before; null: no such limit. Every alert is in one cell, so that each dimension sums
 * to the total; one pass over an index, the rest over cells.
 */
export const COUNT_CELLS = `
WITH cells AS MATERIALIZED (
  SELECT status, severity, type, source, rule_id, merged_into IS NOT NULL AS merged,
         coalesce(dismiss_reason = 'false positive' AND status = 'dismissed', false) AS false_positive, count(*) AS alerts, max(created_at) AS latest
    FROM alerts
   WHERE organization_id = $1
     AND ($2::timestamptz IS NULL OR created_at >= $2)
     AND ($3::timestamptz IS NULL OR created_at < $3)
   GROUP BY 1, 2, 3, 4, 5, 6, 7
)
SELECT CASE grouping(status, severity, type, source, rule_id)
         WHEN 15 THEN 'status' WHEN 23 THEN 'severity' WHEN 27 THEN 'type' WHEN 29 THEN 'source' WHEN 30 THEN 'rule' END AS dimension,
       coalesce(status, severity, type, source, rule_id) AS value, sum(alerts)::bigint AS alerts,
       coalesce(sum(alerts) FILTER (WHERE false_positive), 0)::bigint AS false_positives, max(latest)::text AS latest
  FROM cells WHERE NOT merged
 GROUP BY GROUPING SETS ((status), (severity), (type), (source), (rule_id))
UNION ALL
SELECT 'merged', NULL, coalesce(sum(alerts), 0)::bigint, 0, NULL FROM cells WHERE merged`

/** $1 organization, $2 rules, $3 when each fired last. */
export const RULE_NAMES = `
SELECT DISTINCT ON (fired.rule_id) fired.rule_id, a.rule ->> 'name' AS name
  FROM unnest($2::text[], $3::text[]) AS fired (rule_id, latest)
  JOIN alerts a ON a.organization_id = $1 AND a.created_at = fired.latest::timestamptz AND a.rule_id = fired.rule_id`

/** As COUNT_CELLS, and $4 severities, $5 seconds to acknowledge within, null where there is no objective. Shares 0.5 and 0.9. */
export const RESPONSE_TIMES = `
SELECT a.severity, count(acknowledged_at) AS acknowledged, count(resolved_at) AS resolved,
       count(*) FILTER (WHERE acknowledged_at <= created_at + make_interval(secs => o.seconds)) AS within_objective,
       percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM acknowledged_at - created_at)::float8) AS acknowledge_seconds,
       percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM resolved_at - created_at)::float8) AS resolve_seconds
  FROM alerts a LEFT JOIN unnest($4::text[], $5::integer[]) AS o (severity, seconds) USING (severity)
 WHERE organization_id = $1
   AND ($2::timestamptz IS NULL OR created_at >= $2)
   AND ($3::timestamptz IS NULL OR created_at < $3)
   AND merged_into IS NULL AND (acknowledged_at IS NOT NULL OR resolved_at IS NOT NULL)
 GROUP BY a.severity`

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
