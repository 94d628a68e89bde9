/** $1 organization. */
export const GET_DATA_KEY = 'SELECT master_key, wrapped FROM data_keys WHERE organization_id = $1'
/** $1 organization, $2 id of the master key, $3 wrapped. */
export const ADD_DATA_KEY = `
INSERT INTO data_keys (organization_id, master_key, wrapped) VALUES ($1, $2, $3) ON CONFLICT (organization_id) DO NOTHING`

/** $1 id of the active master key, $2 limit. Data keys that another one wraps and that no other instance holds. */
export const LOCK_KEYS_TO_REWRAP = `
SELECT organization_id, master_key, wrapped FROM data_keys
 WHERE master_key <> $1 AND wrapped IS NOT NULL ORDER BY organization_id LIMIT $2 FOR UPDATE SKIP LOCKED`
/** $1 organization, $2 id of the master key, $3 wrapped. */
export const SET_WRAPPED = 'UPDATE data_keys SET master_key = $2, wrapped = $3 WHERE organization_id = $1 AND wrapped IS NOT NULL'
/** $1 id of the active master key. */
export const COUNT_KEYS_TO_REWRAP = 'SELECT count(*) AS left FROM data_keys WHERE master_key <> $1 AND wrapped IS NOT NULL'
/** $1: seconds. */
export const DESTROYED_LATELY = `
SELECT organization_id FROM data_keys WHERE destroyed_at > now() - $1 * interval '1 second'`
