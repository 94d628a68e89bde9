import type { OrganizationSettings, Pattern } from '@tocsin/contracts'

type SettingName = keyof OrganizationSettings

/** The field whose different values an alert of a rule tells, beside its numbers. */
export type NotedField = 'ipAddress' | 'targetResource' | 'targetResourceType'

export interface PatternTraits {
  /** Id of the built-in rule. */
  readonly builtIn: string
  /** The seed's names of what an organization may set. */
  readonly threshold?: SettingName
  readonly timeWindow?: SettingName
  readonly noted?: NotedField
}

/** What the engine knows of the five patterns beside their rule files; their metadata is in alerts/alert-figures.ts. */
export const PATTERN_TRAITS: Readonly<Record<Pattern, PatternTraits>> = {
  FAILED_AUTH: {
    builtIn: 'tocsin.failed-auth',
    threshold: 'failedAuthThreshold',
    timeWindow: 'failedAuthTimeWindow',
    noted: 'ipAddress',
  },
  UNAUTHORIZED_ACCESS: {
    builtIn: 'tocsin.unauthorized-access',
    threshold: 'unauthorizedAccessThreshold',
    timeWindow: 'unauthorizedAccessTimeWindow',
    noted: 'targetResource',
  },
  DATA_VELOCITY: {
    builtIn: 'tocsin.data-velocity',
    threshold: 'dataAccessVelocityThreshold',
    timeWindow: 'dataAccessTimeWindow',
    noted: 'targetResourceType',
  },
  BULK_OPERATION: {
    builtIn: 'tocsin.bulk-operation',
    threshold: 'bulkOperationThreshold',
    timeWindow: 'bulkOperationTimeWindow',
  },
  OFF_HOURS: { builtIn: 'tocsin.off-hours' },
}
