/** Held to the transaction's end: two instances that start at once publish the pack once. */
export const LOCK_PACK = `SELECT pg_advisory_xact_lock(hashtext('tocsin rule pack'))`
export const GET_PACK = `
SELECT r.rule_id, r.version, r.state, v.hash, v.content
  FROM rules r JOIN rule_versions v ON v.rule_id = r.rule_id AND v.organization_id IS NULL AND v.version = r.version
 WHERE r.organization_id IS NULL
 ORDER BY r.rule_id`

/** $1 organization. Held to the transaction's end: changes of an organization's rules come one after the other. */
export const LOCK_RULES = `SELECT pg_advisory_xact_lock(hashtextextended('tocsin rules ' || $1, 0))`

/** A rule with the texts that a change may need; `newest` tells who changed it last. */
const KNOWN = `
SELECT r.rule_id, r.organization_id, r.state, r.owner, r.version, r.in_force, r.draft, r.updated_at, newest.author,
       shown.version AS shown_version, shown.title, shown.act, shown.hash, shown.author AS shown_author, shown.reason, shown.created_at`
const JOINS = `
  FROM rules r
  JOIN rule_versions newest
    ON newest.rule_id = r.rule_id AND newest.organization_id IS NOT DISTINCT FROM r.organization_id AND newest.version = r.version
  JOIN rule_versions shown
    ON shown.rule_id = r.rule_id AND shown.organization_id IS NOT DISTINCT FROM r.organization_id
   AND shown.version = coalesce(r.draft, r.in_force, r.version)
 WHERE (r.organization_id = $1 OR r.organization_id IS NULL)`

/** $1 organization. Its own rules and the installation's; of one id both may be there. */
export const LIST_RULES = `${KNOWN} ${JOINS} ORDER BY r.rule_id, r.organization_id NULLS LAST`
/** $1 organization, $2 rule. The organization's first. */
export const GET_RULE = `${KNOWN}, shown.content ${JOINS} AND r.rule_id = $2 ORDER BY r.organization_id NULLS LAST`

const VERSION = 'version, act, title, hash, author, reason, created_at'
/** $1 organization (null: of the installation), $2 rule. Newest first. */
export const LIST_RULE_VERSIONS = `
SELECT ${VERSION} FROM rule_versions WHERE organization_id IS NOT DISTINCT FROM $1::uuid AND rule_id = $2 ORDER BY version DESC`
/** $1 organization (null: of the installation), $2 rule, $3 version. */
export const GET_RULE_VERSION = `
SELECT ${VERSION}, content FROM rule_versions WHERE organization_id IS NOT DISTINCT FROM $1::uuid AND rule_id = $2 AND version = $3`

/** $1 organization (null: of the installation), $2 rule, $3 version, $4 act, $5 title, $6 content, $7 hash, $8 author, $9 reason, $10 at. */
export const ADD_RULE_VERSION = `
INSERT INTO rule_versions (organization_id, rule_id, version, act, title, content, hash, author, reason, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
/** $1 organization (null: of the installation), $2 rule, $3 version, $4 state, $5 owner, $6 in force, $7 draft, $8 at. */
export const SET_RULE = `
INSERT INTO rules (organization_id, rule_id, version, state, owner, in_force, draft, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (organization_id, rule_id) DO UPDATE
   SET version = excluded.version, state = excluded.state, owner = excluded.owner, in_force = excluded.in_force, draft = excluded.draft,
       updated_at = excluded.updated_at`
/** $1 organization. */
export const COUNT_ACTIVE_RULES = `SELECT count(*)::integer AS active FROM rules WHERE organization_id = $1 AND state = 'active'`
/** $1 organization. Its own, each with the hash of what is in force, for a folder's plan. */
export const LIST_PRESENT_RULES = `
SELECT r.rule_id, r.state, r.owner, newest.title, inforce.hash
  FROM rules r
  JOIN rule_versions newest ON newest.organization_id = $1 AND newest.rule_id = r.rule_id AND newest.version = r.version
  LEFT JOIN rule_versions inforce ON inforce.organization_id = $1 AND inforce.rule_id = r.rule_id AND inforce.version = r.in_force
 WHERE r.organization_id = $1`
/** $1 organization, $2 rule, $3 days. */
export const CRITICAL_OF_RULE = `
SELECT id, title FROM alerts
 WHERE organization_id = $1 AND rule_id = left($2, 200) AND severity = 'CRITICAL' AND merged_into IS NULL
   AND created_at >= now() - make_interval(days => $3)
 ORDER BY created_at DESC, id DESC LIMIT 1000`
