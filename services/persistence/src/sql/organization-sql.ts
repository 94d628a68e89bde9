/** $1 subject (also the transaction's app.subject). One row for each membership; one with nulls where there is none. */
export const GET_ACCESS = `
SELECT s.operator, s.not_before, s.version, m.organization_id, m.role, o.slug, o.name
  FROM subjects s
  LEFT JOIN memberships m ON m.subject = s.subject
  LEFT JOIN organizations o ON o.id = m.organization_id
 WHERE s.subject = $1
 ORDER BY o.slug`

/** $1 subject. The version rises with each change of what the subject may do. */
export const TOUCH_SUBJECT = `
INSERT INTO subjects (subject, version) VALUES ($1, 1)
    ON CONFLICT (subject) DO UPDATE SET version = subjects.version + 1`

/** $1 subject. No row: it was operator before. */
export const MAKE_OPERATOR = `
INSERT INTO subjects (subject, operator, version) VALUES ($1, true, 1)
    ON CONFLICT (subject) DO UPDATE SET operator = true, version = subjects.version + 1 WHERE NOT subjects.operator
RETURNING version`

/** $1 organization, $2 subject. */
export const IS_MEMBER = 'SELECT 1 FROM memberships WHERE organization_id = $1 AND subject = $2'

const COLUMNS = 'id, slug, name, version, partition, settings, recipients, limits'

/** $1 organization. */
export const GET_ORGANIZATION = `SELECT ${COLUMNS} FROM organizations WHERE id = $1`
export const PARTITION_OF = 'SELECT partition FROM organizations WHERE id = $1'
export const LOCK_ORGANIZATION = `SELECT ${COLUMNS} FROM organizations WHERE id = $1 FOR UPDATE`
/** $1 slug after which to begin, $2 how many. Needs a transaction whose subject is an operator. */
export const LIST_ORGANIZATIONS = `
SELECT id, slug, name, partition, limits, created_at FROM organizations WHERE slug > $1 ORDER BY slug LIMIT $2`

/** $1 id, $2 slug, $3 name, $4 partition, $5 settings, $6 recipients. No row: the slug is taken. */
export const ADD_ORGANIZATION = `
INSERT INTO organizations (id, slug, name, version, partition, settings, recipients)
VALUES ($1, $2, $3, 1, $4, $5::jsonb, $6::jsonb) ON CONFLICT (slug) DO NOTHING
RETURNING id`
/** $1 id, $2 name, $3 settings, $4 recipients, $5 limits. */
export const CHANGE_ORGANIZATION = `
UPDATE organizations
   SET version = version + 1, name = $2, settings = $3::jsonb, recipients = $4::jsonb, limits = $5::jsonb
 WHERE id = $1`

/** $1 number of partitions. */
export const PREPARE_PARTITIONS = `
INSERT INTO partition_load (partition) SELECT generate_series(0, $1::integer - 1) ON CONFLICT (partition) DO NOTHING`
/** Held to the transaction's end, so that two new organizations never count the same load. */
export const LOCK_PARTITION_LOAD = `SELECT pg_advisory_xact_lock(hashtext('tocsin partition load'))`
/** The partition with the fewest organizations, the lowest of equals; counts the new one. */
export const TAKE_PARTITION = `
UPDATE partition_load SET organizations = organizations + 1
 WHERE partition = (SELECT partition FROM partition_load ORDER BY organizations, partition LIMIT 1)
RETURNING partition`
