import { ALERT_COLUMNS } from './alert-columns.ts'

/** $1 organization, $2 id. */
export const GET_ALERT = `
SELECT ${ALERT_COLUMNS}, (SELECT e.evidence FROM alert_evidence e WHERE e.alert_id = alerts.id AND e.organization_id = $1) AS evidence
  FROM alerts WHERE organization_id = $1 AND id = $2`

/** As GET_ALERT, and nobody else changes it until the transaction ends. */
export const LOCK_ALERT = `SELECT ${ALERT_COLUMNS} FROM alerts WHERE organization_id = $1 AND id = $2 FOR UPDATE`

/**
 * $1: JSON array of AlertFigures, each id once, metadata sealed (base64), `mergedInto` and the document's words beside it. Inserts, or replaces
 * the figures of a row whose revision is lower; status is untouched. Returns the rows that changed.
 */
export const APPLY_FIGURES = `
INSERT INTO alerts (id, organization_id, type, severity, title, description, source, rule, pattern, "group", "window",
                    first_seen, last_seen, count, peak, revision, open, backfilled, metadata, tags, runbook, correlation_id,
                    created_at, updated_at, merged_into, document)
SELECT f.id, f."organizationId", f.type, f.severity, f.title, f.description, f.source, f.rule, f.pattern, f."group", f."window",
       f."firstSeen", f."lastSeen", f.count, f.peak, f.revision, f.open, f.backfilled, decode(f.metadata, 'base64'),
       ARRAY(SELECT jsonb_array_elements_text(f.tags)), f.runbook, f."correlationId", f."createdAt", f."updatedAt",
       f."mergedInto", array_to_tsvector(ARRAY(SELECT jsonb_array_elements_text(f.words)))
  FROM jsonb_to_recordset($1::jsonb) AS f (
       id uuid, "organizationId" uuid, type text, severity text, title text, description text, source text, rule jsonb, pattern text,
       "group" jsonb, "window" jsonb, "firstSeen" timestamptz, "lastSeen" timestamptz, count bigint, peak double precision,
       revision integer, open boolean, backfilled boolean, metadata text, tags jsonb, runbook text, "correlationId" text,
       "createdAt" timestamptz, "updatedAt" timestamptz, "mergedInto" uuid, words jsonb)
 -- One order for all instances: two batches never wait for each other in a circle.
 ORDER BY f.id
    ON CONFLICT (id) DO UPDATE SET
       type = excluded.type, severity = excluded.severity, title = excluded.title, description = excluded.description,
       source = excluded.source, rule = excluded.rule, pattern = excluded.pattern, "group" = excluded."group",
       "window" = excluded."window", first_seen = excluded.first_seen, last_seen = excluded.last_seen, count = excluded.count,
       peak = excluded.peak, revision = excluded.revision, open = excluded.open, backfilled = excluded.backfilled,
       metadata = excluded.metadata, tags = excluded.tags, runbook = excluded.runbook, correlation_id = excluded.correlation_id,
       merged_into = excluded.merged_into, updated_at = greatest(alerts.updated_at, excluded.updated_at),
       -- The stored words where they are the same: in a compressed row PostgreSQL takes equal ones anew for others, and writes every index again (0011).
       document = CASE WHEN alerts.labels = '{}' AND alerts.document = excluded.document THEN alerts.document
                       ELSE excluded.document || label_words(alerts.organization_id, alerts.labels) END
 WHERE alerts.revision < excluded.revision AND alerts.organization_id = excluded.organization_id
RETURNING id, organization_id, revision, status, ended_at_count`

/** $1 organization, $2 ids. */
export const COUNT_IDS = 'SELECT count(*) AS matched FROM alerts WHERE organization_id = $1 AND id = ANY ($2::uuid[])'

/** $1: JSON array of { id, organizationId, revision, evidence: sealed, base64 }. */
export const APPLY_EVIDENCE = `
INSERT INTO alert_evidence (alert_id, organization_id, revision, evidence)
SELECT e.id, e."organizationId", e.revision, decode(e.evidence, 'base64')
  FROM jsonb_to_recordset($1::jsonb) AS e (id uuid, "organizationId" uuid, revision integer, evidence text)
    ON CONFLICT (alert_id) DO UPDATE SET revision = excluded.revision, evidence = excluded.evidence
 WHERE alert_evidence.revision < excluded.revision`

/** $1 organization, $2 id, then the status half in the order of repositories/alerts.ts. The version is the guard. */
export const SET_STATUS = `
UPDATE alerts
   SET version = $3, updated_at = $4, status = $5, assignee = $6, acknowledged = $7, acknowledged_at = $8, acknowledged_by = $9,
       resolved = $10, resolved_at = $11, resolved_by = $12, resolution_notes = $13,
       dismissed_at = $14, dismissed_by = $15, dismiss_reason = $16, resolution_action = $17, resolution_metadata = $18,
       acknowledgement_expires_at = $19, ended_at_count = $20, labels = $21,
       document = ts_delete(document, tsvector_to_array(label_words(organization_id, labels))) || label_words(organization_id, $21)
 WHERE organization_id = $1 AND id = $2 AND version < $3
RETURNING id`

/** $1 organization, $2 id. */
export const HAS_ALERT = 'SELECT 1 AS found FROM alerts WHERE organization_id = $1 AND id = $2'
