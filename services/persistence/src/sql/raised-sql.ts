/** $1 organization, $2 dedup key. Two who raise the same key take turns from here, also where it is new. */
export const LOCK_RAISED_KEY = `SELECT pg_advisory_xact_lock(hashtextextended($1 || '/' || $2, 0))`

/** $1 organization, $2 dedup key. `status`: of the alert, where it has arrived. */
export const GET_RAISED = `
SELECT r.openings, r.alert_id, r.open, r.revision, r.count, r.first_seen, r.created_at, r.updated_at, a.status
  FROM raised_alerts r LEFT JOIN alerts a ON a.id = r.alert_id AND a.organization_id = r.organization_id
 WHERE r.organization_id = $1 AND r.dedup_key = $2`

/** $1 organization, $2 alerts that are deleted. */
export const FORGET_RAISED = 'DELETE FROM raised_alerts WHERE organization_id = $1 AND alert_id = ANY ($2::uuid[])'

/** $1 organization, $2 dedup key, then the state. */
export const SET_RAISED = `
INSERT INTO raised_alerts (organization_id, dedup_key, openings, alert_id, open, revision, count, first_seen, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (organization_id, dedup_key) DO UPDATE SET
       openings = excluded.openings, alert_id = excluded.alert_id, open = excluded.open, revision = excluded.revision,
       count = excluded.count, first_seen = excluded.first_seen, created_at = excluded.created_at, updated_at = excluded.updated_at`
