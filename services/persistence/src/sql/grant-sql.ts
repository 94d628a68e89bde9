const GRANT = 'id, subject, permission, reason, granted_by, granted_at, ended_by, ended_at'

/** Newest first. The transaction's subject must be an operator, here and below unless said otherwise. */
export const LIST_GRANTS = `SELECT ${GRANT} FROM grants ORDER BY granted_at DESC, id LIMIT 1000`
/** $1 subject, which the transaction's may be too. Those in force. */
export const GRANTS_OF = `SELECT ${GRANT} FROM grants WHERE subject = $1 AND ended_at IS NULL ORDER BY permission`
/** $1 subject. Held to the transaction's end: two who change the same subject's take turns. */
export const LOCK_GRANTS = `SELECT pg_advisory_xact_lock(hashtextextended('tocsin grants ' || $1, 0))`
/** $1 subject, $2 those that stay, $3 who. */
export const END_GRANTS = `
UPDATE grants SET ended_by = $3, ended_at = now() WHERE subject = $1 AND ended_at IS NULL AND NOT permission = ANY ($2::text[])`
/** $1 subject, $2 permission, $3 reason, $4 who. One that is in force stays as it is. */
export const ADD_GRANT = `
INSERT INTO grants (id, subject, permission, reason, granted_by) VALUES (gen_random_uuid(), $1, $2, $3, $4)
    ON CONFLICT (subject, permission) WHERE ended_at IS NULL DO NOTHING`

/** $1 first id (null: from the start), $2 limit. For a transaction of a subject with a grant. */
export const ORGANIZATIONS_FROM = `
SELECT id FROM organizations WHERE ($1::uuid IS NULL OR id >= $1) ORDER BY id LIMIT $2`
/** $1 ids. Those that there are; as ORGANIZATIONS_FROM. */
export const ORGANIZATIONS_AMONG = 'SELECT id FROM organizations WHERE id = ANY ($1::uuid[])'
