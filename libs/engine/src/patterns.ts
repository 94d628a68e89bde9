import type { OrganizationSettings, Pattern } from '@tocsin/contracts'

type SettingName = keyof OrganizationSettings

/** The field whose different values an alert of a rule tells, beside its numbers. */
export type NotedField = 'ipAddress' | 'targetResource' | 'targetResourceType'

export interface PatternTraits {
  /** The seed's names of what an organization may set. */
  readonly threshold?: SettingName
  readonly timeWindow?: SettingName
  readonly noted?: NotedField
}

/** What the engine knows of the five patterns beside their rule files; their metadata is in alert-metadata.ts. */
export const PATTERN_TRAITS: Readonly<Record<Pattern, PatternTraits>> = {
  FAILED_AUTH: { threshold: 'failedAuthThreshold', timeWindow: 'failedAuthTimeWindow', noted: 'ipAddress' },
  UNAUTHORIZED_ACCESS: {
    threshold: 'unauthorizedAccessThreshold',
    timeWindow: 'unauthorizedAccessTimeWindow',
    noted: 'targetResource',
  },
  DATA_VELOCITY: { threshold: 'dataAccessVelocityThreshold', timeWindow: 'dataAccessTimeWindow', noted: 'targetResourceType' },
  BULK_OPERATION: { threshold: 'bulkOperationThreshold', timeWindow: 'bulkOperationTimeWindow' },
  OFF_HOURS: {},
}
