-- The seed's table under the seed's names, extended: both halves of an alert (design §5.2) in one row.
-- Status, severity and type are text with a check: enum "=" is not leakproof under row-level security (security.md §3).
CREATE TABLE alerts (
  id               uuid PRIMARY KEY,
  organization_id  uuid NOT NULL,
  severity         text NOT NULL CHECK (severity IN ('CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO')),
  type             text NOT NULL CHECK (type IN ('SECURITY', 'COMPLIANCE', 'PERFORMANCE', 'SYSTEM', 'METRICS')),
  title            text NOT NULL,
  description      text NOT NULL,
  source           varchar(50) NOT NULL,
  status           text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'acknowledged', 'resolved', 'dismissed')),
  metadata         jsonb NOT NULL DEFAULT '{}',
  acknowledged     boolean NOT NULL DEFAULT false,
  acknowledged_at  timestamptz,
  acknowledged_by  varchar(255),
  resolved         boolean NOT NULL DEFAULT false,
  resolved_at      timestamptz,
  resolved_by      varchar(255),
  resolution_notes text,
  created_at       timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at       timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,

  -- Figures: numbered by revision, written by whoever detects.
  rule             jsonb NOT NULL,
  pattern          text,
  "group"          jsonb NOT NULL,
  "window"         jsonb NOT NULL,
  first_seen       timestamptz NOT NULL,
  last_seen        timestamptz NOT NULL,
  count            bigint NOT NULL CHECK (count >= 0),
  peak             double precision NOT NULL,
  revision         integer NOT NULL CHECK (revision >= 1),
  open             boolean NOT NULL,
  backfilled       boolean NOT NULL,
  tags             text[] NOT NULL DEFAULT '{}',
  runbook          text,
  correlation_id   text,
  merged_into      uuid,

  -- Status: numbered by version, written by people's actions; 0 until somebody acts.
  version          integer NOT NULL DEFAULT 0 CHECK (version >= 0),
  assignee         varchar(255),
  dismissed_at     timestamptz,
  dismissed_by     varchar(255),
  dismiss_reason   text CHECK (dismiss_reason IN ('false positive', 'benign', 'duplicate', 'test', 'accepted risk'))
);

CREATE INDEX idx_alerts_organization ON alerts (organization_id);
CREATE INDEX idx_alerts_status ON alerts (status);
CREATE INDEX idx_alerts_severity ON alerts (severity);
CREATE INDEX idx_alerts_type ON alerts (type);
CREATE INDEX idx_alerts_source ON alerts (source);
CREATE INDEX idx_alerts_timestamp ON alerts (created_at);
-- The list: one organization, newest first, by keyset.
CREATE INDEX idx_alerts_list ON alerts (organization_id, created_at DESC, id DESC);

-- Apart from the row, so that a list does not read what only the alert's page shows.
CREATE TABLE alert_evidence (
  alert_id        uuid PRIMARY KEY REFERENCES alerts (id) ON DELETE CASCADE,
  organization_id uuid NOT NULL,
  revision        integer NOT NULL,
  evidence        jsonb NOT NULL
);

-- Append-only: no role of a service may update or delete here.
CREATE TABLE alert_history (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  alert_id        uuid NOT NULL,
  organization_id uuid NOT NULL,
  version         integer NOT NULL,
  at              timestamptz NOT NULL,
  actor           varchar(255) NOT NULL,
  action          text NOT NULL,
  from_status     text NOT NULL,
  to_status       text NOT NULL,
  changes         jsonb NOT NULL,
  UNIQUE (alert_id, version)
);
CREATE INDEX alert_history_organization ON alert_history (organization_id, at);
