-- What 0.1 left readable (first byte 0), found without reading the tables: protection/resealing.ts seals it, and the indexes are empty then.
-- Of a column of its own, because an index that names the sealed ones would keep each revision from being an update in place (0011).
ALTER TABLE alerts ADD COLUMN readable boolean NOT NULL GENERATED ALWAYS AS (
  substring(metadata, 1, 1) = '\x00' OR coalesce(substring(resolution_notes, 1, 1) = '\x00', false)
  OR coalesce(substring(resolution_metadata, 1, 1) = '\x00', false)) STORED;
ALTER TABLE alert_evidence ADD COLUMN readable boolean NOT NULL GENERATED ALWAYS AS (substring(evidence, 1, 1) = '\x00') STORED;
ALTER TABLE history_payloads ADD COLUMN readable boolean NOT NULL GENERATED ALWAYS AS (substring(payload, 1, 1) = '\x00') STORED;
CREATE INDEX alerts_readable ON alerts (id) WHERE readable;
CREATE INDEX alert_evidence_readable ON alert_evidence (alert_id) WHERE readable;
CREATE INDEX history_payloads_readable ON history_payloads (history_id) WHERE readable;

-- The same text under the same commitment, sealed.
GRANT UPDATE (payload) ON history_payloads TO tocsin_worker;
