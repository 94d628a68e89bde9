/** Bounds of memory (detection.md §1, caps). Tests lower them; a partition keeps the same ones for its whole life. */
export interface EngineLimits {
  readonly eventsPerGroup: number
  readonly eventsPerOrganization: number
  readonly groupsPerOrganization: number
}

export const DEFAULT_LIMITS: EngineLimits = {
  eventsPerGroup: 100_000,
  eventsPerOrganization: 2_000_000,
  groupsPerOrganization: 1_000_000,
}
