-- Sensitive fields of alerts are sealed with the organization's data key (byte 1), or still in clear (byte 0: rows of 0.1, until
-- their next change).
ALTER TABLE alerts ALTER COLUMN metadata DROP DEFAULT;
ALTER TABLE alerts
  ALTER COLUMN metadata            TYPE bytea USING '\x00'::bytea || convert_to(metadata::text, 'UTF8'),
  ALTER COLUMN resolution_notes    TYPE bytea USING '\x00'::bytea || convert_to(resolution_notes, 'UTF8'),
  ALTER COLUMN resolution_metadata TYPE bytea USING '\x00'::bytea || convert_to(resolution_metadata::text, 'UTF8');
ALTER TABLE alert_evidence
  ALTER COLUMN evidence TYPE bytea USING '\x00'::bytea || convert_to(evidence::text, 'UTF8');
