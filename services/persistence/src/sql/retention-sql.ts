/** $1 after this organization, $2 limit. */
export const NEXT_ORGANIZATIONS = `
SELECT id, partition, settings FROM organizations
 WHERE deleted_at IS NULL AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2`

/** Whether a hold in force covers the alert `a`. */
export const HELD = `
EXISTS (SELECT FROM holds h
         WHERE h.organization_id = a.organization_id AND h.released_at IS NULL
           AND (h.everything OR a.id = ANY (h.alert_ids) OR a.rule_id = h.rule_id
                OR a.document @@ quote_literal(h.subject_word)::tsquery))`

/** Alerts `a` that have ended and were last changed more than so many days ago. */
const unchangedFor = (days: string): string => `a.status IN ('resolved', 'dismissed') AND NOT a.open
   AND a.updated_hour < now() - ${days} * interval '1 day' AND a.updated_at < now() - ${days} * interval '1 day'`

/**
 * $1 organizations, $2 severities, $3 days, item by item: those with ended alerts whose last change is older. One look into an index for each
 * (LIMIT), where nearly all have nothing.
 */
export const ENDED_AMONG = `
SELECT w.organization_id, w.severity, w.days
  FROM unnest($1::uuid[], $2::text[], $3::integer[]) AS w (organization_id, severity, days),
       LATERAL (SELECT FROM alerts a
                 WHERE a.organization_id = w.organization_id AND a.severity = w.severity AND ${unchangedFor('w.days')}
                 LIMIT 1) AS ended`

/** $1 organizations, $2 days, item by item: those whose history begins longer ago. */
export const OLD_HISTORY_AMONG = `
SELECT w.organization_id
  FROM unnest($1::uuid[], $2::integer[]) AS w (organization_id, days),
       LATERAL (SELECT h.at FROM history_seals s JOIN history h ON h.id = s.history_id
                 WHERE s.organization_id = w.organization_id ORDER BY s.sequence LIMIT 1) AS first
 WHERE first.at < now() - w.days * interval '1 day'`

/**
 * $1 organization, $2 severity, $3 days, $4 limit. Ended alerts whose last change is older, that nobody holds and no other instance is
 * about to delete.
 */
export const LOCK_ENDED = `
SELECT a.id, a.created_at, a.updated_at, now() AS now FROM alerts a
 WHERE a.organization_id = $1 AND a.severity = $2 AND ${unchangedFor('$3')} AND NOT ${HELD}
 ORDER BY a.updated_hour, a.updated_at LIMIT $4
   FOR UPDATE SKIP LOCKED`

/** $1 organization, $2 ids, $3 created at, $4 ended at. */
export const BURY = `
INSERT INTO alert_tombstones (id, organization_id, created_at, ended_at, reason)
SELECT t.id, $1, t.created_at, t.ended_at, 'retention'
  FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) AS t (id, created_at, ended_at)
    ON CONFLICT (id) DO NOTHING`
/** $1 ids. Their evidence goes with them. */
export const DELETE_ALERTS = 'DELETE FROM alerts WHERE id = ANY ($1::uuid[])'

/** $1 ids, just written: those that were deleted before go again. A deletion that is under way waits for these rows. */
export const DELETE_BURIED = `
DELETE FROM alerts a USING alert_tombstones t WHERE a.id = ANY ($1::uuid[]) AND t.id = a.id RETURNING a.id`

/** $1 organization. What holds in force name one by one, and whether one covers more than that. */
export const HOLDS_ON_HISTORY = `
SELECT coalesce(array_agg(DISTINCT held.id::text) FILTER (WHERE held.id IS NOT NULL), '{}') AS alert_ids,
       coalesce(bool_or(h.everything OR h.rule_id IS NOT NULL OR h.subject_word IS NOT NULL), false) AS wide
  FROM holds h LEFT JOIN LATERAL unnest(h.alert_ids) AS held (id) ON true
 WHERE h.organization_id = $1 AND h.released_at IS NULL`

const HOLD = 'id, organization_id, content, placed_at, placed_by, released_at, released_by'
/** $1 organization. */
export const LIST_HOLDS = `SELECT ${HOLD} FROM holds WHERE organization_id = $1 ORDER BY placed_at DESC, id LIMIT 1000`
/** $1 id, $2 organization, $3 content, $4 alerts, $5 rule, $6 subject's word, $7 everything, $8 at, $9 by. */
export const ADD_HOLD = `
INSERT INTO holds (id, organization_id, content, alert_ids, rule_id, subject_word, everything, placed_at, placed_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING ${HOLD}`
/** $1 organization, $2 id, $3 at, $4 by. No row: there is none, or it was released before. */
export const RELEASE_HOLD = `
UPDATE holds SET released_at = $3, released_by = $4 WHERE organization_id = $1 AND id = $2 AND released_at IS NULL RETURNING ${HOLD}`
