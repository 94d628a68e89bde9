/** Every column of an alert as the API gives it; the row is mapped by repositories/alert-row.ts. */
export const ALERT_COLUMNS = `
  id, organization_id, type, severity, status, title, description, source, rule, pattern, "group", "window", first_seen, last_seen,
  count, peak, revision, version, open, backfilled, metadata, tags, runbook, correlation_id, assignee,
  acknowledged, acknowledged_at, acknowledged_by, acknowledgement_expires_at, resolved, resolved_at, resolved_by, resolution_notes,
  resolution_action, resolution_metadata, dismissed_at, dismissed_by, dismiss_reason, ended_at_count, labels, created_at, updated_at`
