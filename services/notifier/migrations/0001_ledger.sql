-- The notifier's own schema: what it has read, what it planned, what it sent. No other service reads or writes it.

-- Where the reader of `alerts` stands; moved in the same transaction as the plan (design §5.3).
CREATE TABLE offsets (
  topic       text        NOT NULL,
  partition   integer     NOT NULL,
  next        bigint      NOT NULL CHECK (next >= 0),
  cluster_id  text        NOT NULL,
  -- Records before it are recorded and not told: set after a rebuild (design §5.8).
  notify_from bigint      NOT NULL DEFAULT 0,
  updated_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic, partition)
);

-- A copy of each alert, both halves, without evidence: messages are rendered from it. json and not jsonb, because text of a sender
-- may hold what jsonb refuses.
CREATE TABLE alerts (
  id              uuid        PRIMARY KEY,
  organization_id uuid        NOT NULL,
  figures         json,
  revision        integer     NOT NULL DEFAULT 0,
  people          json        NOT NULL DEFAULT '{}',
  version         integer     NOT NULL DEFAULT 0,
  first_told_at   timestamptz,
  updated_at      timestamptz NOT NULL DEFAULT now()
);

-- Decisions: a timer (`planned`), what became of it, or the named reason for none (`skipped`).
CREATE TABLE notifications (
  id              uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid        NOT NULL,
  alert_id        uuid        NOT NULL REFERENCES alerts (id),
  event           text        NOT NULL,
  change          text        NOT NULL,
  severity        text        NOT NULL,
  channels        text[]      NOT NULL DEFAULT '{}',
  status          text        NOT NULL CHECK (status IN ('planned', 'made', 'cancelled', 'superseded', 'skipped')),
  reason          text,
  -- The alert's version when it was planned: what people did later may stop it.
  version         integer     NOT NULL,
  due_at          timestamptz,
  created_at      timestamptz NOT NULL DEFAULT now(),
  UNIQUE (alert_id, change)
);
CREATE INDEX notifications_due ON notifications (due_at) WHERE status = 'planned';
CREATE INDEX notifications_untold ON notifications (organization_id) WHERE status = 'skipped' AND reason IN ('nobodyToTell', 'organizationUnknown');

-- One message to one destination.
CREATE TABLE deliveries (
  id              uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid        NOT NULL,
  alert_id        uuid        NOT NULL REFERENCES alerts (id),
  channel         text        NOT NULL,
  destination     text        NOT NULL,
  event           text        NOT NULL,
  change          text        NOT NULL,
  telling         boolean     NOT NULL,
  -- Higher goes first where several wait for one destination.
  urgency         integer     NOT NULL,
  version         integer     NOT NULL,
  actor           text,
  status          text        NOT NULL DEFAULT 'waiting'
                  CHECK (status IN ('waiting', 'sending', 'sent', 'failed', 'cancelled', 'superseded')),
  reason          text,
  -- When somebody should have been told; `due_at` is when it is tried next.
  planned_for     timestamptz NOT NULL,
  due_at          timestamptz NOT NULL,
  made_at         timestamptz NOT NULL DEFAULT now(),
  -- Raised by each claim; only the holder of the present one may record anything.
  fence           integer     NOT NULL DEFAULT 0,
  lease_until     timestamptz,
  attempts        integer     NOT NULL DEFAULT 0,
  sent_at         timestamptz,
  provider_id     text,
  ref             json,
  latency_ms      integer,
  late            boolean     NOT NULL DEFAULT false,
  -- Nothing is told twice.
  UNIQUE (alert_id, channel, destination, change)
);
-- At most one in flight and one behind it, over all instances.
CREATE UNIQUE INDEX deliveries_in_flight ON deliveries (alert_id, channel, destination) WHERE status = 'sending';
CREATE UNIQUE INDEX deliveries_behind ON deliveries (alert_id, channel, destination) WHERE status = 'waiting';
CREATE INDEX deliveries_unfinished ON deliveries (organization_id, channel, destination, due_at) WHERE status IN ('waiting', 'sending');

-- Every try.
CREATE TABLE attempts (
  id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id uuid        NOT NULL,
  delivery_id     uuid        NOT NULL REFERENCES deliveries (id),
  fence           integer     NOT NULL,
  at              timestamptz NOT NULL DEFAULT now(),
  outcome         text        NOT NULL CHECK (outcome IN ('accepted', 'retry', 'destination', 'message')),
  code            text,
  provider_id     text,
  latency_ms      integer     NOT NULL
);
CREATE INDEX attempts_of_delivery ON attempts (delivery_id);

-- A destination that is left alone for a while: it asked for it (Retry-After), or its breaker is open. Shared by all instances.
CREATE TABLE destinations (
  organization_id uuid        NOT NULL,
  channel         text        NOT NULL,
  destination     text        NOT NULL,
  breaker         text        NOT NULL DEFAULT 'closed' CHECK (breaker IN ('closed', 'open', 'halfOpen')),
  hold_until      timestamptz,
  hold_reason     text,
  updated_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, channel, destination)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON offsets, alerts, notifications, deliveries, attempts, destinations TO tocsin_notifier;
GRANT SELECT ON offsets, alerts, notifications, deliveries, attempts, destinations TO tocsin_reader;

-- The worker sees every organization; a request sets app.organization and then sees only that one, whatever the query says.
ALTER TABLE alerts ENABLE ROW LEVEL SECURITY;
ALTER TABLE alerts FORCE ROW LEVEL SECURITY;
ALTER TABLE notifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE notifications FORCE ROW LEVEL SECURITY;
ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE deliveries FORCE ROW LEVEL SECURITY;
ALTER TABLE attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE attempts FORCE ROW LEVEL SECURITY;
ALTER TABLE destinations ENABLE ROW LEVEL SECURITY;
ALTER TABLE destinations FORCE ROW LEVEL SECURITY;

CREATE POLICY own ON alerts TO tocsin_notifier USING (
  coalesce(current_setting('app.organization', true), '') = '' OR organization_id = nullif(current_setting('app.organization', true), '')::uuid);
CREATE POLICY own ON notifications TO tocsin_notifier USING (
  coalesce(current_setting('app.organization', true), '') = '' OR organization_id = nullif(current_setting('app.organization', true), '')::uuid);
CREATE POLICY own ON deliveries TO tocsin_notifier USING (
  coalesce(current_setting('app.organization', true), '') = '' OR organization_id = nullif(current_setting('app.organization', true), '')::uuid);
CREATE POLICY own ON attempts TO tocsin_notifier USING (
  coalesce(current_setting('app.organization', true), '') = '' OR organization_id = nullif(current_setting('app.organization', true), '')::uuid);
CREATE POLICY own ON destinations TO tocsin_notifier USING (
  coalesce(current_setting('app.organization', true), '') = '' OR organization_id = nullif(current_setting('app.organization', true), '')::uuid);
CREATE POLICY every ON alerts FOR SELECT TO tocsin_reader USING (true);
CREATE POLICY every ON notifications FOR SELECT TO tocsin_reader USING (true);
CREATE POLICY every ON deliveries FOR SELECT TO tocsin_reader USING (true);
CREATE POLICY every ON attempts FOR SELECT TO tocsin_reader USING (true);
CREATE POLICY every ON destinations FOR SELECT TO tocsin_reader USING (true);
