import type { ControlRecord, RuleRecord, TenantRecord } from '@tocsin/contracts'
import { RulesInForce } from './matching/rules-in-force.ts'
import { type CompiledException, compileExceptions } from './rules/exceptions.ts'
import type { CompiledRule } from './rules/rule.ts'
import { checkSettings } from './rules/settings.ts'

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
  | { readonly kind: 'organizationDeleted'; readonly organizationId: string }

/** The rules in force in a partition: those of the installation, and those of an organization, which replace them there. */
export class RuleBook {
  readonly #compile: (record: RuleRecord) => CompiledRule
  readonly #rules = new Map<string, RuleInForce>()
  readonly #withOwn = new Set<string>()
  #shared: RulesInForce | null = null

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
    if (control.kind === 'organizationDeleted') return control
    const { organization } = control
    if (known !== null && organization.version <= known.version) return null
    checkSettings(organization.settings)
    return rulingOf(organization)
  }

  set(rule: RuleInForce): void {
    const { organizationId, ruleId } = rule.record
    this.#rules.set(keyOf(organizationId, ruleId), rule)
    if (organizationId === null) this.#shared = null
    else this.#withOwn.add(organizationId)
  }

  /** Forgets the rules of an organization's own. */
  forget(organizationId: string): void {
    for (const [key, { record }] of this.#rules) if (record.organizationId === organizationId) this.#rules.delete(key)
    this.#withOwn.delete(organizationId)
  }

  inForce(organizationId: string, ruleId: string): CompiledRule | null {
    const own = this.#rules.get(keyOf(organizationId, ruleId))
    // A retired one no longer stands in the place of the installation's (D35).
    const rule = own === undefined || own.record.state === 'retired' ? this.#rules.get(keyOf(null, ruleId)) : own
    const compiled = rule?.compiled ?? null
    return compiled?.alerts === true ? compiled : null
  }

  /** The rules in force in an organization; one set for all those without rules of their own. */
  rulesIn(organizationId: string): RulesInForce {
    if (this.#withOwn.has(organizationId)) return this.#newSet(organizationId)
    this.#shared ??= this.#newSet(organizationId)
    return this.#shared
  }

  #newSet(organizationId: string): RulesInForce {
    const ids = new Set<string>()
    for (const { record } of this.#rules.values()) {
      if (record.organizationId === null || record.organizationId === organizationId) ids.add(record.ruleId)
    }
    return new RulesInForce([...ids].flatMap((ruleId) => this.inForce(organizationId, ruleId) ?? []))
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
