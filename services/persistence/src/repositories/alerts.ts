import type { Alert, AlertFigures, AlertWithEvidence } from '@tocsin/contracts'
import type { Query } from '@tocsin/postgres'
import { type StatusStep, withStatus } from '../core/status-change.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { APPLY_EVIDENCE, APPLY_FIGURES, GET_ALERT, LIST_ALERTS, LOCK_ALERT, SET_STATUS } from '../sql/alert-sql.ts'
import { type AlertRow, alertOf } from './alert-row.ts'
import { addHistory } from './history.ts'

/** Absent or null: no such filter. Times are RFC 3339. */
export interface AlertFilter {
  readonly statuses: readonly string[] | null
  readonly severities: readonly string[] | null
  readonly types: readonly string[] | null
  readonly source: string | null
  readonly from: string | null
  readonly to: string | null
}
/** The last alert of the page before. */
export interface ListPlace {
  readonly createdAt: string
  readonly id: string
}

/** Newest first; equal times by id, highest first. */
export async function listAlerts(
  query: Query,
  organizationId: string,
  filter: AlertFilter,
  after: ListPlace | null,
  limit: number,
): Promise<Alert[]> {
  const { statuses, severities, types, source, from, to } = filter
  const values = [
    organizationId,
    statuses,
    severities,
    types,
    source,
    from,
    to,
    after?.createdAt ?? null,
    after?.id ?? null,
    limit,
  ]
  return (await query<AlertRow>(LIST_ALERTS, values)).map(alertOf)
}

export async function getAlert(query: Query, organizationId: string, id: string): Promise<AlertWithEvidence | null> {
  const [row] = await query<AlertRow>(GET_ALERT, [organizationId, id])
  return row === undefined ? null : { ...alertOf(row), evidence: row.evidence ?? [] }
}

export async function lockAlert(query: Query, organizationId: string, id: string): Promise<Alert | null> {
  const [row] = await query<AlertRow>(LOCK_ALERT, [organizationId, id])
  return row === undefined ? null : alertOf(row)
}

/** A row whose figures have changed. */
export interface AppliedFigures {
  readonly id: string
  readonly organization_id: string
  readonly revision: number
  readonly version: number
  readonly merged_into: string | null
}

/** Each alert at most once in `figures`. Returns those that were newer than the row. */
export async function applyFigures(query: Query, figures: readonly AlertFigures[]): Promise<AppliedFigures[]> {
  if (figures.length === 0) return []
  const applied = await query<AppliedFigures>(APPLY_FIGURES, [JSON.stringify(figures)])
  const ids = new Set(applied.map((row) => row.id))
  const evidence = figures
    .filter((each) => ids.has(each.id.toLowerCase()))
    .map(({ id, organizationId, revision, evidence }) => ({ id, organizationId, revision, evidence }))
  if (evidence.length > 0) await query(APPLY_EVIDENCE, [JSON.stringify(evidence)])
  return applied
}

/**
 * Writes a step that was decided on the locked `alert`: row and history. Returns the alert afterwards. The organization's key must
 * be loaded.
 */
export async function writeStatus(query: Query, cipher: FieldCipher, alert: Alert, step: StatusStep): Promise<Alert> {
  const next = withStatus(alert, step.change)
  await query(SET_STATUS, [
    next.organizationId,
    next.id,
    next.version,
    next.updatedAt,
    next.status,
    next.assignee,
    next.acknowledged,
    next.acknowledgedAt,
    next.acknowledgedBy,
    next.resolved,
    next.resolvedAt,
    next.resolvedBy,
    next.resolutionNotes,
    next.dismissedAt,
    next.dismissedBy,
    next.dismissReason,
    next.resolutionAction,
    next.resolutionMetadata === null ? null : JSON.stringify(next.resolutionMetadata),
    next.acknowledgementExpiresAt,
    next.endedAtCount,
    next.labels,
  ])
  const { change } = step
  await addHistory(query, cipher, {
    organizationId: change.organizationId,
    at: change.updatedAt,
    actor: change.actor,
    channel: change.channel ?? 'api',
    action: step.type,
    about: { kind: 'alert', id: change.id, version: change.version },
    details: {
      from: step.from,
      to: next.status,
      changes: change.changes,
      ...(change.comment === undefined ? {} : { comment: change.comment }),
    },
  })
  return next
}
