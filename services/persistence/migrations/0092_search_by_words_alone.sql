-- The words begin with digits of the organization's id, so the documents' index alone finds what is asked for. An equality would be looked up in
-- another index too, for all alerts of the organization, to intersect both: no index answers IS NOT DISTINCT FROM.
CREATE OR REPLACE FUNCTION search_alerts(wanted tsquery, most integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = persistence, pg_temp SET plan_cache_mode = force_custom_plan
SET enable_bitmapscan = on
AS $$
  SELECT id FROM alerts
   WHERE document @@ wanted AND organization_id IS NOT DISTINCT FROM nullif(current_setting('app.organization', true), '')::uuid
   LIMIT most
$$;
