-- Deleting an organization (security.md §4, docs/sensitive-data.md). Its row stays, without content: the slug is never given to another one,
-- and the applier knows by it what to drop. tocsin_api does not see it any more, so it is answered like one that never was.
ALTER TABLE organizations ADD COLUMN deleted_at timestamptz;

ALTER POLICY api ON organizations
  USING (deleted_at IS NULL AND id = nullif(current_setting('app.organization', true), '')::uuid);
ALTER POLICY api_own ON organizations
  USING (deleted_at IS NULL AND id IN (SELECT m.organization_id FROM memberships m
                                        WHERE m.subject = nullif(current_setting('app.subject', true), '')));
ALTER POLICY api_operator ON organizations
  USING (deleted_at IS NULL AND EXISTS (SELECT 1 FROM subjects s WHERE s.subject = nullif(current_setting('app.subject', true), '') AND s.operator));

-- What outlives an organization: who deleted it, when and why, in clear, since its key is gone; and the last place of its history, whose
-- signed head lies on topic history.heads. Only how far the work is may change.
CREATE TABLE organization_deletions (
  organization_id uuid PRIMARY KEY REFERENCES organizations (id),
  slug            varchar(63) NOT NULL,
  reason          text NOT NULL CHECK (reason <> ''),
  deleted_by      varchar(255) NOT NULL,
  channel         text NOT NULL,
  deleted_at      timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
  -- null: the history is not sealed to its end yet.
  last_sequence   bigint,
  last_hash       bytea CHECK (octet_length(last_hash) = 32),
  -- Rows that went.
  removed         bigint NOT NULL DEFAULT 0,
  finished_at     timestamptz
);
CREATE INDEX organization_deletions_unfinished ON organization_deletions (deleted_at, organization_id) WHERE finished_at IS NULL;
CREATE INDEX alert_tombstones_organization ON alert_tombstones (organization_id);

ALTER TABLE organization_deletions ENABLE ROW LEVEL SECURITY;
ALTER TABLE organization_deletions FORCE ROW LEVEL SECURITY;
CREATE POLICY worker ON organization_deletions TO tocsin_worker USING (true) WITH CHECK (true);
CREATE POLICY reader ON organization_deletions FOR SELECT TO tocsin_reader USING (true);
CREATE POLICY api_operator ON organization_deletions FOR SELECT TO tocsin_api
  USING (EXISTS (SELECT 1 FROM subjects s WHERE s.subject = nullif(current_setting('app.subject', true), '') AND s.operator));
GRANT SELECT ON organization_deletions TO tocsin_api, tocsin_worker, tocsin_reader;
GRANT UPDATE (last_sequence, last_hash, removed, finished_at) ON organization_deletions TO tocsin_worker;

-- A tombstone has no value.
ALTER TABLE outbox ALTER COLUMN value DROP NOT NULL;

-- The functions below ask as the owner, whom FORCE binds too.
CREATE POLICY deletion ON organizations TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY deletion ON data_keys TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY deletion ON organization_deletions TO CURRENT_USER USING (true) WITH CHECK (true);

-- What cannot be taken back, in one place: the mark, the data key, the record of who did it. The transaction's subject must be an operator.
CREATE FUNCTION delete_organization(organization uuid, why text, by_channel text) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = persistence, pg_temp AS $$
DECLARE
  actor varchar := nullif(current_setting('app.subject', true), '');
BEGIN
  IF NOT EXISTS (SELECT FROM subjects s WHERE s.subject = actor AND s.operator) THEN
    RAISE EXCEPTION 'only an operator deletes an organization' USING ERRCODE = '42501';
  END IF;
  UPDATE organizations
     SET deleted_at = now(), version = version + 1, name = slug, settings = '{}', limits = '{}',
         recipients = '{"emails": [], "slackChannels": [], "phoneNumbers": []}'
   WHERE id = organization AND deleted_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'organization % is not there', organization USING ERRCODE = 'P0002';
  END IF;
  UPDATE data_keys SET wrapped = NULL, destroyed_at = now() WHERE organization_id = organization;
  UPDATE partition_load SET organizations = partition_load.organizations - 1
   WHERE partition = (SELECT o.partition FROM organizations o WHERE o.id = organization);
  INSERT INTO organization_deletions (organization_id, slug, reason, deleted_by, channel)
  SELECT id, slug, why, actor, by_channel FROM organizations WHERE id = organization;
