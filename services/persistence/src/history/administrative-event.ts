/**
 * An administrative act as an audit event of its organization, so that rules watch those who administer Tocsin as everybody else
 * (security.md §5).
 *
 * 1. One event for one entry of the history: its id is made of the entry's, so that what is published twice is a duplicate.
 * 2. No loop: what the system does by itself, and what anybody does to an alert, is no event. So an alert that such an event raises leads
 *    to no further one.
 * 3. Nothing of the entry's details is in it: those are sealed, and an event lies on Kafka in clear.
 */
import { type AuditEvent, type Category, type Operation, type Outcome, OWN_ACTIONS } from '@tocsin/contracts'
import { SYSTEM } from '../core/status-change.ts'
import type { HistoryEntry, HistoryKind } from '../repositories/history.ts'

/** What acts on a kind of thing are to the patterns; null: daily work, of which there is much, and no administration (2). */
const CATEGORIES: Readonly<Record<HistoryKind, Category | null>> = {
  alert: null,
  organization: 'configuration',
  member: 'authorization',
  key: 'authorization',
  rule: 'configuration',
  exception: 'configuration',
  erasure: 'data',
  hold: 'configuration',
  retention: 'configuration',
  history: 'data',
  'sign-in': 'authentication',
  operation: 'authorization',
}

/** What is none of these changes what is there: `update`. */
const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['access.refused', 'other'],
  ['alerts.exported', 'export'],
  ['alerts.viewed', 'read'],
  ['erasure.requested', 'delete'],
  ['exception.added', 'create'],
  ['exception.removed', 'delete'],
  ['history.exported', 'export'],
  ['hold.placed', 'create'],
  ['hold.released', 'delete'],
  ['key.created', 'grant'],
  ['key.revoked', 'revoke'],
  ['member.added', 'grant'],
  ['member.changed', 'grant'],
  ['member.removed', 'revoke'],
  ['member.signed-out', 'revoke'],
  ['organization.created', 'create'],
  ['organization.deleted', 'delete'],
  ['rule.backtested', 'read'],
  ['rule.retired', 'delete'],
  ['sign-in.failed', 'login'],
  ['sign-in.succeeded', 'login'],
  ['token.issued', 'create'],
  ['token.revoked', 'revoke'],
])

/** Everything else was done. */
const OUTCOMES: ReadonlyMap<string, Outcome> = new Map<string, Outcome>([
  ['access.refused', 'denied'],
  ['sign-in.failed', 'failure'],
])

/** null: the entry is of no administrative act. `historyId`: of the entry. */
export function administrativeEvent(historyId: string, entry: HistoryEntry): AuditEvent | null {
  const { about, action, actor, at, channel, ip, organizationId } = entry
  const category = CATEGORIES[about.kind]
  if (category === null || actor === SYSTEM) return null // (2)
  const operation = OPERATIONS.get(action) ?? 'update'
  const outcome = OUTCOMES.get(action) ?? 'success'
  return {
    id: `tocsin:${historyId}`, // (1)
    timestamp: at,
    receivedAt: at,
    organizationId,
    action: `${OWN_ACTIONS}${action}`,
    status: outcome === 'success' ? 'success' : 'failure',
    outcome,
    // Whatever an export is about, data leave with it.
    category: operation === 'export' ? 'data' : category,
    operation,
    dataClassification: 'INTERNAL',
    principalId: actor,
    principalType: actor.startsWith('key:') ? 'key' : 'user',
    targetResourceType: about.kind,
    targetResourceId: about.id,
    ...(ip === undefined ? {} : { sessionContext: { ipAddress: ip } }),
    integrity: 'absent',
    source: { format: 'tocsin', service: 'persistence', name: 'tocsin' },
    details: { channel },
  }
}
