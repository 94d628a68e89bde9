-- Sealed bytes do not become smaller: PostgreSQL need not try.
ALTER TABLE alerts ALTER COLUMN metadata SET STORAGE EXTERNAL;
ALTER TABLE alert_evidence ALTER COLUMN evidence SET STORAGE EXTERNAL;
ALTER TABLE history_payloads ALTER COLUMN payload SET STORAGE EXTERNAL;
