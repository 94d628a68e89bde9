import type { ControlRecord, OrganizationSettings, RuleRecord } from '@tocsin/contracts'
import { businessHours, type Interval } from './model-nights.ts'
import type { ModelPattern } from './model-patterns.ts'
import type { Terms } from './model-types.ts'

const MINUTE = 60_000

interface RuleInForce {
  readonly version: number
  readonly state: string
  readonly pattern: ModelPattern | undefined
}

/** What control records have said so far: rules and settings, and what follows for a group. */
export class ModelBook {
  readonly #settings = new Map<string, { version: number; settings: OrganizationSettings }>()
  readonly #rules = new Map<string, RuleInForce>()
  readonly #hours = new Map<string, Interval[]>()
  readonly #day0: number
  readonly #patternOf: (rule: RuleRecord) => ModelPattern | undefined

  constructor(day0: number, patternOf: (rule: RuleRecord) => ModelPattern | undefined) {
    this.#day0 = day0
    this.#patternOf = patternOf
  }

  /** False where a version at least as high is in force. */
  take(control: ControlRecord): boolean {
    if (control.kind === 'organization') {
      const { organizationId, version, settings } = control.organization
      if (version <= (this.#settings.get(organizationId)?.version ?? 0)) return false
      this.#settings.set(organizationId, { version, settings })
      this.#hours.delete(organizationId)
      return true
    }
    if (control.kind === 'organizationDeleted') throw new Error('the model knows of no deleted organization')
    const { ruleId, version, state } = control.rule
    if (version <= (this.#rules.get(ruleId)?.version ?? 0)) return false
    this.#rules.set(ruleId, { version, state, pattern: this.#patternOf(control.rule) })
    return true
  }

  pattern(ruleId: string): ModelPattern | undefined {
    return this.#rules.get(ruleId)?.pattern
  }

  active(): ModelPattern[] {
    return [...this.#rules.values()].flatMap(({ state, pattern }) =>
      state === 'active' && pattern !== undefined ? [pattern] : [],
    )
  }

  settings(organizationId: string): OrganizationSettings {
    return this.#settings.get(organizationId)?.settings ?? {}
  }

  hours(organizationId: string): Interval[] {
    const hours = this.#hours.get(organizationId) ?? businessHours(this.settings(organizationId), this.#day0)
    this.#hours.set(organizationId, hours)
    return hours
  }

  terms(pattern: ModelPattern, organizationId: string, night: Interval | undefined): Terms {
    const settings = this.settings(organizationId)
    const own = settings.rules?.[pattern.ruleId] ?? {}
    const spanMs = night === undefined ? (own.timespanMs ?? pattern.spanMs(settings)) : night.end - night.begin
    const cooldownMs = own.cooldownMs ?? settings.alertCooldown ?? pattern.cooldownMs ?? 5 * MINUTE
    const gapMs = spanMs + (night === undefined ? cooldownMs : 0)
    const latenessMs = own.latenessMs ?? pattern.latenessMs ?? settings.latenessMs ?? 15 * MINUTE
    const ruleVersion = this.#rules.get(pattern.ruleId)?.version ?? 0
    const threshold = own.threshold ?? pattern.threshold(settings)
    const { severity } = own
    return { pattern, ruleVersion, spanMs, gapMs, latenessMs, retentionMs: gapMs + latenessMs, threshold, severity }
  }
}
