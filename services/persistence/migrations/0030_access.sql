-- API keys: named, made by somebody, and with an end where one was replaced (two live during a rotation).
ALTER TABLE api_keys
  ADD COLUMN name       varchar(255) NOT NULL DEFAULT '',
  ADD COLUMN created_by varchar(255) NOT NULL DEFAULT 'system',
  ADD COLUMN expires_at timestamptz;

-- Whoever holds a key is recognized by it before its organization is known: the hash is the proof.
CREATE POLICY api_own ON api_keys FOR SELECT TO tocsin_api
  USING (hash = nullif(current_setting('app.key', true), ''));

GRANT UPDATE (revoked_at, expires_at) ON api_keys TO tocsin_api;
GRANT UPDATE (role), DELETE ON memberships TO tocsin_api;
GRANT UPDATE (not_before) ON subjects TO tocsin_api;
