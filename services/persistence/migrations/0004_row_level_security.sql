-- Second wall between organizations (security.md §3). FORCE: it holds for the owner too.
--   tocsin_api     sees the organization of its transaction and, where a policy says so, the subject of its transaction
--   tocsin_worker  applier, outbox relay, start-up; used by no route
--   tocsin_reader  reads everything, writes nothing
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['alerts', 'alert_evidence', 'alert_history', 'organizations', 'api_keys', 'subjects', 'memberships', 'rules', 'outbox']
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY worker ON %I TO tocsin_worker USING (true) WITH CHECK (true)', name);
    EXECUTE format('CREATE POLICY reader ON %I FOR SELECT TO tocsin_reader USING (true)', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['alerts', 'alert_evidence', 'alert_history', 'api_keys', 'outbox']
  LOOP
    EXECUTE format(
      'CREATE POLICY api ON %I TO tocsin_api
         USING (organization_id = nullif(current_setting(''app.organization'', true), '''')::uuid)
         WITH CHECK (organization_id = nullif(current_setting(''app.organization'', true), '''')::uuid)', name);
  END LOOP;
END $$;

CREATE POLICY api ON organizations TO tocsin_api
  USING (id = nullif(current_setting('app.organization', true), '')::uuid)
  WITH CHECK (id = nullif(current_setting('app.organization', true), '')::uuid);
-- A person may see the names of the organizations that person belongs to.
CREATE POLICY api_own ON organizations FOR SELECT TO tocsin_api
  USING (id IN (SELECT m.organization_id FROM memberships m
                 WHERE m.subject = nullif(current_setting('app.subject', true), '')));

CREATE POLICY api ON memberships TO tocsin_api
  USING (organization_id = nullif(current_setting('app.organization', true), '')::uuid)
  WITH CHECK (organization_id = nullif(current_setting('app.organization', true), '')::uuid);
CREATE POLICY api_own ON memberships FOR SELECT TO tocsin_api
  USING (subject = nullif(current_setting('app.subject', true), ''));

CREATE POLICY api ON subjects TO tocsin_api
  USING (subject = nullif(current_setting('app.subject', true), ''))
  WITH CHECK (subject = nullif(current_setting('app.subject', true), ''));

CREATE POLICY api ON rules FOR SELECT TO tocsin_api
  USING (organization_id IS NULL OR organization_id = nullif(current_setting('app.organization', true), '')::uuid);

GRANT SELECT ON alerts, alert_evidence, alert_history, organizations, api_keys, subjects, memberships, rules, offsets, partition_load TO tocsin_api;
-- People change the status half only.
GRANT UPDATE (status, assignee, acknowledged, acknowledged_at, acknowledged_by, resolved, resolved_at, resolved_by, resolution_notes,
              dismissed_at, dismissed_by, dismiss_reason, version, updated_at) ON alerts TO tocsin_api;
GRANT INSERT ON alert_history, outbox, organizations, api_keys, memberships TO tocsin_api;
-- Not operator: no route makes one.
GRANT INSERT (subject, version) ON subjects TO tocsin_api;
GRANT UPDATE (version) ON subjects TO tocsin_api;
GRANT UPDATE (name, version, settings, recipients) ON organizations TO tocsin_api;
GRANT UPDATE (organizations) ON partition_load TO tocsin_api;

GRANT SELECT, INSERT, UPDATE ON alerts, alert_evidence, offsets, subjects, rules TO tocsin_worker;
GRANT SELECT, INSERT ON alert_history, partition_load TO tocsin_worker;
GRANT SELECT, INSERT, DELETE ON outbox TO tocsin_worker;
GRANT SELECT ON organizations, api_keys, memberships TO tocsin_worker;

GRANT SELECT ON ALL TABLES IN SCHEMA persistence TO tocsin_reader;
