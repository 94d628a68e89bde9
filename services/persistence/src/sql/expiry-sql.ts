/** $1 limit. Those that have waited longest first. */
export const DUE_ORGANIZATIONS = `
SELECT organization_id FROM alerts JOIN organizations o ON o.id = organization_id AND o.deleted_at IS NULL
 WHERE acknowledgement_expires_at <= now() AND status = 'acknowledged'
 GROUP BY organization_id ORDER BY min(acknowledgement_expires_at) LIMIT $1`

/** $1 organization, $2 limit. Those that nobody else holds, until the transaction ends. */
export const LOCK_DUE_ALERTS = `
SELECT id, now() AS now FROM alerts
 WHERE organization_id = $1 AND acknowledgement_expires_at <= now() AND status = 'acknowledged'
 ORDER BY acknowledgement_expires_at LIMIT $2
   FOR UPDATE SKIP LOCKED`
