/**
 * $1 id, $2 organization, $3 at, $4 actor, $5 channel, $6 action, $7 and $8 what it is about, $9 version, $10 commitment, $11 payload.
 * An act that came before (same version of the same thing) adds nothing: no row.
 */
export const ADD_HISTORY = `
WITH entry AS (
  INSERT INTO history (id, organization_id, at, actor, channel, action, about_kind, about_id, version, commitment)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
      ON CONFLICT (organization_id, about_kind, about_id, version) WHERE version IS NOT NULL DO NOTHING
  RETURNING id, organization_id
)
INSERT INTO history_payloads (history_id, organization_id, payload) SELECT id, organization_id, $11 FROM entry
RETURNING history_id`

/** $1 organization, $2 alert, $3 version: who made it. */
export const WHO_ACTED = `
SELECT actor, at FROM history WHERE organization_id = $1 AND about_kind = 'alert' AND about_id = $2 AND version = $3`

/** $1 organization, $2 alert. Reading is no act: an act makes a version. */
export const PERSON_ACTED = `
SELECT 1 FROM history
 WHERE organization_id = $1 AND about_kind = 'alert' AND about_id = $2 AND actor <> 'system' AND version IS NOT NULL LIMIT 1`

/** $1 organization, $2 alert, $3 actor, $4 since. */
export const READ_LATELY = `
SELECT 1 FROM history
 WHERE organization_id = $1 AND about_kind = 'alert' AND about_id = $2 AND action = 'evidence.read' AND actor = $3 AND at > $4 LIMIT 1`

/**
 * $1 organization, $2 actor, $3 action, $4 and $5 what it is about, $6 from, $7 to, $8 before this position, $9 limit; null: no such
 * filter. Newest first.
 */
export const LIST_HISTORY = `
SELECT h.position, h.id, h.at, h.actor, h.channel, h.action, h.about_kind, h.about_id, h.version, s.sequence, encode(s.hash, 'hex') AS hash,
       p.payload
  FROM history h
  LEFT JOIN history_seals s ON s.history_id = h.id
  LEFT JOIN history_payloads p ON p.history_id = h.id
 WHERE h.organization_id = $1
   AND ($2::text IS NULL OR h.actor = $2) AND ($3::text IS NULL OR h.action = $3)
   AND ($4::text IS NULL OR h.about_kind = $4) AND ($5::text IS NULL OR h.about_id = $5)
   AND ($6::timestamptz IS NULL OR h.at >= $6) AND ($7::timestamptz IS NULL OR h.at < $7)
   AND ($8::bigint IS NULL OR h.position < $8)
 ORDER BY h.position DESC LIMIT $9`

/** $1 organization, $2 ids of entries. */
export const ERASE_PAYLOADS = `
DELETE FROM history_payloads WHERE organization_id = $1 AND history_id = ANY ($2::uuid[]) RETURNING history_id`
