/** $1 organizations. Those that were deleted. */
export const DELETED_AMONG = 'SELECT id FROM organizations WHERE id = ANY ($1::uuid[]) AND deleted_at IS NOT NULL'

/** $1 organization. The oldest hold in force, whatever it covers. */
export const HOLD_IN_FORCE = `
SELECT id FROM holds WHERE organization_id = $1 AND released_at IS NULL ORDER BY placed_at, id LIMIT 1`
/** $1 organization. Of its own rules. */
export const OWN_RULES = 'SELECT rule_id FROM rules WHERE organization_id = $1 ORDER BY rule_id'
/** $1 organization. */
export const REVOKE_KEYS = 'UPDATE api_keys SET revoked_at = now() WHERE organization_id = $1 AND revoked_at IS NULL'
/** $1 organization, $2 reason, $3 channel. The transaction's subject must be an operator. From here on tocsin_api sees nothing of it. */
export const DELETE_ORGANIZATION = 'SELECT delete_organization($1, $2, $3)'

const DELETION = `
organization_id, slug, reason, deleted_by, channel, deleted_at, removed, finished_at, last_sequence, encode(last_hash, 'hex') AS last_hash`
/** Newest first. The transaction's subject must be an operator. */
export const LIST_DELETIONS = `SELECT ${DELETION} FROM organization_deletions ORDER BY deleted_at DESC, organization_id LIMIT 1000`
/** $1 organization. As LIST_DELETIONS. */
export const GET_DELETION = `SELECT ${DELETION} FROM organization_deletions WHERE organization_id = $1`

/** $1 limit. Those that are not finished. */
export const UNFINISHED_DELETIONS = `
SELECT d.organization_id, o.partition FROM organization_deletions d JOIN organizations o ON o.id = d.organization_id
 WHERE d.finished_at IS NULL ORDER BY d.deleted_at, d.organization_id LIMIT $1`
/**
 * $1 organization, $2 seconds. No row: it is finished, or another instance is at it. `settled`: so long ago that no transaction of before can
 * still write.
 */
export const LOCK_DELETION = `
SELECT last_sequence, clock_timestamp() > deleted_at + $2 * interval '1 second' AS settled, now() AS now FROM organization_deletions
 WHERE organization_id = $1 AND finished_at IS NULL FOR UPDATE SKIP LOCKED`
/** $1 organization, $2 sequence, $3 hash in hex. */
export const KEEP_LAST_HEAD = `
UPDATE organization_deletions SET last_sequence = $2, last_hash = decode($3, 'hex') WHERE organization_id = $1`
/** $1 organization, $2 limit. Their evidence goes with them. */
export const TAKE_ALERTS = `
DELETE FROM alerts WHERE id = ANY (ARRAY(SELECT id FROM alerts WHERE organization_id = $1 LIMIT $2)) RETURNING id`
/** $1 organization, $2 at most so many rows. */
export const REMOVE_DELETED = 'SELECT remove_deleted($1, $2) AS removed'
/** $1 organization, $2 rows. */
export const COUNT_REMOVED = 'UPDATE organization_deletions SET removed = removed + $2 WHERE organization_id = $1'
/** $1 organization. */
export const FINISH_DELETION = 'UPDATE organization_deletions SET finished_at = now() WHERE organization_id = $1'
