const KEPT = `interval '24 hours'`

/**
 * $1 organization, $2 actor, $3 key, $4 fingerprint. Waits for whoever claims the same at this moment. No row: it was claimed before,
 * and its time is not over.
 */
export const CLAIM_KEY = `
INSERT INTO idempotency_keys (organization_id, actor, key, fingerprint) VALUES ($1, $2, $3, $4)
    ON CONFLICT (organization_id, actor, key) DO UPDATE SET fingerprint = excluded.fingerprint, answer = NULL, created_at = now()
 WHERE idempotency_keys.created_at < now() - ${KEPT}
RETURNING key`

/** $1 organization, $2 actor, $3 key. */
export const GET_ANSWER =
  'SELECT fingerprint, answer FROM idempotency_keys WHERE organization_id = $1 AND actor = $2 AND key = $3'

/** $1 organization, $2 actor, $3 key, $4 answer. */
export const SET_ANSWER = 'UPDATE idempotency_keys SET answer = $4 WHERE organization_id = $1 AND actor = $2 AND key = $3'

/** $1 limit. */
export const FORGET_KEYS = `
DELETE FROM idempotency_keys
 WHERE (organization_id, actor, key) IN (
       SELECT organization_id, actor, key FROM idempotency_keys WHERE created_at < now() - ${KEPT} ORDER BY created_at LIMIT $1)
RETURNING key`
