-- One data key per organization, wrapped by the master key (security.md §4). Destroyed: wrapped is null, and no other is made.
CREATE TABLE data_keys (
  organization_id uuid PRIMARY KEY,
  master_key      text NOT NULL,
  wrapped         bytea,
  created_at      timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
  destroyed_at    timestamptz
);

-- Every act, of people and of the system, on alerts and on everything else of an organization (security.md §5).
-- Append-only: no role of a service may update or delete here. The commitment binds the entry to its payload, which may be erased.
CREATE TABLE history (
  id              uuid PRIMARY KEY,
  position        bigint GENERATED ALWAYS AS IDENTITY,
  organization_id uuid NOT NULL,
  at              timestamptz NOT NULL,
  actor           varchar(255) NOT NULL,
  channel         text NOT NULL,
  action          text NOT NULL,
  about_kind      text NOT NULL,
  about_id        varchar(255) NOT NULL,
  -- Of the alert, rule, … after the act; null where what it is about has none.
  version         integer,
  commitment      bytea NOT NULL CHECK (octet_length(commitment) = 32)
);
CREATE UNIQUE INDEX history_about ON history (organization_id, about_kind, about_id, version) WHERE version IS NOT NULL;
CREATE INDEX history_list ON history (organization_id, position DESC);
CREATE INDEX history_of ON history (organization_id, about_kind, about_id, position);

-- Salt and details of an entry, sealed with the organization's data key (byte 1), or in clear (byte 0: entries of 0.1).
CREATE TABLE history_payloads (
  history_id      uuid PRIMARY KEY REFERENCES history (id),
  organization_id uuid NOT NULL,
  payload         bytea NOT NULL
);

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['data_keys', 'history', 'history_payloads']
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

GRANT SELECT, INSERT ON data_keys, history, history_payloads TO tocsin_api, tocsin_worker;
GRANT SELECT ON history, history_payloads TO tocsin_reader;

-- What 0.1 kept of acts on alerts. The owner is bound by the policies too (FORCE), and no organization is set here.
ALTER TABLE history NO FORCE ROW LEVEL SECURITY;
ALTER TABLE history_payloads NO FORCE ROW LEVEL SECURITY;
ALTER TABLE alert_history NO FORCE ROW LEVEL SECURITY;
WITH old AS MATERIALIZED (
  SELECT gen_random_uuid() AS entry_id, organization_id, at, actor, action, alert_id, version,
         json_build_object('salt', replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''),
                           'details', json_build_object('from', from_status, 'to', to_status, 'changes', changes))::text AS payload
    FROM alert_history
   ORDER BY id
), entries AS (
  INSERT INTO history (id, organization_id, at, actor, channel, action, about_kind, about_id, version, commitment)
  SELECT entry_id, organization_id, at, actor, CASE actor WHEN 'system' THEN 'system' ELSE 'api' END, action, 'alert', alert_id::text,
         version, sha256(convert_to(payload, 'UTF8'))
    FROM old
)
INSERT INTO history_payloads (history_id, organization_id, payload)
SELECT entry_id, organization_id, '\x00'::bytea || convert_to(payload, 'UTF8') FROM old;
DROP TABLE alert_history;
ALTER TABLE history FORCE ROW LEVEL SECURITY;
ALTER TABLE history_payloads FORCE ROW LEVEL SECURITY;
