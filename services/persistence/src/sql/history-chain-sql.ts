/** As hashed: UTC with six digits of a second. */
const AT = `to_char(h.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
const ENTRY = `
h.id, ${AT} AS at, h.actor, h.channel, h.action, h.about_kind, h.about_id, h.version, encode(h.commitment, 'hex') AS commitment`

/** $1 limit. Whose entries wait for their seal, the longest first. */
export const UNSEALED_ORGANIZATIONS = `
SELECT organization_id FROM history_unsealed GROUP BY organization_id ORDER BY min(written_at) LIMIT $1`
export const UNSEALED_STATE = `
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(written_at)), 0)::float8 AS oldest_seconds FROM history_unsealed`

/** $1 organization. Held to the end of the transaction: one at a time lengthens or cuts a chain. */
export const TRY_CHAIN_LOCK = `SELECT pg_try_advisory_xact_lock(hashtextextended('tocsin history ' || $1::uuid::text, 0)) AS held`
export const CHAIN_LOCK = `SELECT pg_advisory_xact_lock(hashtextextended('tocsin history ' || $1::uuid::text, 0))`

/** $1 organization. The end of its chain; after a cut that left nothing, the checkpoint. */
export const CHAIN_END = `
(SELECT sequence, encode(hash, 'hex') AS hash FROM history_seals WHERE organization_id = $1 ORDER BY sequence DESC LIMIT 1)
UNION ALL
(SELECT sequence, encode(hash, 'hex') FROM history_checkpoints WHERE organization_id = $1 ORDER BY sequence DESC LIMIT 1)
ORDER BY sequence DESC LIMIT 1`

/** $1 organization, $2 limit. */
export const NEXT_UNSEALED = `
SELECT ${ENTRY}
  FROM history_unsealed u JOIN history h ON h.id = u.history_id
 WHERE u.organization_id = $1 ORDER BY u.position LIMIT $2`

/** $1 organization, $2 sequences, $3 ids of entries, $4 previous hashes, $5 hashes. */
export const ADD_SEALS = `
WITH sealed AS (
  INSERT INTO history_seals (organization_id, sequence, history_id, previous, hash)
  SELECT $1, s.sequence, s.id, decode(s.previous, 'hex'), decode(s.hash, 'hex')
    FROM unnest($2::bigint[], $3::uuid[], $4::text[], $5::text[]) AS s (sequence, id, previous, hash)
)
DELETE FROM history_unsealed WHERE history_id = ANY ($3::uuid[])`

/** $1 seconds, $2 limit. Organizations whose chain is longer than their last head, if that one is older than $1. */
export const DUE_FOR_HEAD = `
SELECT o.id
  FROM organizations o
 CROSS JOIN LATERAL (SELECT sequence FROM history_seals WHERE organization_id = o.id ORDER BY sequence DESC LIMIT 1) s
  LEFT JOIN LATERAL (SELECT sequence, at FROM history_heads WHERE organization_id = o.id ORDER BY sequence DESC LIMIT 1) h ON true
 WHERE o.deleted_at IS NULL AND s.sequence > coalesce(h.sequence, 0) AND (h.at IS NULL OR h.at <= clock_timestamp() - $1 * interval '1 second')
 LIMIT $2`
export const CLOCK = 'SELECT clock_timestamp() AS now'

const PLACE_VALUES = `(organization_id, sequence, hash, at, key_id, signature) VALUES ($1, $2, decode($3, 'hex'), $4, $5, $6)`
const PLACE = `organization_id, sequence, encode(hash, 'hex') AS hash, at, key_id, signature`
/** $1 organization, $2 sequence, $3 hash in hex, $4 at, $5 id of the key, $6 signature. */
export const ADD_HEAD = `INSERT INTO history_heads ${PLACE_VALUES} ON CONFLICT DO NOTHING RETURNING sequence`
/** As ADD_HEAD. */
export const ADD_CHECKPOINT = `INSERT INTO history_checkpoints ${PLACE_VALUES} ON CONFLICT DO NOTHING`
/** $1 organization, $2 before this sequence, $3 limit. Newest first. */
export const LIST_HEADS = `
SELECT ${PLACE} FROM history_heads WHERE organization_id = $1 AND ($2::bigint IS NULL OR sequence < $2) ORDER BY sequence DESC LIMIT $3`
/** $1 organization. */
export const LAST_CHECKPOINT = `
SELECT ${PLACE} FROM history_checkpoints WHERE organization_id = $1 ORDER BY sequence DESC LIMIT 1`

/** $1 organization, $2 entries from this time on stay, $3 ids of what entries are about that must stay. The last seal before all of them. */
export const LAST_TO_CUT = `
SELECT s.sequence, encode(s.hash, 'hex') AS hash
  FROM history_seals s
 WHERE s.organization_id = $1
   AND s.sequence < coalesce(
         (SELECT k.sequence FROM history_seals k JOIN history h ON h.id = k.history_id
           WHERE k.organization_id = $1 AND (h.at >= $2 OR h.about_id = ANY ($3::text[]))
           ORDER BY k.sequence LIMIT 1),
         9223372036854775807)
 ORDER BY s.sequence DESC LIMIT 1`
/** $1 organization, $2 at most so many entries. */
export const CUT_HISTORY = 'SELECT cut_history($1, $2) AS gone'

/** $1 organization, $2 after this sequence, $3 limit. An entry that the chain names and the database lacks is null. */
export const EXPORT_SEALED = `
SELECT s.sequence, encode(s.previous, 'hex') AS previous, encode(s.hash, 'hex') AS hash, ${ENTRY}, p.payload
  FROM history_seals s
  LEFT JOIN history h ON h.id = s.history_id AND h.organization_id = s.organization_id
  LEFT JOIN history_payloads p ON p.history_id = h.id
 WHERE s.organization_id = $1 AND s.sequence > $2 ORDER BY s.sequence LIMIT $3`
/** $1 organization, $2 after this position, $3 limit. */
export const EXPORT_UNSEALED = `
SELECT h.position, ${ENTRY}, p.payload
  FROM history h
  LEFT JOIN history_payloads p ON p.history_id = h.id
 WHERE h.organization_id = $1 AND h.position > $2 AND NOT EXISTS (SELECT FROM history_seals s WHERE s.history_id = h.id)
 ORDER BY h.position LIMIT $3`
