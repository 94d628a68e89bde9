import type { Alert, Evidence } from '@tocsin/contracts'
import type { FieldCipher, FieldPlace } from '../protection/field-cipher.ts'

/** A row of `alerts`; jsonb as parsed, times as Date, int8 as bigint, sealed fields as stored. */
export interface AlertRow {
  readonly id: string
  readonly organization_id: string
  readonly type: Alert['type']
  readonly severity: Alert['severity']
  readonly status: Alert['status']
  readonly title: string
  readonly description: string
  readonly source: string
  readonly rule: Alert['rule']
  readonly pattern: Alert['pattern']
  readonly group: Alert['group']
  readonly window: Alert['window']
  readonly first_seen: Date
  readonly last_seen: Date
  readonly count: bigint
  readonly peak: number
  readonly revision: number
  readonly version: number
  readonly open: boolean
  readonly backfilled: boolean
  readonly metadata: Buffer
  readonly tags: string[]
  readonly runbook: string | null
  readonly correlation_id: string | null
  readonly assignee: string | null
  readonly acknowledged: boolean
  readonly acknowledged_at: Date | null
  readonly acknowledged_by: string | null
  readonly resolved: boolean
  readonly resolved_at: Date | null
  readonly resolved_by: string | null
  readonly resolution_notes: Buffer | null
  readonly resolution_action: string | null
  readonly resolution_metadata: Buffer | null
  readonly dismissed_at: Date | null
  readonly dismissed_by: string | null
  readonly dismiss_reason: Alert['dismissReason']
  readonly acknowledgement_expires_at: Date | null
  readonly ended_at_count: bigint | null
  readonly labels: string[]
  readonly created_at: Date
  readonly updated_at: Date
  readonly evidence?: Buffer | null
}

const iso = (date: Date | null): string | null => date?.toISOString() ?? null

/** Where a sealed field of an alert lies. */
export const alertField = (
  organizationId: string,
  alertId: string,
  column: 'metadata' | 'resolution_notes' | 'resolution_metadata',
): FieldPlace => ({ organizationId, table: 'alerts', column, rowId: alertId })
export const evidenceField = (organizationId: string, alertId: string): FieldPlace => ({
  organizationId,
  table: 'alert_evidence',
  column: 'evidence',
  rowId: alertId,
})

/** The organization's key must be loaded. */
export const evidenceOf = (cipher: FieldCipher, { id, organization_id, evidence }: AlertRow): Evidence[] =>
  evidence === undefined || evidence === null ? [] : JSON.parse(cipher.open(evidenceField(organization_id, id), evidence))

/** The organization's key must be loaded. */
export const alertOf = (cipher: FieldCipher, row: AlertRow): Alert => ({
  id: row.id,
  organizationId: row.organization_id,
  type: row.type,
  severity: row.severity,
  title: row.title,
  description: row.description,
  source: row.source,
  rule: row.rule,
  pattern: row.pattern,
  group: row.group,
  window: row.window,
  firstSeen: row.first_seen.toISOString(),
  lastSeen: row.last_seen.toISOString(),
  count: Number(row.count),
  peak: row.peak,
  revision: row.revision,
  open: row.open,
  backfilled: row.backfilled,
  metadata: JSON.parse(openField(cipher, row, 'metadata') ?? '{}'),
  tags: row.tags,
  runbook: row.runbook,
  correlationId: row.correlation_id,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
  status: row.status,
  assignee: row.assignee,
  acknowledged: row.acknowledged,
  acknowledgedAt: iso(row.acknowledged_at),
  acknowledgedBy: row.acknowledged_by,
  resolved: row.resolved,
  resolvedAt: iso(row.resolved_at),
  resolvedBy: row.resolved_by,
  resolutionNotes: openField(cipher, row, 'resolution_notes'),
  resolutionAction: row.resolution_action,
  resolutionMetadata: JSON.parse(openField(cipher, row, 'resolution_metadata') ?? 'null'),
  dismissedAt: iso(row.dismissed_at),
  dismissedBy: row.dismissed_by,
  dismissReason: row.dismiss_reason,
  acknowledgementExpiresAt: iso(row.acknowledgement_expires_at),
  endedAtCount: row.ended_at_count === null ? null : Number(row.ended_at_count),
  labels: row.labels,
  version: row.version,
})

function openField(
  cipher: FieldCipher,
  row: AlertRow,
  column: 'metadata' | 'resolution_notes' | 'resolution_metadata',
): string | null {
  const stored = row[column]
  return stored === null ? null : cipher.open(alertField(row.organization_id, row.id, column), stored)
}
