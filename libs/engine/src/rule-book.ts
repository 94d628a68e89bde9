import type { ControlRecord, RuleRecord, TenantRecord } from '@tocsin/contracts'
import { type CompiledException, compileExceptions } from './exceptions.ts'
import type { CompiledRule } from './rule.ts'
import { checkSettings } from './settings.ts'

/** A version of a rule in force; compiled while it is active. */
export interface RuleInForce {
  readonly record: RuleRecord
  readonly compiled: CompiledRule | null
}

/** A control record that is to take effect. */
export type Ruling =
  | { readonly kind: 'rule'; readonly rule: RuleInForce }
  | {
      readonly kind: 'organization'
      readonly organization: TenantRecord
      readonly exceptions: readonly CompiledException[]
    }

/** The rules in force in a partition: those of the installation, and those of an organization, which replace them there. */
export class RuleBook {
  readonly #compile: (record: RuleRecord) => CompiledRule
  readonly #rules = new Map<string, RuleInForce>()

  constructor(compile: (record: RuleRecord) => CompiledRule) {
    this.#compile = compile
  }

  /**
   * Reads a control record without changing anything; null when its version is not above the one in force.
   * @throws what `compile` throws, RangeError for settings that cannot be run
   */
  read(control: ControlRecord, known: TenantRecord | null): Ruling | null {
    if (control.kind === 'rule') {
      const { rule } = control
      const inForce = this.#rules.get(keyOf(rule.organizationId, rule.ruleId))
      if (inForce !== undefined && rule.version <= inForce.record.version) return null
      return { kind: 'rule', rule: { record: rule, compiled: rule.state === 'active' ? this.#compile(rule) : null } }
    }
    const { organization } = control
    if (known !== null && organization.version <= known.version) return null
    checkSettings(organization.settings)
    return rulingOf(organization)
  }

  set(rule: RuleInForce): void {
    this.#rules.set(keyOf(rule.record.organizationId, rule.record.ruleId), rule)
  }

  inForce(organizationId: string, ruleId: string): CompiledRule | null {
    const rule = this.#rules.get(keyOf(organizationId, ruleId)) ?? this.#rules.get(keyOf(null, ruleId))
    const compiled = rule?.compiled ?? null
    return compiled?.alerts === true ? compiled : null
  }

  /** Ids of the rules that an organization may have. */
  ruleIdsOf(organizationId: string): Set<string> {
    const ids = new Set<string>()
    for (const { record } of this.#rules.values()) {
      if (record.organizationId === null || record.organizationId === organizationId) ids.add(record.ruleId)
    }
    return ids
  }

  records(): RuleRecord[] {
    return [...this.#rules.values()].map(({ record }) => record)
  }
}

/** Of settings that can be run. */
export const rulingOf = (organization: TenantRecord): Ruling => ({
  kind: 'organization',
  organization,
  exceptions: compileExceptions(organization.settings),
})

const keyOf = (organizationId: string | null, ruleId: string): string => `${organizationId ?? ''}/${ruleId}`
