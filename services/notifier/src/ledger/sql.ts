/** Every statement of the ledger. Times are PostgreSQL's; pauses come in milliseconds. */

export const ENSURE_OFFSET = `
INSERT INTO offsets (topic, partition, next, cluster_id) VALUES ($1, $2, 0, $3) ON CONFLICT DO NOTHING`

export const READ_OFFSET = `SELECT next, cluster_id AS "clusterId" FROM offsets WHERE topic = $1 AND partition = $2`

export const LOCK_OFFSET = `
SELECT next, cluster_id AS "clusterId", notify_from AS "notifyFrom", now() AS now
  FROM offsets WHERE topic = $1 AND partition = $2 FOR UPDATE`

export const MOVE_OFFSET = `
UPDATE offsets SET next = $3, updated_at = now() WHERE topic = $1 AND partition = $2`

export const LOCK_ALERT = `
SELECT figures, revision, people, version FROM alerts WHERE id = $1 FOR UPDATE`

export const SAVE_ALERT = `
INSERT INTO alerts (id, organization_id, figures, revision, people, version) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET figures = EXCLUDED.figures, revision = EXCLUDED.revision, people = EXCLUDED.people,
                               version = EXCLUDED.version, updated_at = now()`

export const MASK_ALERT = `UPDATE alerts SET figures = $2, people = $3, updated_at = now() WHERE id = $1`

export const FORGET_ALERT = `
WITH told AS (SELECT id FROM deliveries WHERE alert_id = $1),
     tries AS (DELETE FROM attempts WHERE delivery_id IN (SELECT id FROM told)),
     messages AS (DELETE FROM deliveries WHERE alert_id = $1),
     decisions AS (DELETE FROM notifications WHERE alert_id = $1)
DELETE FROM alerts WHERE id = $1`

export const FORGET_DESTINATIONS = 'DELETE FROM destinations WHERE organization_id = $1'

export const READ_TIMERS = `SELECT due_at AS "dueAt" FROM notifications WHERE alert_id = $1 AND status = 'planned'`

export const READ_TOLD = `
SELECT DISTINCT channel FROM deliveries WHERE alert_id = $1 AND status IN ('sent', 'sending', 'waiting')`

export const PLAN = `
INSERT INTO notifications (organization_id, alert_id, event, change, severity, channels, status, reason, version, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (alert_id, change) DO NOTHING`

export const STOP_TIMERS = `
UPDATE notifications SET status = $2, reason = $3 WHERE alert_id = $1 AND status = 'planned'`

export const STOP_WAITING_TELLINGS = `
UPDATE deliveries SET status = 'cancelled', reason = $2 WHERE alert_id = $1 AND status = 'waiting' AND telling`

export const HASTEN = `
UPDATE notifications SET due_at = least(due_at, now()) WHERE alert_id = $1 AND status = 'planned'`

/** A waiting update is replaced by a newer one; a waiting telling is left, because it will show the newest state by itself. */
export const SUPERSEDE_UPDATES = `
UPDATE deliveries SET status = 'superseded', reason = 'newerState'
 WHERE alert_id = $1 AND channel = ANY ($2) AND status = 'waiting' AND NOT telling`

export const MAKE_UPDATES = `
INSERT INTO deliveries (organization_id, alert_id, channel, destination, event, change, telling, urgency, version, actor, planned_for, due_at)
SELECT told.organization_id, $1, told.channel, told.destination, $3, $4, false, $5, $6, $7, $8, $8
  FROM (SELECT DISTINCT organization_id, channel, destination FROM deliveries
         WHERE alert_id = $1 AND channel = ANY ($2) AND status IN ('sent', 'sending')) AS told
 WHERE NOT EXISTS (SELECT 1 FROM deliveries behind
                    WHERE behind.alert_id = $1 AND behind.channel = told.channel AND behind.destination = told.destination
                      AND behind.status = 'waiting')
ON CONFLICT (alert_id, channel, destination, change) DO NOTHING`

