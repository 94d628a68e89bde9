/** An alert as OCSF Detection Finding: https://schema.ocsf.io/1.5.0/classes/detection_finding */
import type { AlertStatus, AlertWithEvidence, Evidence, Severity } from '@tocsin/contracts'

const CLASS = 2004
const OCSF_VERSION = '1.5.0'
const SEVERITY_IDS: Readonly<Record<Severity, number>> = { INFO: 1, LOW: 2, MEDIUM: 3, HIGH: 4, CRITICAL: 5 }
const STATUSES: Readonly<Record<AlertStatus, { readonly id: number; readonly name: string }>> = {
  active: { id: 1, name: 'New' },
  acknowledged: { id: 2, name: 'In Progress' },
  dismissed: { id: 3, name: 'Suppressed' },
  resolved: { id: 4, name: 'Resolved' },
}
const ACTIVITIES = {
  create: { id: 1, name: 'Create' },
  update: { id: 2, name: 'Update' },
  close: { id: 3, name: 'Close' },
} as const
/** Of an analytic: a rule. */
const RULE_TYPE = { type_id: 1, type: 'Rule' } as const

/** Times are milliseconds since 1970, as OCSF has them. */
export function ocsfFinding(alert: AlertWithEvidence): Readonly<Record<string, unknown>> {
  const ended = alert.status === 'resolved' || alert.status === 'dismissed'
  const activity = ACTIVITIES[ended ? 'close' : alert.revision === 1 && alert.version === 0 ? 'create' : 'update']
  const status = STATUSES[alert.status]
  return {
    category_uid: 2,
    category_name: 'Findings',
    class_uid: CLASS,
    class_name: 'Detection Finding',
    activity_id: activity.id,
    activity_name: activity.name,
    type_uid: CLASS * 100 + activity.id,
    type_name: `Detection Finding: ${activity.name}`,
    time: Date.parse(alert.updatedAt),
    start_time: Date.parse(alert.firstSeen),
    end_time: Date.parse(alert.lastSeen),
    count: alert.count,
    message: alert.title,
    is_alert: true,
    severity_id: SEVERITY_IDS[alert.severity],
    severity: alert.severity === 'INFO' ? 'Informational' : `${alert.severity.charAt(0)}${alert.severity.slice(1).toLowerCase()}`,
    status_id: status.id,
    status: status.name,
    ...(alert.resolutionNotes === null ? {} : { comment: alert.resolutionNotes }),
    finding_info: {
      uid: alert.id,
      title: alert.title,
      desc: alert.description,
      created_time: Date.parse(alert.createdAt),
      modified_time: Date.parse(alert.updatedAt),
      first_seen_time: Date.parse(alert.firstSeen),
      last_seen_time: Date.parse(alert.lastSeen),
      analytic: { uid: alert.rule.id, name: alert.rule.name, version: String(alert.rule.version), ...RULE_TYPE },
    },
    metadata: {
      version: OCSF_VERSION,
      product: { name: 'Tocsin', vendor_name: 'Tocsin' },
      tenant_uid: alert.organizationId,
      labels: [...alert.tags, ...alert.labels],
      ...(alert.correlationId === null ? {} : { correlation_uid: alert.correlationId }),
    },
    evidences: alert.evidence.map(evidenceArtifact),
  }
}

const evidenceArtifact = (event: Evidence): Readonly<Record<string, unknown>> => ({
  uid: event.id,
  ...(event.subject === undefined ? {} : { actor: { user: { name: event.subject } } }),
  ...(event.ip === undefined ? {} : { src_endpoint: { ip: event.ip } }),
  ...(event.target === undefined ? {} : { resources: [{ name: event.target }] }),
  api: { operation: event.action },
  data: event,
})
