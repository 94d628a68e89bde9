const LIVE = 'revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())'
const COLUMNS = 'id, name, scopes, source, created_at, created_by, expires_at'

/** $1 organization, $2 key. */
export const GET_KEY_NAME = 'SELECT coalesce(source, name) AS name FROM api_keys WHERE organization_id = $1 AND id = $2'

/** $1 hash. Lets tocsin_api see the key's row before the organization is known. */
export const SET_KEY_HASH = `SELECT set_config('app.key', $1, true)`
/** $1 hash (also the transaction's app.key). */
export const FIND_KEY = `SELECT id, organization_id, scopes FROM api_keys WHERE hash = $1 AND ${LIVE}`

/** $1 organization. Of topic `tenants`. */
export const GET_KEY_HASHES = `
SELECT id, hash, scopes, source, expires_at FROM api_keys WHERE organization_id = $1 AND ${LIVE} ORDER BY created_at, id`
/** $1 organization. */
export const LIST_KEYS = `SELECT ${COLUMNS} FROM api_keys WHERE organization_id = $1 AND ${LIVE} ORDER BY created_at, id`
/** $1 organization, $2 id. */
export const GET_KEY = `SELECT ${COLUMNS} FROM api_keys WHERE organization_id = $1 AND id = $2 AND ${LIVE}`

/** $1 id, $2 organization, $3 hash, $4 scopes, $5 name, $6 source, $7 who. */
export const ADD_KEY = `
INSERT INTO api_keys (id, organization_id, hash, scopes, name, source, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING ${COLUMNS}`
/** $1 organization, $2 id, $3 seconds from now. */
export const END_KEY_LATER = `
UPDATE api_keys SET expires_at = now() + $3 * interval '1 second' WHERE organization_id = $1 AND id = $2`
/** $1 organization, $2 id. */
export const REVOKE_KEY = 'UPDATE api_keys SET revoked_at = now() WHERE organization_id = $1 AND id = $2'
