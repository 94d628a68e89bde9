import type { AuditEvent, OrganizationSettings, Severity } from '@tocsin/contracts'
import { isOrdered } from './correlation-windows.ts'
import type { HeldEvent } from './model-types.ts'
import { atLeast, total } from './model-windows.ts'

/** A group that an event belongs to, and through which of the correlation's rules; without fields it lacks one of them. */
export interface Membership {
  readonly fields: Record<string, string> | undefined
  readonly parts: readonly string[]
}

/** A rule as the model runs it: any correlation, written down as data and predicates. */
export interface ModelPattern {
  readonly ruleId: string
  readonly pattern: string | null
  /** The events that count, and those with weight 0 that only escalate. */
  counts(event: AuditEvent): boolean
  escalates(event: AuditEvent): boolean
  memberships(event: AuditEvent): readonly Membership[]
  readonly bySubject: boolean
  spanMs(settings: OrganizationSettings): number
  threshold(settings: OrganizationSettings): number
  /** Of the rule itself: the cooldown gives way to the organization's, the lateness does not. */
  readonly cooldownMs?: number
  readonly latenessMs?: number
  /** Decided once per event time, on the window up to it or from it on (D42); absent: decided at once. */
  readonly settled?: 'behind' | 'ahead'
  /** Whether the condition is true of a window, and the window's value in the condition's unit. */
  holds(window: readonly HeldEvent[], threshold: number): boolean
  value(window: readonly HeldEvent[]): number
  /** Equal for versions that may go on with each other's windows (D33). */
  readonly identity: string
  /** What an event adds to the window's total. */
  weight(event: AuditEvent): number
  /** Whether the summed field holds something that cannot be added. */
  isNotNumeric?(event: AuditEvent): boolean
  /** Sums compare their total in revisions; counts the number of events. */
  readonly sum: boolean
  /** Beside the standard; `principalId` and `source` are the group's. */
  metadata(of: {
    counted: readonly AuditEvent[]
    held: readonly HeldEvent[]
    total: number
    spanMs: number
    group: Record<string, string>
    settings: OrganizationSettings
  }): Record<string, unknown>
  /** Events that raise the severity by themselves; absent: sensitive ones. */
  notable?(event: AuditEvent): boolean
  severity(figures: { peak: number; threshold: number; escalated: boolean; sensitive: boolean }): Severity
}

const MINUTE = 60_000

const present = (text: string | undefined): text is string => text !== undefined && text.trim() !== ''

export const principalOf = (event: AuditEvent): string | undefined => (present(event.principalId) ? event.principalId : undefined)

function subject(event: AuditEvent): Record<string, string> | undefined {
  const { principalId } = event
  if (present(principalId)) return { principalId }
  const ipAddress = event.sessionContext?.ipAddress
  if (present(ipAddress)) return { ipAddress }
  const sessionId = event.sessionContext?.sessionId
  return present(sessionId) ? { sessionId } : undefined
}

function address(event: AuditEvent): Record<string, string> | undefined {
  const ipAddress = event.sessionContext?.ipAddress
  return present(ipAddress) ? { ipAddress } : undefined
}

const principal = (event: AuditEvent): Record<string, string> | undefined =>
  present(event.principalId) ? { principalId: event.principalId } : undefined

const failed = (event: AuditEvent) => event.outcome === 'failure' || event.outcome === 'denied'
const distinct = (values: readonly (string | undefined)[]): string[] =>
  [...new Set(values.flatMap((value) => (value === undefined ? [] : [value])))].sort()
const resourceOf = ({ targetResourceType, targetResourceId }: AuditEvent): string | undefined =>
  targetResourceType === undefined && targetResourceId === undefined
    ? undefined
    : JSON.stringify([targetResourceType, targetResourceId])

/** One of the built-in pack: counts or sums at once, by one group. */
interface BuiltIn extends Omit<ModelPattern, 'memberships' | 'holds' | 'value' | 'identity'> {
  group(event: AuditEvent): Record<string, string> | undefined
  /** Distinct principals that the window needs besides. */
  readonly principals: number
}

const plain = { escalates: () => false, group: subject, bySubject: true, weight: () => 1, sum: false, principals: 0 }

