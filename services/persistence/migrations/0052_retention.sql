-- Legal holds: what they cover is never deleted. Scope and reason are sealed; what retention compares lies beside them.
CREATE TABLE holds (
  id              uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  content         bytea NOT NULL,
  alert_ids       uuid[] NOT NULL DEFAULT '{}',
  rule_id         text,
  -- The word of alerts.document by which the subject's alerts are found: a digest.
  subject_word    text,
  everything      boolean NOT NULL DEFAULT false,
  placed_at       timestamptz NOT NULL,
  placed_by       varchar(255) NOT NULL,
  released_at     timestamptz,
  released_by     varchar(255)
);
CREATE INDEX holds_in_force ON holds (organization_id) WHERE released_at IS NULL;

-- Of what was deleted: a replay of the topic, or a detector that revises an old alert, does not bring it back.
CREATE TABLE alert_tombstones (
  id              uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  created_at      timestamptz NOT NULL,
  ended_at        timestamptz NOT NULL,
  deleted_at      timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
  reason          text NOT NULL CHECK (reason IN ('retention'))
);

-- What retention looks for: ended alerts of one organization and severity, the longest unchanged first.
CREATE INDEX alerts_ended ON alerts (organization_id, severity, updated_at)
  WHERE status IN ('resolved', 'dismissed') AND NOT open;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['holds', 'alert_tombstones']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY worker ON %I TO tocsin_worker USING (true) WITH CHECK (true)', name);
    EXECUTE format('CREATE POLICY reader ON %I FOR SELECT TO tocsin_reader USING (true)', name);
    EXECUTE format(
      'CREATE POLICY api ON %I TO tocsin_api
         USING (organization_id = nullif(current_setting(''app.organization'', true), '''')::uuid)
         WITH CHECK (organization_id = nullif(current_setting(''app.organization'', true), '''')::uuid)', name);
  END LOOP;
END $$;
GRANT SELECT, INSERT ON holds TO tocsin_api;
GRANT UPDATE (released_at, released_by) ON holds TO tocsin_api;
GRANT SELECT ON holds TO tocsin_worker;
GRANT SELECT, INSERT ON alert_tombstones TO tocsin_worker;
GRANT SELECT ON holds, alert_tombstones TO tocsin_reader;
GRANT DELETE ON alerts, alert_evidence TO tocsin_worker;
