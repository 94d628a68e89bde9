import type { AlertSort, AlertStatus, AlertType, DismissReason, Severity, SortOrder } from '@tocsin/contracts'

/** The contracts' closed lists, checked by type: importing their values would carry the whole schema library to the browser. */
const complete =
  <T extends string>() =>
  <const L extends readonly T[]>(list: [T] extends [L[number]] ? L : never): L =>
    list

export const SEVERITIES = complete<Severity>()(['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO'])
export const STATUSES = complete<AlertStatus>()(['active', 'acknowledged', 'resolved', 'dismissed'])
export const TYPES = complete<AlertType>()(['SECURITY', 'COMPLIANCE', 'PERFORMANCE', 'SYSTEM', 'METRICS'])
export const DISMISS_REASONS = complete<DismissReason>()(['false positive', 'benign', 'duplicate', 'test', 'accepted risk'])
export const SORTS = complete<AlertSort>()(['created', 'updated', 'severity', 'count'])
export const ORDERS = complete<SortOrder>()(['desc', 'asc'])
