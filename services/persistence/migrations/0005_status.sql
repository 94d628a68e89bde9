-- What people say of an alert beyond its status.
ALTER TABLE alerts
  ADD COLUMN resolution_action          text,
  ADD COLUMN resolution_metadata        jsonb,
  ADD COLUMN acknowledgement_expires_at timestamptz,
  ADD COLUMN ended_at_count             bigint CHECK (ended_at_count >= 0),
  ADD COLUMN labels                     text[] NOT NULL DEFAULT '{}';

GRANT UPDATE (resolution_action, resolution_metadata, acknowledgement_expires_at, ended_at_count, labels) ON alerts TO tocsin_api;
