-- Permissions in every organization, given to a subject by an operator (docs/decisions/0031). A row stays when it has ended.
CREATE TABLE grants (
  id         uuid PRIMARY KEY,
  subject    varchar(255) NOT NULL,
  permission text NOT NULL CHECK (permission IN ('alerts:view:all', 'alerts:acknowledge:all', 'alerts:resolve:all', 'alerts:dismiss:all')),
  reason     text NOT NULL CHECK (reason <> ''),
  granted_by varchar(255) NOT NULL,
  granted_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
  ended_by   varchar(255),
  ended_at   timestamptz,
  CHECK ((ended_by IS NULL) = (ended_at IS NULL))
);
CREATE UNIQUE INDEX grants_in_force ON grants (subject, permission) WHERE ended_at IS NULL;

ALTER TABLE grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE grants FORCE ROW LEVEL SECURITY;
CREATE POLICY reader ON grants FOR SELECT TO tocsin_reader USING (true);
CREATE POLICY api_own ON grants FOR SELECT TO tocsin_api USING (subject = nullif(current_setting('app.subject', true), ''));
CREATE POLICY api_operator ON grants TO tocsin_api
  USING (EXISTS (SELECT 1 FROM subjects s WHERE s.subject = nullif(current_setting('app.subject', true), '') AND s.operator))
  WITH CHECK (EXISTS (SELECT 1 FROM subjects s WHERE s.subject = nullif(current_setting('app.subject', true), '') AND s.operator));
GRANT SELECT, INSERT ON grants TO tocsin_api;
GRANT UPDATE (ended_by, ended_at) ON grants TO tocsin_api;
GRANT SELECT ON grants TO tocsin_reader;

-- Whoever has a grant sees which organizations there are: only of a transaction of that subject.
CREATE POLICY api_grant ON organizations FOR SELECT TO tocsin_api
  USING (deleted_at IS NULL AND EXISTS (SELECT 1 FROM grants g
                                         WHERE g.subject = nullif(current_setting('app.subject', true), '') AND g.ended_at IS NULL));
