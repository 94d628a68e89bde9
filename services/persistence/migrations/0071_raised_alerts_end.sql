-- What a key stands at goes with the last alert that it opened.
CREATE INDEX raised_alerts_alert ON raised_alerts (organization_id, alert_id);
CREATE POLICY worker ON raised_alerts TO tocsin_worker USING (true) WITH CHECK (true);
GRANT SELECT, DELETE ON raised_alerts TO tocsin_worker;

-- Those whose alert is gone already. The owner is bound by the policies too (FORCE), and no organization is set here.
ALTER TABLE raised_alerts NO FORCE ROW LEVEL SECURITY;
ALTER TABLE alert_tombstones NO FORCE ROW LEVEL SECURITY;
DELETE FROM raised_alerts r USING alert_tombstones t WHERE t.id = r.alert_id;
ALTER TABLE raised_alerts FORCE ROW LEVEL SECURITY;
ALTER TABLE alert_tombstones FORCE ROW LEVEL SECURITY;
