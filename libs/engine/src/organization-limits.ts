import type { Counters } from './counters.ts'
import type { Group } from './group.ts'
import type { EngineLimits } from './limits.ts'
import type { Organization } from './organization.ts'
import type { EpochMs } from './time.ts'

/** Keeps an organization within its limits (detection.md §1, caps). */
export function makeRoom(
  _organization: Organization,
  _limits: EngineLimits,
  _now: EpochMs,
  _counters: Counters,
  _touch: (group: Group) => void,
): void {}