/** Each event, folded by hour. */
const hourly = { ...plain, pattern: null, metadata: () => ({}), spanMs: () => 60 * MINUTE, threshold: () => 1 }

/** Some of them. */
const LOGGING_OFF = ['cloudtrail:stoplogging', 'cloudtrail:deletetrail', 'audit.logging.disable', 'audit.logging.stop']

export const OFF_HOURS_RULE = 'tocsin.off-hours'

/** The built-in pack, written down from the table of detection.md §3, not read from rules/. */
const BUILT_IN: readonly BuiltIn[] = [
  {
    ...plain,
    ruleId: 'tocsin.failed-auth',
    pattern: 'FAILED_AUTH',
    metadata: ({ counted, spanMs, group }) => ({
      attemptCount: counted.length,
      timeWindow: spanMs,
      source: Object.values(group)[0],
      distinctIps: distinct(counted.map((event) => event.sessionContext?.ipAddress)).length,
    }),
    counts: (event) => event.category === 'authentication' && failed(event),
    escalates: (event) => event.category === 'authentication' && event.operation === 'login' && event.outcome === 'success',
    spanMs: (settings) => settings.failedAuthTimeWindow ?? 5 * MINUTE,
    threshold: (settings) => settings.failedAuthThreshold ?? 5,
    severity: ({ escalated }) => (escalated ? 'CRITICAL' : 'HIGH'),
  },
  {
    ...plain,
    ruleId: 'tocsin.unauthorized-access',
    pattern: 'UNAUTHORIZED_ACCESS',
    metadata: ({ counted, group }) => ({
      principalId: group['principalId'] ?? null,
      attemptCount: counted.length,
      distinctResources: distinct(counted.map(resourceOf)).length,
    }),
    counts: (event) => event.outcome === 'denied' && event.category !== 'authentication',
    spanMs: (settings) => settings.unauthorizedAccessTimeWindow ?? 10 * MINUTE,
    threshold: (settings) => settings.unauthorizedAccessThreshold ?? 3,
    severity: () => 'CRITICAL',
  },
  {
    ...plain,
    ruleId: 'tocsin.data-velocity',
    pattern: 'DATA_VELOCITY',
    metadata: ({ counted }) => ({
      accessCount: counted.length,
      resourceTypes: distinct(counted.map((event) => event.targetResourceType)),
    }),
    counts: (event) => event.category === 'data' && event.operation === 'read' && event.outcome === 'success',
    spanMs: (settings) => settings.dataAccessTimeWindow ?? MINUTE,
    threshold: (settings) => settings.dataAccessVelocityThreshold ?? 100,
    severity: () => 'MEDIUM',
  },
  {
    ...plain,
    ruleId: 'tocsin.bulk-operation',
    pattern: 'BULK_OPERATION',
    metadata: ({ counted, total }) => ({ operationCount: counted.length, totalRecords: total }),
    counts: (event) =>
      (['export', 'import', 'bulk'].includes(event.operation) || (event.recordCount ?? 0) > 10) && !failed(event),
    spanMs: (settings) => settings.bulkOperationTimeWindow ?? 5 * MINUTE,
    threshold: (settings) => settings.bulkOperationThreshold ?? 50,
    weight: (event) => event.recordCount ?? 1,
    sum: true,
    severity: ({ peak, threshold }) => (peak >= 10 * threshold ? 'HIGH' : 'MEDIUM'),
  },
  {
    ...plain,
    ruleId: OFF_HOURS_RULE,
    pattern: 'OFF_HOURS',
    metadata: ({ counted, settings }) => ({
      accessCount: counted.length,
      offHoursStart: settings.offHoursStart ?? 18,
      offHoursEnd: settings.offHoursEnd ?? 8,
    }),
    counts: (event) => event.category === 'data' && event.outcome === 'success',
    spanMs: () => 0, // the night's length, by event
    threshold: () => 1,
    severity: ({ sensitive }) => (sensitive ? 'MEDIUM' : 'LOW'),
  },
  {
    ...plain,
    ruleId: 'tocsin.password-spraying',
    pattern: null,
    metadata: ({ counted }) => ({ distinct: { principalId: distinct(counted.map(principalOf)).length } }),
    counts: (event) => event.category === 'authentication' && failed(event),
    group: address,
    bySubject: false,
    spanMs: () => 10 * MINUTE,
    threshold: () => 5,
    principals: 3,
    severity: () => 'HIGH',
  },
  {
    ...hourly,
    ruleId: 'tocsin.audit-logging-off',
    counts: (event) => LOGGING_OFF.includes(event.action.toLowerCase()) && !failed(event),
    group: ({ targetResourceId }) => (present(targetResourceId) ? { targetResourceId } : undefined),
    severity: () => 'CRITICAL',
  },
  {
    ...hourly,
    ruleId: 'tocsin.integrity-violation',
    counts: (event) => event.integrity === 'violated' || event.idConflict === true,
    group: (event) => ({ source: event.source.name }),
    severity: () => 'HIGH',
  },
  {
    ...hourly,
    ruleId: 'tocsin.phi-without-session',
    counts: ({ dataClassification, sessionContext: session }) =>
      dataClassification === 'PHI' && session?.sessionId === undefined && session?.ipAddress === undefined,
    group: principal,
    severity: () => 'MEDIUM',
  },
  {
    ...hourly,
    ruleId: 'tocsin.personal-data-without-legal-basis',
    counts: ({ gdprContext }) => gdprContext !== undefined && String(gdprContext['legalBasis'] ?? '').trim() === '',
    group: principal,
    severity: () => 'MEDIUM',
  },
  {
    ...hourly,
    ruleId: 'tocsin.slow-processing',
    counts: ({ processingLatency = 0 }) => processingLatency > 1000,
    notable: ({ processingLatency = 0 }) => processingLatency > 2000,
    group: (event) => ({ source: event.source.name }),
    spanMs: () => 5 * MINUTE,
    threshold: () => 10,
    severity: ({ sensitive }) => (sensitive ? 'HIGH' : 'MEDIUM'),
  },
  {
    ...hourly,
    ruleId: 'tocsin.deep-queue',
    counts: ({ queueDepth = 0 }) => queueDepth >= 100,
    notable: ({ queueDepth = 0 }) => queueDepth >= 500,
    group: (event) => ({ source: event.source.name }),
    severity: ({ sensitive }) => (sensitive ? 'HIGH' : 'MEDIUM'),
  },
]

