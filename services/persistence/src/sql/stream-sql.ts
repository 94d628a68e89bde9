/** $1 topic, $2 partition. */
export const GET_OFFSET = 'SELECT next, cluster_id FROM offsets WHERE topic = $1 AND partition = $2'
export const GET_OFFSETS = 'SELECT partition, next, cluster_id FROM offsets WHERE topic = $1 ORDER BY partition'

/** $1 topic, $2 partition, $3 next, $4 cluster. Of two instances at once the first decides. */
export const BEGIN_OFFSET = `
INSERT INTO offsets (topic, partition, next, cluster_id) VALUES ($1, $2, $3, $4) ON CONFLICT (topic, partition) DO NOTHING`

/** $1 topic, $2 partition, $3 from, $4 to, $5 cluster. No row: another instance has gone on (design §5.3). */
export const MOVE_OFFSET = `
UPDATE offsets SET next = $4 WHERE topic = $1 AND partition = $2 AND next = $3 AND cluster_id = $5 RETURNING next`

/** $1 organization. The position of `alerts` ($2) of its partition. */
export const STREAM_POSITION = `
SELECT o.partition, coalesce(f.next, 0) AS next
  FROM organizations o LEFT JOIN offsets f ON f.topic = $2 AND f.partition = o.partition
 WHERE o.id = $1`

/** $1: JSON array of { organizationId, topic, partition, key, value, headers }; ids follow the array's order. */
export const ADD_OUTBOX = `
INSERT INTO outbox (organization_id, topic, partition, key, value, headers)
SELECT (o.row ->> 'organizationId')::uuid, o.row ->> 'topic', (o.row ->> 'partition')::integer, o.row ->> 'key', o.row ->> 'value', o.row -> 'headers'
  FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS o (row, place)
 ORDER BY o.place`

/** $1 limit. */
export const NEXT_OUTBOX = 'SELECT id, topic, partition, key, value, headers FROM outbox ORDER BY id LIMIT $1'
/** $1 ids. */
export const DELETE_OUTBOX = 'DELETE FROM outbox WHERE id = ANY ($1::bigint[])'
export const OUTBOX_STATE = `SELECT count(*) AS rows, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest_seconds FROM outbox`