/** Timers that are due; one whose alert is being changed at this moment is left for the next round. */
export const LOCK_DUE = `
SELECT n.id, n.organization_id AS "organizationId", n.alert_id AS "alertId", n.event, n.change, n.severity, n.channels, n.version,
       n.due_at AS "dueAt"
  FROM notifications n JOIN alerts a ON a.id = n.alert_id
 WHERE n.status = 'planned' AND n.due_at <= now()
 ORDER BY n.due_at LIMIT $1
   FOR UPDATE OF n, a SKIP LOCKED`

export const SETTLE_TIMER = `UPDATE notifications SET status = $2, reason = $3 WHERE id = $1`

export const SUPERSEDE_FOR = `
UPDATE deliveries SET status = 'superseded', reason = 'newerState'
 WHERE alert_id = $1 AND channel = $2 AND destination = $3 AND status = 'waiting'`

export const MAKE_DELIVERY = `
INSERT INTO deliveries (organization_id, alert_id, channel, destination, event, change, telling, urgency, version, planned_for, due_at)
VALUES ($1, $2, $3, $4, $5, $6, true, $7, $8, $9, now())
ON CONFLICT (alert_id, channel, destination, change) DO NOTHING`

/** Timers that had nobody to tell, of alerts that nobody has handled, run again when the organization names somebody. */
export const REOPEN_UNTOLD = `
UPDATE notifications n SET status = 'planned', reason = NULL
  FROM alerts a
 WHERE n.organization_id = $1 AND n.status = 'skipped' AND n.reason IN ('nobodyToTell', 'organizationUnknown') AND n.due_at IS NOT NULL
   AND a.id = n.alert_id AND (a.figures ->> 'open')::boolean AND coalesce(a.people ->> 'status', 'active') = 'active'
   AND a.figures -> 'metadata' ->> 'mergedInto' IS NULL`

/**
 * Claims at most one delivery of each destination, the most urgent first: a destination that hangs holds back nobody else. Taken are
 * those that are due and those whose sender has let its lease run out. One behind another of the same alert in flight waits.
 */
export const CLAIM = `
WITH candidate AS (
  SELECT DISTINCT ON (d.organization_id, d.channel, d.destination) d.id
    FROM deliveries d
   WHERE ((d.status = 'waiting' AND d.due_at <= now()) OR (d.status = 'sending' AND d.lease_until < now()))
     AND NOT EXISTS (SELECT 1 FROM deliveries s
                      WHERE s.organization_id = d.organization_id AND s.channel = d.channel AND s.destination = d.destination
                        AND s.status = 'sending' AND s.id <> d.id AND (s.lease_until >= now() OR s.alert_id = d.alert_id))
     AND NOT EXISTS (SELECT 1 FROM destinations h
                      WHERE h.organization_id = d.organization_id AND h.channel = d.channel AND h.destination = d.destination
                        AND h.hold_until > now())
   ORDER BY d.organization_id, d.channel, d.destination, (d.status = 'sending') DESC, d.urgency DESC, d.planned_for, d.id
   LIMIT $1),
free AS (
  SELECT id FROM deliveries
   WHERE id IN (SELECT id FROM candidate)
     AND ((status = 'waiting' AND due_at <= now()) OR (status = 'sending' AND lease_until < now()))
     FOR UPDATE SKIP LOCKED)
UPDATE deliveries d SET status = 'sending', fence = d.fence + 1, lease_until = now() + $2 * interval '1 millisecond'
  FROM free WHERE d.id = free.id
RETURNING d.id, d.organization_id AS "organizationId", d.alert_id AS "alertId", d.channel, d.destination, d.event, d.change, d.telling,
          d.version, d.actor, d.planned_for AS "plannedFor", d.made_at AS "madeAt", d.fence, d.attempts, now() AS now`

/** The newest state of the alert, and what this destination accepted first. */
export const READ_FOR_SENDING = `
SELECT a.figures, a.people, a.version,
       (SELECT p.ref FROM deliveries p
         WHERE p.alert_id = a.id AND p.channel = $2 AND p.destination = $3 AND p.status = 'sent'
         ORDER BY p.sent_at, p.id LIMIT 1) AS previous
  FROM alerts a WHERE a.id = $1`

