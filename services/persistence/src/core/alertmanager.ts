import type { AlertmanagerWebhook, PrometheusAlert, Severity } from '@tocsin/contracts'
import { type Raised, withoutRule } from './raised-alert.ts'

/** Usual values of the label `severity`; any other is MEDIUM. */
const SEVERITY_LABELS: Readonly<Record<string, Severity>> = {
  critical: 'CRITICAL',
  page: 'CRITICAL',
  emergency: 'CRITICAL',
  error: 'HIGH',
  high: 'HIGH',
  major: 'HIGH',
  warning: 'MEDIUM',
  medium: 'MEDIUM',
  minor: 'LOW',
  low: 'LOW',
  info: 'INFO',
  informational: 'INFO',
  none: 'INFO',
}
const MAX_TITLE_CHARS = 255
const MAX_TEXT_CHARS = 10_000
/** Prefix of the dedup keys, so that they meet no key of other senders. */
const KEY_PREFIX = 'alertmanager:'

/** One thing raised, or ended, for each alert of the webhook. */
export const raisedByAlertmanager = (webhook: AlertmanagerWebhook): Raised[] =>
  webhook.alerts.map((alert) => raisedOf(alert, webhook))

function raisedOf(alert: PrometheusAlert, { groupKey, receiver, externalURL }: AlertmanagerWebhook): Raised {
  const { labels, annotations = {} } = alert
  const { severity: level = '', alertname = 'Alert', ...others } = labels
  return {
    type: 'SYSTEM',
    severity: SEVERITY_LABELS[level.toLowerCase()] ?? 'MEDIUM',
    title: cut(annotations['summary'] || alertname, MAX_TITLE_CHARS),
    description: cut(annotations['description'] || annotations['message'] || '', MAX_TEXT_CHARS),
    metadata: {
      alertmanager: { groupKey, receiver, externalURL, generatorURL: alert.generatorURL, startsAt: alert.startsAt },
      labels,
      annotations,
    },
    tags: [],
    dedupKey: `${KEY_PREFIX}${alert.fingerprint}`,
    ends: alert.status === 'resolved',
    rule: withoutRule('alertmanager', alertname),
    group: { alertname, ...others },
    runbook: annotations['runbook_url'] ?? null,
    startedAt: alert.startsAt,
  }
}

const cut = (text: string, limit: number): string => (text.length <= limit ? text : `${text.slice(0, limit - 1).toWellFormed()}…`)
