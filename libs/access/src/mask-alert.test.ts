import { type AlertWithEvidence, UNTOUCHED } from '@tocsin/contracts'
import { expect, test } from 'vitest'
import { alertFor, MASKED, maskAlert, ROLE_PERMISSIONS, SCOPE_PERMISSIONS } from './index.ts'

const CANARY = 'canary'
const alert: AlertWithEvidence = {
  ...UNTOUCHED,
  labels: ['false-alarm'],
  id: '6f7b7a0e-2f0c-4f6e-9c38-0a5d2a7a1b11',
  organizationId: '6f7b7a0e-2f0c-4f6e-9c38-0a5d2a7a1b22',
  type: 'SECURITY',
  severity: 'HIGH',
  title: `Failed sign-ins of ${CANARY}`,
  description: `5 failed sign-ins of ${CANARY}`,
  source: 'detector',
  rule: { id: 'tocsin.failed-auth', name: 'Failed authentication', version: 1, hash: 'ab' },
  pattern: 'FAILED_AUTH',
  group: { principalId: CANARY },
  window: { from: '2026-03-01T10:00:00.000Z', to: '2026-03-01T10:05:00.000Z', spanMs: 300_000, threshold: 5, value: 5 },
  firstSeen: '2026-03-01T10:00:00.000Z',
  lastSeen: '2026-03-01T10:04:00.000Z',
  count: 5,
  peak: 5,
  revision: 1,
  open: true,
  backfilled: false,
  metadata: { who: CANARY, mergedInto: '6f7b7a0e-2f0c-4f6e-9c38-0a5d2a7a1b33' },
  tags: ['attack.t1110'],
  runbook: null,
  correlationId: CANARY,
  createdAt: '2026-03-01T10:04:00.100Z',
  updatedAt: '2026-03-01T10:04:00.100Z',
  resolutionNotes: CANARY,
  resolutionAction: CANARY,
  resolutionMetadata: { ticket: CANARY },
  evidence: [
    {
      id: CANARY,
      t: '2026-03-01T10:00:00.000Z',
      subject: CANARY,
      action: 'auth.login',
      outcome: 'failure',
      target: CANARY,
      ip: CANARY,
      recordCount: 3,
      topic: 'audit.events',
      partition: 1,
      offset: '7',
    },
  ],
}

test('a masked alert keeps every field and its shape, and no text that could name somebody', () => {
  const masked = maskAlert(alert)
  expect(Object.keys(masked).sort()).toEqual(Object.keys(alert).sort())
  expect(JSON.stringify(masked)).not.toContain(CANARY)
  expect(masked).toMatchObject({
    title: 'Failed authentication',
    description: MASKED,
    group: { principalId: MASKED },
    metadata: { mergedInto: '6f7b7a0e-2f0c-4f6e-9c38-0a5d2a7a1b33' },
    count: 5,
    tags: ['attack.t1110'],
    labels: ['false-alarm'],
    evidence: [{ action: 'auth.login', recordCount: 3, offset: '7' }],
  })
})

test('half of an alert is masked likewise, and what is not there stays away', () => {
  expect(maskAlert({ id: alert.id, resolutionNotes: CANARY })).toEqual({ id: alert.id, resolutionNotes: MASKED })
  expect(maskAlert({ title: CANARY })).toEqual({ title: MASKED })
})

test('a field that the table does not know is left out', () => {
  expect(maskAlert({ id: alert.id, later: CANARY } as Partial<AlertWithEvidence>)).toEqual({ id: alert.id })
})

test('the permission decides: a viewer and a key see it masked, a responder and an auditor see it whole', () => {
  expect(alertFor(ROLE_PERMISSIONS.viewer, alert)).toEqual(maskAlert(alert))
  expect(alertFor(new Set(SCOPE_PERMISSIONS.read), alert)).toEqual(maskAlert(alert))
  expect(alertFor(ROLE_PERMISSIONS.responder, alert)).toBe(alert)
  expect(alertFor(ROLE_PERMISSIONS.auditor, alert)).toBe(alert)
})
