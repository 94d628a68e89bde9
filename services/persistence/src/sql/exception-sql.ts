/** $1 organization, $2 created at or after, $3 rule (null: all), $4 limit. Newest first. */
export const RECENT_EVIDENCE = `
SELECT id, organization_id, severity, title, rule, "group", created_at,
       (SELECT e.evidence FROM alert_evidence e WHERE e.alert_id = alerts.id AND e.organization_id = $1) AS evidence
  FROM alerts
 WHERE organization_id = $1 AND created_at >= $2 AND ($3::text IS NULL OR rule ->> 'id' = $3)
 ORDER BY created_at DESC, id DESC
 LIMIT $4`
