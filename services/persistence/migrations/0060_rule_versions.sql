-- Every text of a rule and everything that was published of it, one number after the other. Append-only: no role may update or delete here.
CREATE TABLE rule_versions (
  rule_id         varchar(255) NOT NULL,
  -- null: of the whole installation.
  organization_id uuid REFERENCES organizations (id) ON DELETE CASCADE,
  version         integer NOT NULL CHECK (version >= 1),
  act             text NOT NULL CHECK (act IN ('saved', 'reverted', 'activated', 'applied', 'paused', 'resumed', 'retired')),
  title           text NOT NULL,
  content         text NOT NULL CHECK (octet_length(content) <= 262144),
  hash            char(64) NOT NULL,
  author          varchar(255) NOT NULL,
  reason          text NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
  UNIQUE NULLS NOT DISTINCT (organization_id, rule_id, version)
);

-- The owner is bound by the policies too (FORCE), and no organization is set here.
ALTER TABLE rules NO FORCE ROW LEVEL SECURITY;
INSERT INTO rule_versions (rule_id, organization_id, version, act, title, content, hash, author, reason, created_at)
SELECT rule_id, organization_id, version, 'applied', rule_id, content, hash, 'system', 'in force before versions were kept', updated_at FROM rules;

ALTER TABLE rules
  -- api, pack (shipped with the installation), or folder:NAME.
  ADD COLUMN owner    varchar(120) NOT NULL DEFAULT 'pack',
  -- Versions: what the detector was told last, and what was saved and is not active yet.
  ADD COLUMN in_force integer,
  ADD COLUMN draft    integer,
  DROP COLUMN content,
  DROP COLUMN hash,
  DROP CONSTRAINT rules_state_check,
  ADD CONSTRAINT rules_state_check CHECK (state IN ('draft', 'active', 'paused', 'retired'));
UPDATE rules SET in_force = version;
ALTER TABLE rules ALTER COLUMN owner DROP DEFAULT;
ALTER TABLE rules FORCE ROW LEVEL SECURITY;

ALTER TABLE rule_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE rule_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY worker ON rule_versions TO tocsin_worker USING (true) WITH CHECK (true);
CREATE POLICY reader ON rule_versions FOR SELECT TO tocsin_reader USING (true);
CREATE POLICY api ON rule_versions FOR SELECT TO tocsin_api
  USING (organization_id IS NULL OR organization_id = nullif(current_setting('app.organization', true), '')::uuid);
CREATE POLICY api_add ON rule_versions FOR INSERT TO tocsin_api
  WITH CHECK (organization_id = nullif(current_setting('app.organization', true), '')::uuid);
CREATE POLICY api_add ON rules FOR INSERT TO tocsin_api
  WITH CHECK (organization_id = nullif(current_setting('app.organization', true), '')::uuid);
CREATE POLICY api_change ON rules FOR UPDATE TO tocsin_api
  USING (organization_id = nullif(current_setting('app.organization', true), '')::uuid)
  WITH CHECK (organization_id = nullif(current_setting('app.organization', true), '')::uuid);

GRANT SELECT, INSERT ON rule_versions TO tocsin_api, tocsin_worker;
GRANT SELECT ON rule_versions TO tocsin_reader;
GRANT INSERT ON rules TO tocsin_api;
GRANT UPDATE (version, state, owner, in_force, draft, updated_at) ON rules TO tocsin_api;
