-- Open and past alerts that were raised by key: the same key while its alert is open is a revision of it.
CREATE TABLE raised_alerts (
  organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  dedup_key       varchar(300) NOT NULL,
  -- How many alerts the key has opened; with it the alert's id is made.
  openings        integer NOT NULL CHECK (openings >= 1),
  alert_id        uuid NOT NULL,
  open            boolean NOT NULL,
  revision        integer NOT NULL CHECK (revision >= 1),
  count           bigint NOT NULL CHECK (count >= 1),
  first_seen      timestamptz NOT NULL,
  created_at      timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL,
  PRIMARY KEY (organization_id, dedup_key)
);

ALTER TABLE raised_alerts ENABLE ROW LEVEL SECURITY;
ALTER TABLE raised_alerts FORCE ROW LEVEL SECURITY;
CREATE POLICY api ON raised_alerts TO tocsin_api
  USING (organization_id = nullif(current_setting('app.organization', true), '')::uuid)
  WITH CHECK (organization_id = nullif(current_setting('app.organization', true), '')::uuid);

GRANT SELECT, INSERT, UPDATE ON raised_alerts TO tocsin_api;
