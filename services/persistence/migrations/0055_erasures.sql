-- Persons who were erased. The applier looks here, so that neither a later record nor a replay brings one back.
CREATE TABLE erasures (
  id              uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  -- HMAC of the person under a key made of the organization's data key: tells whether a text is the person, not who it is.
  digest          bytea NOT NULL CHECK (octet_length(digest) = 32),
  -- Sealed.
  reason          bytea NOT NULL,
  -- Sealed, and only while the work goes on.
  subject         bytea,
  state           text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done')),
  -- The last alert that was looked at; newest first.
  at_created      timestamptz,
  at_id           uuid,
  touched         integer NOT NULL DEFAULT 0,
  held            integer NOT NULL DEFAULT 0,
  requested_at    timestamptz NOT NULL,
  requested_by    varchar(255) NOT NULL,
  finished_at     timestamptz,
  CHECK ((state = 'running') = (subject IS NOT NULL)),
  CHECK ((state = 'done') = (finished_at IS NOT NULL))
);
CREATE INDEX erasures_of ON erasures (organization_id, requested_at DESC, id) INCLUDE (digest);
CREATE INDEX erasures_running ON erasures (requested_at, id) WHERE state = 'running';

ALTER TABLE erasures ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasures FORCE ROW LEVEL SECURITY;
CREATE POLICY worker ON erasures TO tocsin_worker USING (true) WITH CHECK (true);
CREATE POLICY reader ON erasures FOR SELECT TO tocsin_reader USING (true);
CREATE POLICY api ON erasures TO tocsin_api
  USING (organization_id = nullif(current_setting('app.organization', true), '')::uuid)
  WITH CHECK (organization_id = nullif(current_setting('app.organization', true), '')::uuid);

GRANT SELECT, INSERT ON erasures TO tocsin_api;
GRANT SELECT ON erasures TO tocsin_worker, tocsin_reader;
GRANT UPDATE (subject, state, at_created, at_id, touched, held, finished_at) ON erasures TO tocsin_worker;
