import type { Alert, AlertFigures, AlertWithEvidence } from '@tocsin/contracts'
import type { Query } from '@tocsin/postgres'
import { searchWords } from '../core/search-words.ts'
import { type StatusStep, withStatus } from '../core/status-change.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { APPLY_EVIDENCE, APPLY_FIGURES, GET_ALERT, LOCK_ALERT, SET_STATUS } from '../sql/alert-sql.ts'
import { PERSON_ACTED } from '../sql/history-sql.ts'
import { DELETE_BURIED } from '../sql/retention-sql.ts'
import { type AlertRow, alertField, alertOf, evidenceField, evidenceOf } from './alert-row.ts'
import { addHistory } from './history.ts'

/** The organization's key must be loaded, here and below. */
export async function getAlert(
  query: Query,
  cipher: FieldCipher,
  organizationId: string,
  id: string,
): Promise<AlertWithEvidence | null> {
  const [row] = await query<AlertRow>(GET_ALERT, [organizationId, id])
  return row === undefined ? null : { ...alertOf(cipher, row), evidence: evidenceOf(cipher, row) }
}

export async function lockAlert(query: Query, cipher: FieldCipher, organizationId: string, id: string): Promise<Alert | null> {
  const [row] = await query<AlertRow>(LOCK_ALERT, [organizationId, id])
  return row === undefined ? null : alertOf(cipher, row)
}

/** Whether a person has acted on the alert, be it with a comment. */
export async function wasTouched(query: Query, { organizationId, id, version }: Alert): Promise<boolean> {
  return version > 0 && (await query(PERSON_ACTED, [organizationId, id])).length > 0
}

/** A row whose figures have changed. */
export interface AppliedFigures {
  readonly id: string
  readonly organization_id: string
  readonly revision: number
  readonly status: Alert['status']
  readonly ended_at_count: bigint | null
}

/**
 * Each alert at most once in `figures`. Returns those that were newer than the row; what retention deleted stays deleted, and is not among them.
 * The organizations' keys must be loaded.
 */
export async function applyFigures(
  query: Query,
  cipher: FieldCipher,
  figures: readonly AlertFigures[],
): Promise<AppliedFigures[]> {
  if (figures.length === 0) return []
  const rows = figures.map(({ evidence: _, metadata, ...rest }) => ({
    ...rest,
    metadata: cipher.seal(alertField(rest.organizationId, rest.id, 'metadata'), JSON.stringify(metadata)).toString('base64'),
    mergedInto: metadata['mergedInto'] ?? null,
    words: searchWords(rest),
  }))
  // In a transaction done in this order: what was just written is looked for among what was deleted before.
  const [changed, deleted] = await Promise.all([
    query<AppliedFigures>(APPLY_FIGURES, [JSON.stringify(rows)]),
    query<{ id: string }>(DELETE_BURIED, [figures.map(({ id }) => id)]),
  ])
  const buried = new Set(deleted.map(({ id }) => id))
  const applied = changed.filter(({ id }) => !buried.has(id))
  const ids = new Set(applied.map(({ id }) => id))
  const evidence = figures
    .filter((each) => ids.has(each.id.toLowerCase()))
    .map(({ id, organizationId, revision, evidence }) => ({
      id,
      organizationId,
      revision,
      evidence: cipher.seal(evidenceField(organizationId, id), JSON.stringify(evidence)).toString('base64'),
    }))
  if (evidence.length > 0) await query(APPLY_EVIDENCE, [JSON.stringify(evidence)])
  return applied
}

/**
 * Writes a step that was decided on the locked `alert`: row and history. Returns the alert afterwards. The organization's key must
 * be loaded.
 */
export async function writeStatus(query: Query, cipher: FieldCipher, alert: Alert, step: StatusStep): Promise<Alert> {
  const next = withStatus(alert, step.change)
  const { organizationId, id, resolutionNotes, resolutionMetadata } = next
  const sealed = (column: 'resolution_notes' | 'resolution_metadata', text: string | null) =>
    text === null ? null : cipher.seal(alertField(organizationId, id, column), text)
  await query(SET_STATUS, [
    organizationId,
    id,
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
    sealed('resolution_notes', resolutionNotes),
    next.dismissedAt,
    next.dismissedBy,
    next.dismissReason,
    next.resolutionAction,
    sealed('resolution_metadata', resolutionMetadata === null ? null : JSON.stringify(resolutionMetadata)),
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
