-- The next offset to be read; moves in the same transaction as the effect of what lies before it (design §5.3).
CREATE TABLE offsets (
  topic      text NOT NULL,
  partition  integer NOT NULL,
  next       bigint NOT NULL CHECK (next >= 0),
  cluster_id text NOT NULL,
  PRIMARY KEY (topic, partition)
);

-- What is still to be written to Kafka, in the order of id. Rows go after the broker's acknowledgement (design §5.4).
CREATE TABLE outbox (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id uuid,
  topic           text NOT NULL,
  partition       integer NOT NULL,
  key             text NOT NULL,
  value           text NOT NULL,
  headers         jsonb NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- Wakes the relay at commit; it also looks by itself from time to time.
CREATE FUNCTION wake_outbox_relay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('tocsin_outbox', '');
  RETURN NULL;
END $$;
CREATE TRIGGER outbox_wakes_relay AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION wake_outbox_relay();
