-- Answers of requests that carried an Idempotency-Key, for 24 hours; written in the transaction of the effect.
CREATE TABLE idempotency_keys (
  organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  -- Who asked, as in the history: nobody gets the answer to somebody else.
  actor           varchar(255) NOT NULL,
  -- The client's key, and after the last slash which of the request's transactions.
  key             varchar(300) NOT NULL,
  fingerprint     bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
  -- Sealed with the organization's data key.
  answer          bytea,
  created_at      timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (organization_id, actor, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY worker ON idempotency_keys TO tocsin_worker USING (true) WITH CHECK (true);
CREATE POLICY api ON idempotency_keys TO tocsin_api
  USING (organization_id = nullif(current_setting('app.organization', true), '')::uuid)
  WITH CHECK (organization_id = nullif(current_setting('app.organization', true), '')::uuid);

GRANT SELECT, INSERT, UPDATE ON idempotency_keys TO tocsin_api;
GRANT SELECT, DELETE ON idempotency_keys TO tocsin_worker;
