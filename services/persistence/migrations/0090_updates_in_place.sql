-- A revision mostly changes nothing that an index holds, so that PostgreSQL updates the row in place (docs/decisions/0011). What
-- changes with every revision is therefore indexed coarsely, and sorted exactly among the few of one hour or of one length.
DROP INDEX alerts_updated;
DROP INDEX alerts_largest;
DROP INDEX alerts_ended;

ALTER TABLE alerts
  ADD COLUMN updated_hour timestamptz NOT NULL GENERATED ALWAYS AS (date_bin('1 hour', updated_at, '2000-01-01 00:00:00+00')) STORED,
  -- Digits of the count.
  ADD COLUMN count_digits smallint NOT NULL GENERATED ALWAYS AS (length(count::text)) STORED,
  -- Room on the page for the next version of a row.
  SET (fillfactor = 80);
ALTER TABLE alert_evidence SET (fillfactor = 80);

CREATE INDEX alerts_updated ON alerts (organization_id, updated_hour DESC);
CREATE INDEX alerts_largest ON alerts (organization_id, count_digits DESC);
-- What retention looks for: ended alerts of one organization and severity, the longest unchanged first.
CREATE INDEX alerts_ended ON alerts (organization_id, severity, updated_hour)
  WHERE status IN ('resolved', 'dismissed') AND NOT open;
