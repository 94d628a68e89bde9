-- The background pass wraps data keys anew when the master key was rotated; the worker also destroys them.
GRANT UPDATE (master_key, wrapped, destroyed_at) ON data_keys TO tocsin_worker;
CREATE INDEX data_keys_destroyed ON data_keys (destroyed_at) WHERE destroyed_at IS NOT NULL;
CREATE INDEX data_keys_master_key ON data_keys (master_key) WHERE wrapped IS NOT NULL;
