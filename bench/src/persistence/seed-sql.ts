/** Alerts made in the database itself, by formula: the same numbers give the same alerts, but for their times. Run as superuser. */

/** Statements that take the table's own indexes away and bring them back: five million rows in minutes. */
export const INDEX_STATEMENTS = `
SELECT 'DROP INDEX persistence.' || quote_ident(indexname) AS drop, indexdef AS create
  FROM pg_indexes WHERE schemaname = 'persistence' AND tablename = 'alerts' AND indexname <> 'alerts_pkey'`

/** $1 number. Ids as \`organization\` in seed.ts. */
export const SEED_ORGANIZATIONS = `
INSERT INTO organizations (id, slug, name, version, partition, settings, recipients)
SELECT md5('organization ' || o)::uuid, 'bench-' || o, 'Bench ' || o, 1, o % 4, '{}', '{"emails":[],"slackChannels":[],"phoneNumbers":[]}'
  FROM generate_series(0, $1::integer - 1) AS o`

/**
 * $1 first number, $2 organizations, $3 sealed metadata of each in turn, as base64, $4 how many there will be: one each 6 s, up to now, so that
 * retention leaves them. Every fifth alert is of organization 1, every 25th
 * beside them of organization 0, the others are of the rest in turn. A row takes 2 KB, metadata of 900 bytes in it. `r`: 28 random bits of the
 * alert's number.
 */
export const SEED_ALERTS = `
INSERT INTO alerts (id, organization_id, severity, type, title, description, source, status, metadata, acknowledged, acknowledged_at,
                    acknowledged_by, resolved, resolved_at, resolved_by, dismissed_at, dismissed_by, dismiss_reason, created_at, updated_at,
                    rule, pattern, "group", "window", first_seen, last_seen, count, peak, revision, open, backfilled, tags, version, document)
SELECT md5('alert ' || i)::uuid, organization,
       (ARRAY['CRITICAL', 'HIGH', 'HIGH', 'MEDIUM', 'MEDIUM', 'MEDIUM', 'LOW', 'LOW', 'LOW', 'INFO'])[1 + r % 10],
       (ARRAY['SECURITY', 'SECURITY', 'SECURITY', 'COMPLIANCE', 'PERFORMANCE', 'SYSTEM', 'METRICS'])[1 + r / 16 % 7],
       'Failed sign-ins: ' || who, 'Failed sign-ins of ' || who || ' from ' || host || ' within five minutes' || repeat('; further attempts were seen elsewhere', 8),
       (ARRAY['detector', 'detector', 'detector', 'monitor', 'api:siem'])[1 + r / 128 % 5],
       status, decode(metadata, 'base64'), status = 'acknowledged',
       CASE WHEN status IN ('acknowledged', 'resolved') THEN at + make_interval(secs => r % 7200) END,
       CASE WHEN status IN ('acknowledged', 'resolved') THEN 'ada' END,
       status = 'resolved',
       CASE WHEN status = 'resolved' THEN at + make_interval(secs => 7200 + r % 86400) END, CASE WHEN status = 'resolved' THEN 'ada' END,
       CASE WHEN status = 'dismissed' THEN at + make_interval(secs => r % 86400) END, CASE WHEN status = 'dismissed' THEN 'ada' END,
       CASE WHEN status = 'dismissed' THEN (ARRAY['false positive', 'benign', 'test'])[1 + r % 3] END,
       at, at + make_interval(secs => r % 3600),
       jsonb_build_object('id', 'rule-' || r / 1024 % 50, 'name', 'Rule ' || r / 1024 % 50, 'hash', repeat('ab', 32), 'version', 1), 'FAILED_AUTH',
       jsonb_build_object('principalId', who), jsonb_build_object('from', at, 'to', at, 'spanMs', 300000, 'threshold', 5, 'value', 5),
       at, at, 5 + r % 1000, 5, 1 + r % 10, false, false, ARRAY['attack.t1110', 'team.' || r % 20], CASE status WHEN 'active' THEN 0 ELSE 1 END,
       array_to_tsvector(ARRAY[
         p || 'failed', p || 'sign-ins', p || 'ins', p || 'of', p || who, p || r % 5000, p || 'from', p || host, p || substring(host FROM 4), p || 'within',
         p || 'five', p || 'minutes', p || 'further', p || 'attempts', p || 'were', p || 'seen', p || 'elsewhere', p || 'rule', p || r / 1024 % 50,
         p || 'detector', p || 'attack.t1110', p || 't1110', p || 'team.' || r % 20, p || '=' || substring(md5(who) FOR 16),
         p || '#' || substring(md5('team' || r % 20) FOR 16)])
  FROM unnest($3::text[]) WITH ORDINALITY AS sealed (metadata, place), LATERAL (SELECT $1::integer + place::integer - 1 AS i) AS number,
       LATERAL (SELECT ('x' || substring(md5('r' || i) FOR 7))::bit(28)::integer AS r) AS random,
       LATERAL (SELECT md5('organization ' || CASE WHEN i % 5 = 0 THEN 1 WHEN i % 25 = 1 THEN 0 ELSE 2 + i % ($2::integer - 2) END)::uuid AS organization) AS o,
       LATERAL (SELECT left(organization::text, 8) AS p, 'user-' || r % 5000 AS who, '10.' || r % 200 || '.' || r % 250 || '.7' AS host,
                       now() - make_interval(secs => ($4::integer - i) * 6) AS at,
                       (ARRAY['active', 'active', 'acknowledged', 'resolved', 'resolved', 'resolved', 'resolved', 'dismissed', 'dismissed', 'dismissed'])[1 + r / 4096 % 10] AS status) AS d`

/** $1 number of organizations. One admin of each. */
export const SEED_SUBJECTS = `
WITH subjects AS (INSERT INTO subjects (subject, version) SELECT 'bench-' || o || '@localhost', 1 FROM generate_series(0, $1::integer - 1) AS o)
INSERT INTO memberships (subject, organization_id, role)
SELECT 'bench-' || o || '@localhost', md5('organization ' || o)::uuid, 'admin' FROM generate_series(0, $1::integer - 1) AS o`
