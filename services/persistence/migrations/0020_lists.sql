-- What lists, search and statistics need (docs/decisions/0010).
ALTER TABLE alerts
  -- Higher is more severe.
  ADD COLUMN severity_rank smallint GENERATED ALWAYS AS (
    CASE severity WHEN 'CRITICAL' THEN 5 WHEN 'HIGH' THEN 4 WHEN 'MEDIUM' THEN 3 WHEN 'LOW' THEN 2 ELSE 1 END) STORED,
  -- Bounded, because an index holds it.
  ADD COLUMN rule_id text GENERATED ALWAYS AS (left(rule ->> 'id', 200)) STORED,
  -- Words of core/search-words.ts, each with the organization's first eight digits before it: what one organization is asked for
  -- never costs what another one holds.
  ADD COLUMN document tsvector NOT NULL DEFAULT '';

-- People's labels as words of the document; `+` is in no word of texts.
CREATE FUNCTION label_words(organization uuid, labels text[]) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_to_tsvector(ARRAY(
  SELECT left(organization::text, 8) || '+' || left(encode(sha256(convert_to(label, 'UTF8')), 'hex'), 16)
    FROM unnest(labels) AS label));

-- Alerts of 0.1: the words of their texts; their tags and subjects by digest, as core/search-words.ts makes them.
ALTER TABLE alerts NO FORCE ROW LEVEL SECURITY;
UPDATE alerts
   SET document = array_to_tsvector(ARRAY(
         SELECT left(organization_id::text, 8) || left(word, 64)
           FROM regexp_split_to_table(
                  lower(left(concat_ws(' ', title, rule ->> 'name', source, array_to_string(tags, ' '),
                                       jsonb_path_query_array("group", '$.*')::text, description), 8000)), '[^[:alnum:]@._:/-]+') AS word
          WHERE word <> ''
         UNION ALL
         SELECT left(organization_id::text, 8) || '=' || left(encode(sha256(convert_to(value, 'UTF8')), 'hex'), 16)
           FROM jsonb_each_text("group")
         UNION ALL
         SELECT left(organization_id::text, 8) || '#' || left(encode(sha256(convert_to(tag, 'UTF8')), 'hex'), 16)
           FROM unnest(tags) AS tag))
       || label_words(organization_id, labels);
ALTER TABLE alerts FORCE ROW LEVEL SECURITY;

DROP INDEX idx_alerts_list;
-- Each filter is a key, so that what does not fit is passed over in the index; what else statistics read lies beside the keys.
CREATE INDEX alerts_newest ON alerts
  (organization_id, created_at DESC, id DESC, status, severity, type, source, rule_id, assignee, merged_into)
  INCLUDE (acknowledged_at, resolved_at, dismiss_reason);
CREATE INDEX alerts_updated ON alerts (organization_id, updated_at DESC, id DESC);
CREATE INDEX alerts_severest ON alerts (organization_id, severity_rank DESC, created_at DESC, id DESC);
CREATE INDEX alerts_largest ON alerts (organization_id, count DESC, created_at DESC, id DESC);
CREATE INDEX alerts_document ON alerts USING gin (document);

-- The index answers statistics alone where the visibility map is kept, which by default waits for a fifth of the table to be new.
ALTER TABLE alerts SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

-- Under row-level security `@@` uses no index, since it is not leakproof (security.md §3). The function asks as the owner, who may
-- read all alerts, and keeps to the organization of the transaction by itself. Ids of at most `most` alerts, in no order.
CREATE POLICY search ON alerts FOR SELECT TO CURRENT_USER USING (true);
CREATE FUNCTION search_alerts(wanted tsquery, most integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = persistence, pg_temp SET plan_cache_mode = force_custom_plan
SET enable_bitmapscan = on
AS $$
  SELECT id FROM alerts
   WHERE document @@ wanted AND organization_id = nullif(current_setting('app.organization', true), '')::uuid
   LIMIT most
$$;
REVOKE ALL ON FUNCTION search_alerts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_alerts TO tocsin_api;
GRANT UPDATE (document) ON alerts TO tocsin_api;
