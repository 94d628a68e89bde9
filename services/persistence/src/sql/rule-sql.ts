/** Held to the transaction's end: two instances that start at once publish the pack once. */
export const LOCK_PACK = `SELECT pg_advisory_xact_lock(hashtext('tocsin rule pack'))`
export const GET_PACK = 'SELECT rule_id, version, hash, state, content FROM rules WHERE organization_id IS NULL ORDER BY rule_id'
/** $1 rule, $2 version, $3 hash, $4 state, $5 content. */
export const SET_PACK_RULE = `
INSERT INTO rules (rule_id, organization_id, version, hash, state, content) VALUES ($1, NULL, $2, $3, $4, $5)
    ON CONFLICT (organization_id, rule_id) DO UPDATE
   SET version = excluded.version, hash = excluded.hash, state = excluded.state, content = excluded.content, updated_at = now()`
