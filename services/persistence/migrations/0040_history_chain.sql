-- The chain of an organization's history (security.md §5, docs/history.md): sequence from 1 without holes, each hash over the one before.
CREATE TABLE history_seals (
  organization_id uuid NOT NULL,
  sequence        bigint NOT NULL CHECK (sequence > 0),
  history_id      uuid NOT NULL UNIQUE,
  previous        bytea NOT NULL CHECK (octet_length(previous) = 32),
  hash            bytea NOT NULL CHECK (octet_length(hash) = 32),
  sealed_at       timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (organization_id, sequence)
);

-- What still waits for its seal. An entry enters with its own transaction, so one that commits late is not overlooked.
CREATE TABLE history_unsealed (
  history_id      uuid PRIMARY KEY,
  organization_id uuid NOT NULL,
  position        bigint NOT NULL,
  written_at      timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX history_unsealed_next ON history_unsealed (organization_id, position);

-- Signed places of the chain: heads, which leave the database, and checkpoints, at which retention cut.
CREATE TABLE history_heads (
  organization_id uuid NOT NULL,
  sequence        bigint NOT NULL,
  hash            bytea NOT NULL CHECK (octet_length(hash) = 32),
  at              timestamptz NOT NULL,
  key_id          varchar(255) NOT NULL,
  signature       varchar(255) NOT NULL,
  PRIMARY KEY (organization_id, sequence)
);
CREATE TABLE history_checkpoints (LIKE history_heads INCLUDING ALL);

CREATE FUNCTION queue_history_for_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO history_unsealed (history_id, organization_id, position) VALUES (NEW.id, NEW.organization_id, NEW.position);
  RETURN NULL;
END $$;
CREATE TRIGGER history_waits_for_seal AFTER INSERT ON history FOR EACH ROW EXECUTE FUNCTION queue_history_for_seal();

-- A checkpoint lies on the chain, so that what it lets go of is known.
CREATE FUNCTION refuse_loose_checkpoint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM history_seals
                  WHERE organization_id = NEW.organization_id AND sequence = NEW.sequence AND hash = NEW.hash) THEN
    RAISE EXCEPTION 'checkpoint % does not lie on the chain of organization %', NEW.sequence, NEW.organization_id USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER checkpoint_lies_on_chain BEFORE INSERT ON history_checkpoints FOR EACH ROW EXECUTE FUNCTION refuse_loose_checkpoint();

-- Beside the missing grants: a role that has too many is refused as well, and so is a superuser's careless statement.
CREATE FUNCTION refuse_history_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND EXISTS (
       SELECT FROM history_checkpoints c
        WHERE c.organization_id = OLD.organization_id
          AND c.sequence >= CASE TG_TABLE_NAME
                WHEN 'history_seals' THEN (to_jsonb(OLD) ->> 'sequence')::bigint
                ELSE (SELECT s.sequence FROM history_seals s WHERE s.history_id = (to_jsonb(OLD) ->> 'id')::uuid) END) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION '% of % is refused: the history is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '42501';
END $$;
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['history', 'history_seals', 'history_heads', 'history_checkpoints']
  LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_history_change()', name || '_stays', name);
    EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_history_change()', name || '_is_as_written', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['history', 'history_seals']
  LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_history_change()', name || '_is_kept', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['history_seals', 'history_unsealed', 'history_heads', 'history_checkpoints']
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
  -- The owner, in whose name cut_history deletes, is bound by the policies like everybody.
  FOREACH name IN ARRAY ARRAY['history', 'history_payloads', 'history_seals']
  LOOP
    EXECUTE format('CREATE POLICY cut_read ON %I FOR SELECT TO CURRENT_USER USING (true)', name);
    EXECUTE format('CREATE POLICY cut ON %I FOR DELETE TO CURRENT_USER USING (true)', name);
  END LOOP;
END $$;
CREATE POLICY cut_read ON history_checkpoints FOR SELECT TO CURRENT_USER USING (true);

GRANT SELECT ON history_seals, history_heads, history_checkpoints TO tocsin_api, tocsin_worker, tocsin_reader;
GRANT INSERT ON history_seals, history_heads, history_checkpoints TO tocsin_worker;
GRANT INSERT ON history_unsealed TO tocsin_api, tocsin_worker;
GRANT SELECT, DELETE ON history_unsealed TO tocsin_worker;
GRANT SELECT ON history_unsealed TO tocsin_reader;
-- Erasure takes payloads only; the chain holds without them.
GRANT DELETE ON history_payloads TO tocsin_worker;

-- Deletes at most $2 sealed entries that lie up to the newest checkpoint of organization $1, oldest first; answers how many. What lies
-- behind the checkpoint cannot be reached, whoever calls.
CREATE FUNCTION cut_history(organization uuid, at_most integer) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = persistence, pg_temp AS $$
DECLARE
  gone uuid[];
BEGIN
  gone := ARRAY(
    SELECT s.history_id FROM history_seals s
     WHERE s.organization_id = organization
       AND s.sequence <= (SELECT max(c.sequence) FROM history_checkpoints c WHERE c.organization_id = organization)
     ORDER BY s.sequence LIMIT at_most);
  DELETE FROM history_payloads WHERE history_id = ANY (gone);
  DELETE FROM history WHERE id = ANY (gone);
  DELETE FROM history_seals WHERE history_id = ANY (gone);
  RETURN cardinality(gone);
END $$;
REVOKE EXECUTE ON FUNCTION cut_history FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cut_history TO tocsin_worker;

-- What 0.1 kept is sealed by the first start, in its order.
ALTER TABLE history NO FORCE ROW LEVEL SECURITY;
ALTER TABLE history_unsealed NO FORCE ROW LEVEL SECURITY;
INSERT INTO history_unsealed (history_id, organization_id, position) SELECT id, organization_id, position FROM history;
ALTER TABLE history FORCE ROW LEVEL SECURITY;
ALTER TABLE history_unsealed FORCE ROW LEVEL SECURITY;
