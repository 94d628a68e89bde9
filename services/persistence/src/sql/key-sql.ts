/** $1 hash. Lets tocsin_api see the key's row before the organization is known. */
export const SET_KEY_HASH = `SELECT set_config('app.key', $1, true)`
/** $1 hash (also the transaction's app.key). */
export const FIND_KEY = `
SELECT id, organization_id, scopes FROM api_keys
 WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`
