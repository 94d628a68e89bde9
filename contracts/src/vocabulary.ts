/** The closed lists of words that cross process borders. Order of SEVERITIES is rank order, most severe first. */
export const SEVERITIES = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO'] as const
export type Severity = (typeof SEVERITIES)[number]

export const ALERT_TYPES = ['SECURITY', 'COMPLIANCE', 'PERFORMANCE', 'SYSTEM', 'METRICS'] as const
export type AlertType = (typeof ALERT_TYPES)[number]

export const ALERT_STATUSES = ['active', 'acknowledged', 'resolved', 'dismissed'] as const
export type AlertStatus = (typeof ALERT_STATUSES)[number]

/** The five built-in patterns, named as the seed names them. */
export const PATTERNS = ['FAILED_AUTH', 'UNAUTHORIZED_ACCESS', 'DATA_VELOCITY', 'BULK_OPERATION', 'OFF_HOURS'] as const
export type Pattern = (typeof PATTERNS)[number]

export const CATEGORIES = ['authentication', 'authorization', 'data', 'configuration', 'system', 'other'] as const
export type Category = (typeof CATEGORIES)[number]

export const OPERATIONS = [
  'create',
  'read',
  'update',
  'delete',
  'export',
  'import',
  'bulk',
  'login',
  'logout',
  'grant',
  'revoke',
  'other',
] as const
export type Operation = (typeof OPERATIONS)[number]

export const EVENT_STATUSES = ['attempt', 'success', 'failure'] as const
export type EventStatus = (typeof EVENT_STATUSES)[number]

export const OUTCOMES = ['success', 'failure', 'denied', 'unknown'] as const
export type Outcome = (typeof OUTCOMES)[number]

export const CLASSIFICATIONS = ['PUBLIC', 'INTERNAL', 'CONFIDENTIAL', 'PHI'] as const
export type Classification = (typeof CLASSIFICATIONS)[number]

export const DISMISS_REASONS = ['false positive', 'benign', 'duplicate', 'test', 'accepted risk'] as const
export type DismissReason = (typeof DISMISS_REASONS)[number]

/** Higher is more severe; for comparing, never for storing. */
export const severityRank = (severity: Severity): number => SEVERITIES.length - SEVERITIES.indexOf(severity)
