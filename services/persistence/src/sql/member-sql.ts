/** $1 organization. */
export const LIST_MEMBERS = 'SELECT subject, role FROM memberships WHERE organization_id = $1 ORDER BY subject'
/** $1 organization, $2 subject. One row: the subject's role, null where it is none, and how many other admins there are. */
export const GET_MEMBER = `
SELECT (SELECT m.role FROM memberships m WHERE m.organization_id = $1 AND m.subject = $2) AS role,
       (SELECT count(*)::integer FROM memberships m WHERE m.organization_id = $1 AND m.subject <> $2 AND m.role = 'admin') AS other_admins`
/** $1 subject, $2 organization, $3 role. */
export const SET_MEMBER = `
INSERT INTO memberships (subject, organization_id, role) VALUES ($1, $2, $3)
    ON CONFLICT (subject, organization_id) DO UPDATE SET role = excluded.role`
/** $1 organization, $2 subject. */
export const REMOVE_MEMBER = 'DELETE FROM memberships WHERE organization_id = $1 AND subject = $2'

/** $1 subject. What it may see of itself anywhere: its memberships and the names of its organizations. */
export const SET_SUBJECT = `SELECT set_config('app.subject', $1, true)`
/** $1 subject. Tokens are numbered by seconds, so those of this second are refused as well. */
export const REFUSE_TOKENS = 'UPDATE subjects SET not_before = now() WHERE subject = $1'
/** $1 subject. */
export const MAKE_FIRST_OPERATOR = 'SELECT make_first_operator($1) AS made'
