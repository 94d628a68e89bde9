-- What the operator allows an organization; {}: as the installation is configured.
ALTER TABLE organizations ADD COLUMN limits jsonb NOT NULL DEFAULT '{}';
GRANT UPDATE (limits) ON organizations TO tocsin_api;

-- Permissions in every organization, given to a subject by the operator of the database (security.md §1).
ALTER TABLE subjects ADD COLUMN grants text[] NOT NULL DEFAULT '{}';

-- An operator sees which organizations there are: only of a transaction whose subject is one.
CREATE POLICY api_operator ON organizations FOR SELECT TO tocsin_api
  USING (EXISTS (SELECT 1 FROM subjects s WHERE s.subject = nullif(current_setting('app.subject', true), '') AND s.operator));

-- The first operator of a fresh installation, and never a second one. tocsin_api may not set "operator"; the function's owner may,
-- under a policy of its own, because FORCE binds the owner too. False: there is an operator.
CREATE POLICY owner ON subjects TO tocsin_owner USING (true) WITH CHECK (true);
CREATE FUNCTION make_first_operator(first varchar) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = persistence, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('tocsin first operator'));
  IF EXISTS (SELECT 1 FROM subjects WHERE operator) THEN
    RETURN false;
  END IF;
  INSERT INTO subjects (subject, operator, version) VALUES (first, true, 1)
      ON CONFLICT (subject) DO UPDATE SET operator = true, version = subjects.version + 1;
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION make_first_operator(varchar) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_first_operator(varchar) TO tocsin_api;

-- What a subject may do is told on topic access also where no organization changed it: by a transaction of that subject.
CREATE POLICY api_subject ON outbox FOR INSERT TO tocsin_api
  WITH CHECK (organization_id IS NULL AND topic = 'access' AND key = nullif(current_setting('app.subject', true), ''));
