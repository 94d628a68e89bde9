import { ALERT_COLUMNS } from './alert-columns.ts'
import { HELD } from './retention-sql.ts'

const ERASURE = 'id, organization_id, digest, reason, state, touched, held, requested_at, requested_by, finished_at'
/** $1 organization. */
export const LIST_ERASURES = `
SELECT ${ERASURE} FROM erasures WHERE organization_id = $1 ORDER BY requested_at DESC, id LIMIT 1000`
/** $1 organization, $2 id. */
export const GET_ERASURE = `SELECT ${ERASURE} FROM erasures WHERE organization_id = $1 AND id = $2`
/** $1 id, $2 organization, $3 digest, $4 reason, $5 subject, $6 at, $7 by. */
export const ADD_ERASURE = `
INSERT INTO erasures (id, organization_id, digest, reason, subject, requested_at, requested_by)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${ERASURE}`
/** $1 organization, $2 the subject's word. A hold in force on the subject, or on everything. */
export const HOLD_ON_SUBJECT = `
SELECT id FROM holds
 WHERE organization_id = $1 AND released_at IS NULL AND (everything OR subject_word = $2) ORDER BY placed_at LIMIT 1`

/** $1 organizations. */
export const ERASED_IN = 'SELECT organization_id, digest FROM erasures WHERE organization_id = ANY ($1::uuid[])'

/** $1 limit. */
export const RUNNING_ERASURES = `
SELECT e.id, e.organization_id, o.partition FROM erasures e JOIN organizations o ON o.id = e.organization_id AND o.deleted_at IS NULL
 WHERE e.state = 'running' ORDER BY e.requested_at, e.id LIMIT $1`
/** $1 topic, $2 partition. Waits for a batch of the applier that began before; the next one begins with this row. */
export const WAIT_FOR_APPLIER = 'SELECT next FROM offsets WHERE topic = $1 AND partition = $2 FOR UPDATE'
/** $1 id. No row: it is done, or another instance is at it. Times as text, which keeps their microseconds. */
export const LOCK_ERASURE = `
SELECT digest, subject, at_created::text, at_id, touched, held FROM erasures
 WHERE id = $1 AND state = 'running' FOR UPDATE SKIP LOCKED`
/** $1 organization, $2 and $3 the last one of the batch before (null: none), $4 limit. Newest first: new ones come without the person. */
export const NEXT_TO_ERASE = `
SELECT ${ALERT_COLUMNS}, created_at::text AS at_created,
       (SELECT e.evidence FROM alert_evidence e WHERE e.alert_id = a.id AND e.organization_id = $1) AS evidence
  FROM alerts a
 WHERE organization_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2::timestamptz, $3::uuid))
 ORDER BY created_at DESC, id DESC LIMIT $4`
/** $1 organization, $2 ids. In one order for all; `held`: a legal hold covers it. */
export const LOCK_TO_ERASE = `
SELECT ${ALERT_COLUMNS}, ${HELD} AS held,
       (SELECT e.evidence FROM alert_evidence e WHERE e.alert_id = a.id AND e.organization_id = $1) AS evidence
  FROM alerts a WHERE organization_id = $1 AND id = ANY ($2::uuid[]) ORDER BY id FOR UPDATE`
/** $1 organization, $2 ids of alerts. */
export const PAYLOADS_ABOUT = `
SELECT h.id, h.about_id, p.payload FROM history h JOIN history_payloads p ON p.history_id = h.id
 WHERE h.organization_id = $1 AND h.about_kind = 'alert' AND h.about_id = ANY ($2::text[])`
/** $1 organization, $2 id, then what may name a person, sealed where the table says so; last the document's words without labels. */
export const REPLACE_IN_ALERT = `
UPDATE alerts
   SET title = $3, description = $4, "group" = $5::jsonb, metadata = $6, tags = $7::text[], correlation_id = $8, labels = $9::text[],
       resolution_notes = $10, resolution_action = $11, resolution_metadata = $12,
       document = array_to_tsvector($13::text[]) || label_words(organization_id, $9::text[])
 WHERE organization_id = $1 AND id = $2`
/** $1 organization, $2 id, $3 sealed. */
export const REPLACE_EVIDENCE = 'UPDATE alert_evidence SET evidence = $3 WHERE organization_id = $1 AND alert_id = $2'
/** $1 id, $2 and $3 the last one looked at, $4 touched, $5 held. */
export const MOVE_ERASURE = 'UPDATE erasures SET at_created = $2::timestamptz, at_id = $3, touched = $4, held = $5 WHERE id = $1'
/** $1 id, $2 touched, $3 held, $4 at. */
export const FINISH_ERASURE = `
UPDATE erasures SET state = 'done', subject = NULL, touched = $2, held = $3, finished_at = $4 WHERE id = $1`