END $$;
REVOKE EXECUTE ON FUNCTION delete_organization FROM PUBLIC;
GRANT EXECUTE ON FUNCTION delete_organization TO tocsin_api;

-- The history is append-only as long as its organization is there.
CREATE OR REPLACE FUNCTION refuse_history_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF EXISTS (SELECT FROM organizations o WHERE o.id = OLD.organization_id AND o.deleted_at IS NOT NULL) THEN
      RETURN OLD;
    END IF;
    IF EXISTS (
         SELECT FROM history_checkpoints c
          WHERE c.organization_id = OLD.organization_id
            AND c.sequence >= CASE TG_TABLE_NAME
                  WHEN 'history_seals' THEN (to_jsonb(OLD) ->> 'sequence')::bigint
                  ELSE (SELECT s.sequence FROM history_seals s WHERE s.history_id = (to_jsonb(OLD) ->> 'id')::uuid) END) THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION '% of % is refused: the history is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '42501';
END $$;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['history_unsealed', 'history_heads', 'history_checkpoints', 'alert_tombstones', 'holds', 'erasures',
                              'idempotency_keys', 'raised_alerts', 'api_keys', 'memberships', 'rule_versions', 'rules']
  LOOP
    EXECUTE format('CREATE POLICY removal_read ON %I FOR SELECT TO CURRENT_USER USING (true)', name);
    EXECUTE format('CREATE POLICY removal ON %I FOR DELETE TO CURRENT_USER
                      USING (organization_id IN (SELECT o.id FROM organizations o WHERE o.deleted_at IS NOT NULL))', name);
  END LOOP;
END $$;

-- Removes at most $2 rows of a deleted organization, alerts apart; answers how many. Those of others cannot be reached, whoever calls.
CREATE FUNCTION remove_deleted(organization uuid, at_most integer) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = persistence, pg_temp AS $$
DECLARE
  entries uuid[];
  name text;
  gone integer;
  removed integer;
BEGIN
  IF NOT EXISTS (SELECT FROM organizations o WHERE o.id = organization AND o.deleted_at IS NOT NULL) THEN
    RAISE EXCEPTION 'organization % is not deleted', organization USING ERRCODE = '42501';
  END IF;
  entries := ARRAY(SELECT h.id FROM history h WHERE h.organization_id = organization LIMIT at_most);
  DELETE FROM history_payloads WHERE history_id = ANY (entries);
  DELETE FROM history_unsealed WHERE history_id = ANY (entries);
  DELETE FROM history_seals WHERE history_id = ANY (entries);
  DELETE FROM history WHERE id = ANY (entries);
  removed := cardinality(entries);
  FOREACH name IN ARRAY ARRAY['history_seals', 'history_heads', 'history_checkpoints', 'alert_tombstones', 'holds', 'erasures',
                              'idempotency_keys', 'raised_alerts', 'api_keys', 'memberships', 'rule_versions', 'rules']
  LOOP
    EXIT WHEN removed >= at_most;
    EXECUTE format('DELETE FROM %1$I WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$I WHERE organization_id = $1 LIMIT $2))', name)
      USING organization, at_most - removed;
    GET DIAGNOSTICS gone = ROW_COUNT;
    removed := removed + gone;
  END LOOP;
  RETURN removed;
END $$;
REVOKE EXECUTE ON FUNCTION remove_deleted FROM PUBLIC;
GRANT EXECUTE ON FUNCTION remove_deleted TO tocsin_worker;
