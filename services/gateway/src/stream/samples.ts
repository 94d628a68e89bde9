/** Alerts and changes for this service's tests. */
import type { AlertFigures, AlertStatusChange, FigureRecordType, StatusRecordType } from '@tocsin/contracts'
import type { HalfRecord } from './alert-record.ts'
import type { Change } from './change.ts'

export const ORGANIZATION = '0b7c8a52-5f3c-4d1e-9a76-1f2e3d4c5b6a'
const BASE = Date.parse('2026-03-01T10:00:00Z')
export const at = (ms: number): string => new Date(BASE + ms).toISOString()
export const alertId = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

export function figures(n: number, revision = 1, more: Partial<AlertFigures> = {}): AlertFigures {
  return {
    id: alertId(n),
    organizationId: ORGANIZATION,
    type: 'SECURITY',
    severity: 'HIGH',
    title: `Failed logins of p${n}`,
    description: 'Five failed logins in five minutes.',
    source: 'detector',
    rule: { id: 'tocsin.failed-auth', name: 'Failed logins', version: 1, hash: 'ab' },
    pattern: 'FAILED_AUTH',
    group: { principalId: `p${n}` },
    window: { from: at(0), to: at(300_000), spanMs: 300_000, threshold: 5, value: 5 },
    firstSeen: at(0),
    lastSeen: at(1000),
    count: 4 + revision,
    peak: 5,
    revision,
    open: true,
    backfilled: false,
    metadata: {},
    tags: [],
    runbook: null,
    correlationId: null,
    createdAt: at(1000),
    updatedAt: at(1000 + revision),
    evidence: [],
    ...more,
  }
}

export const figuresRecord = (
  n: number,
  revision = 1,
  more: Partial<AlertFigures> = {},
  type: FigureRecordType = revision === 1 ? 'alert.created' : 'alert.revised',
): HalfRecord => ({ half: 'figures', type, figures: figures(n, revision, more) })

export const statusRecord = (
  n: number,
  version: number,
  changes: AlertStatusChange['changes'],
  type: StatusRecordType = 'alert.acknowledged',
  actor = 'ann@example.org',
): HalfRecord => ({
  half: 'status',
  type,
  change: { id: alertId(n), organizationId: ORGANIZATION, version, actor, updatedAt: at(5000 + version), changes },
})

export const ACKNOWLEDGED = {
  status: 'acknowledged',
  acknowledged: true,
  acknowledgedAt: at(5001),
  acknowledgedBy: 'ann@example.org',
} as const satisfies AlertStatusChange['changes']

/** A change as the ring holds it. */
export function change(offset: number, more: Partial<Change> = {}): Change {
  return {
    organizationId: ORGANIZATION,
    partition: 0,
    offset: BigInt(offset),
    at: BASE + offset,
    alertId: alertId(offset),
    created: true,
    before: null,
    after: { status: 'active', severity: 'HIGH', type: 'SECURITY', source: 'detector', merged: false },
    userId: undefined,
    partial: false,
    alert: JSON.stringify({ id: alertId(offset) }),
    ...more,
  }
}
