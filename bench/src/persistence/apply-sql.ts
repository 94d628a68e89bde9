/** What anybody would write who has the figures as JSON and two tables to put them in. $1: JSON array. */
export const BARE_UPSERT = `
INSERT INTO alerts (id, organization_id, type, severity, title, description, source, rule, pattern, "group", "window", first_seen, last_seen,
                    count, peak, revision, open, backfilled, metadata, tags, runbook, correlation_id, created_at, updated_at)
SELECT f.id, f."organizationId", f.type, f.severity, f.title, f.description, f.source, f.rule, f.pattern, f."group", f."window", f."firstSeen",
       f."lastSeen", f.count, f.peak, f.revision, f.open, f.backfilled, convert_to(f.metadata::text, 'UTF8'),
       ARRAY(SELECT jsonb_array_elements_text(f.tags)), f.runbook, f."correlationId", f."createdAt", f."updatedAt"
  FROM jsonb_to_recordset($1::jsonb) AS f (
       id uuid, "organizationId" uuid, type text, severity text, title text, description text, source text, rule jsonb, pattern text,
       "group" jsonb, "window" jsonb, "firstSeen" timestamptz, "lastSeen" timestamptz, count bigint, peak double precision, revision integer,
       open boolean, backfilled boolean, metadata jsonb, tags jsonb, runbook text, "correlationId" text, "createdAt" timestamptz,
       "updatedAt" timestamptz)
 ORDER BY f.id
    ON CONFLICT (id) DO UPDATE SET
       title = excluded.title, description = excluded.description, last_seen = excluded.last_seen, count = excluded.count, peak = excluded.peak,
       revision = excluded.revision, open = excluded.open, metadata = excluded.metadata, updated_at = excluded.updated_at
 WHERE alerts.revision < excluded.revision`

/** $1: JSON array of { id, organizationId, revision, evidence }. */
export const BARE_EVIDENCE = `
INSERT INTO alert_evidence (alert_id, organization_id, revision, evidence)
SELECT e.id, e."organizationId", e.revision, convert_to(e.evidence::text, 'UTF8')
  FROM jsonb_to_recordset($1::jsonb) AS e (id uuid, "organizationId" uuid, revision integer, evidence jsonb)
    ON CONFLICT (alert_id) DO UPDATE SET revision = excluded.revision, evidence = excluded.evidence
 WHERE alert_evidence.revision < excluded.revision`