export const RECORD_ACCEPTED = `
UPDATE deliveries SET status = 'sent', reason = NULL, sent_at = now(), attempts = attempts + 1, provider_id = $3, ref = $4, latency_ms = $5,
                      late = $6, lease_until = NULL
 WHERE id = $1 AND fence = $2 AND status = 'sending'
RETURNING alert_id AS "alertId"`

export const MARK_TOLD = `
UPDATE alerts SET first_told_at = now() WHERE id = $1 AND first_told_at IS NULL
RETURNING first_told_at AS "firstToldAt"`

export const RECORD_ENDED = `
UPDATE deliveries SET status = $3, reason = $4, attempts = attempts + $5, lease_until = NULL
 WHERE id = $1 AND fence = $2 AND status = 'sending'
RETURNING alert_id AS "alertId"`

export const LOCK_ALERT_OF = `
SELECT a.id FROM alerts a JOIN deliveries d ON d.alert_id = a.id WHERE d.id = $1 FOR UPDATE OF a`

/** What waits behind a delivery in flight. */
export const READ_BEHIND = `
SELECT behind.id, behind.telling FROM deliveries d
  JOIN deliveries behind ON behind.alert_id = d.alert_id AND behind.channel = d.channel AND behind.destination = d.destination
 WHERE d.id = $1 AND behind.status = 'waiting'`

export const SUPERSEDE = `UPDATE deliveries SET status = 'superseded', reason = 'newerState' WHERE id = $1 AND status = 'waiting'`

export const RECORD_WAITING = `
UPDATE deliveries SET status = 'waiting', reason = $3, attempts = attempts + $4, due_at = now() + $5 * interval '1 millisecond', lease_until = NULL
 WHERE id = $1 AND fence = $2 AND status = 'sending'
RETURNING alert_id AS "alertId"`

export const ADD_ATTEMPT = `
INSERT INTO attempts (organization_id, delivery_id, fence, outcome, code, provider_id, latency_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)`

export const HOLD_DESTINATION = `
INSERT INTO destinations (organization_id, channel, destination, hold_until, hold_reason)
VALUES ($1, $2, $3, now() + $4 * interval '1 millisecond', $5)
ON CONFLICT (organization_id, channel, destination)
DO UPDATE SET hold_until = greatest(destinations.hold_until, EXCLUDED.hold_until), hold_reason = EXCLUDED.hold_reason, updated_at = now()`

export const SAVE_BREAKER = `
INSERT INTO destinations (organization_id, channel, destination, breaker) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id, channel, destination) DO UPDATE SET breaker = EXCLUDED.breaker, updated_at = now()`

export const COUNT_WAITING = `
SELECT count(*)::integer AS waiting,
       coalesce(extract(epoch FROM now() - min(planned_for))::float8, 0) AS "oldestSeconds"
  FROM deliveries WHERE status IN ('waiting', 'sending') AND planned_for <= now()`

export const FIND_ALERT = `SELECT id FROM alerts WHERE id = $1 AND organization_id = $2`

/** Decisions that became no delivery, and deliveries, in the order they were made. */
export const LIST_ENTRIES = `
SELECT id, alert_id AS "alertId", created_at AS at, CASE WHEN cardinality(channels) = 1 THEN channels[1] END AS channel,
       NULL AS destination, event, status, reason, due_at AS "dueAt", NULL::timestamptz AS "sentAt", 0 AS attempts,
       NULL AS "providerId", NULL::integer AS "latencyMs", false AS late
  FROM notifications WHERE alert_id = $1 AND organization_id = $2 AND status <> 'made'
UNION ALL
SELECT id, alert_id, made_at, channel, destination, event, status, reason, due_at, sent_at, attempts, provider_id, latency_ms, late
  FROM deliveries WHERE alert_id = $1 AND organization_id = $2
 ORDER BY at, id
 LIMIT 1000`
