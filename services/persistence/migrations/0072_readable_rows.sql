-- What 0.1 left readable (first byte 0), found without reading the tables: protection/resealing.ts seals it, and the indexes are empty then.
CREATE INDEX alerts_readable ON alerts (id)
  WHERE substring(metadata, 1, 1) = '\x00' OR substring(resolution_notes, 1, 1) = '\x00' OR substring(resolution_metadata, 1, 1) = '\x00';
CREATE INDEX alert_evidence_readable ON alert_evidence (alert_id) WHERE substring(evidence, 1, 1) = '\x00';
CREATE INDEX history_payloads_readable ON history_payloads (history_id) WHERE substring(payload, 1, 1) = '\x00';

-- The same text under the same commitment, sealed.
GRANT UPDATE (payload) ON history_payloads TO tocsin_worker;