export type BuiltInPattern = ModelPattern & BuiltIn

/** Those that count or sum. */
export const COUNTING_PATTERNS: readonly BuiltInPattern[] = BUILT_IN.map((pattern) => ({
  ...pattern,
  memberships: (event) => [{ fields: pattern.group(event), parts: [] }],
  holds: (window, threshold) => atLeast(threshold, pattern.principals)(window),
  value: total,
  identity: pattern.ruleId,
}))

export const isNotable = (pattern: ModelPattern, event: AuditEvent): boolean => (pattern.notable ?? isSensitive)(event)

const isSensitive = (event: AuditEvent): boolean =>
  event.dataClassification === 'PHI' || event.dataClassification === 'CONFIDENTIAL'

const isGrant = (event: AuditEvent): boolean => event.operation === 'grant' && !failed(event)
const isExport = (event: AuditEvent): boolean => (event.operation === 'export' || event.operation === 'bulk') && !failed(event)

/** A grant to somebody (its target), then an export by the same. */
const GRANT_THEN_EXPORT: ModelPattern = {
  ruleId: 'tocsin.grant-then-export',
  pattern: null,
  counts: (event) => isGrant(event) || isExport(event),
  escalates: () => false,
  memberships: (event) => {
    const name = isGrant(event) ? event.targetResourceId : event.principalId
    return [{ fields: present(name) ? { principalId: name } : undefined, parts: [isGrant(event) ? 'grant' : 'export'] }]
  },
  bySubject: false,
  spanMs: () => 60 * MINUTE,
  threshold: () => 2,
  holds: (window) => isOrdered(window, ['grant', 'export']),
  value: () => 2,
  identity: 'tocsin.grant-then-export',
  weight: () => 1,
  sum: false,
  metadata: () => ({ rules: ['permission_granted', 'data_exported'] }),
  severity: () => 'HIGH',
}

/** The built-in pack. */
export const MODEL_PATTERNS: readonly ModelPattern[] = [...COUNTING_PATTERNS, GRANT_THEN_EXPORT]
