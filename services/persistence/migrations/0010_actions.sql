-- Acknowledgements that end by themselves, soonest first; all others have none.
CREATE INDEX alerts_acknowledgement_expires ON alerts (acknowledgement_expires_at) WHERE acknowledgement_expires_at IS NOT NULL;
