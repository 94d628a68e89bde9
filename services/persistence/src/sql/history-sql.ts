/**
 * $1 id, $2 organization, $3 at, $4 actor, $5 channel, $6 action, $7 and $8 what it is about, $9 version, $10 commitment, $11 payload.
 * An act that came before (same version of the same thing) adds nothing.
 */
export const ADD_HISTORY = `
WITH entry AS (
  INSERT INTO history (id, organization_id, at, actor, channel, action, about_kind, about_id, version, commitment)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
      ON CONFLICT (organization_id, about_kind, about_id, version) WHERE version IS NOT NULL DO NOTHING
  RETURNING id, organization_id
)
INSERT INTO history_payloads (history_id, organization_id, payload) SELECT id, organization_id, $11 FROM entry`

/** $1 organization, $2 alert, $3 version: who made it. */
export const WHO_ACTED = `
SELECT actor, at FROM history WHERE organization_id = $1 AND about_kind = 'alert' AND about_id = $2 AND version = $3`

/** $1 organization, $2 alert. */
export const PERSON_ACTED = `
SELECT 1 FROM history WHERE organization_id = $1 AND about_kind = 'alert' AND about_id = $2 AND actor <> 'system' LIMIT 1`
