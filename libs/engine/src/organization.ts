import type { OrganizationSettings, TenantRecord } from '@tocsin/contracts'
import type { Exceptions } from './exceptions.ts'
import type { Shedding } from './organization-limits.ts'
import { RuleInstance } from './rule-instance.ts'

/** What the engine holds of one organization. Until its settings are known, the defaults apply. */
export class Organization {
  readonly id: string
  record: TenantRecord | null = null
  readonly rules = new Map<string, RuleInstance>()
  /** Null where there are none. */
  exceptions: Exceptions | null = null
  /** Events held in all its groups, and the number of groups. */
  held = 0
  groups = 0
  /** Only while it is at its limits. */
  shedding: Shedding | null = null

  constructor(id: string) {
    this.id = id
  }

  get settings(): OrganizationSettings {
    return this.record?.settings ?? {}
  }

  rule(ruleId: string): RuleInstance {
    const known = this.rules.get(ruleId)
    if (known !== undefined) return known
    const instance = new RuleInstance(this, ruleId)
    this.rules.set(ruleId, instance)
    return instance
  }
}
