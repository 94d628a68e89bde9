import { UNTOUCHED } from '@tocsin/contracts'
import type { AlertCopy } from '../../plan/vocabulary.ts'
import type { Telling } from '../channel.ts'

export const ALERT: AlertCopy = {
  ...UNTOUCHED,
  id: '3f1d6a52-0c6f-5b1e-9d43-6a2f6f6d1c11',
  organizationId: '11111111-1111-4111-8111-111111111111',
  type: 'SECURITY',
  severity: 'HIGH',
  title: 'Five failed logins of root',
  description: 'root failed to sign in 5 times within 5 min from 183.62.140.253.',
  source: 'detector',
  rule: { id: 'tocsin.failed-auth', name: 'Failed authentication', version: 1, hash: 'ab'.repeat(32) },
  pattern: 'FAILED_AUTH',
  group: { principalId: 'root' },
  window: { from: '2026-01-05T10:00:00.000Z', to: '2026-01-05T10:05:00.000Z', spanMs: 300_000, threshold: 5, value: 5 },
  firstSeen: '2026-01-05T10:00:10.000Z',
  lastSeen: '2026-01-05T10:04:10.000Z',
  count: 5,
  peak: 5,
  revision: 1,
  open: true,
  backfilled: false,
  metadata: { attemptCount: 5 },
  tags: ['attack.t1110'],
  runbook: null,
  correlationId: null,
  createdAt: '2026-01-05T10:04:11.000Z',
  updatedAt: '2026-01-05T10:04:11.000Z',
}

export const alertWith = (fields: Partial<AlertCopy>): AlertCopy => ({ ...ALERT, ...fields })

export const tellingWith = (fields: Partial<Telling> = {}): Telling => ({
  alert: ALERT,
  event: 'created',
  change: 'created',
  send: 'first',
  late: false,
  organization: 'Development',
  url: `http://127.0.0.1:8080/alerts/${ALERT.id}`,
  actor: null,
  ...fields,
})
